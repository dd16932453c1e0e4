"""Deal labelled documents into train, eval and test: ``python -m kazu_distill.split``."""

from __future__ import annotations

from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig

from kazu_distill.console import console, print_files, print_remarks, write_json
from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.errors import ConfigError
from kazu_distill.splitting.parts import split_documents, split_like
from kazu_distill.splitting.summary import summarise
from kazu_distill.stage import stage_main

PARTS = ("train", "eval", "test")


@stage_main(config_name="split")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out = Path(config.out)
    corpus = instantiate(config.corpus)
    documents = list(corpus)
    print_remarks(corpus)
    if config.like:
        files = [Path(config.like) / f"{part}.jsonl" for part in PARTS]
        earlier = {file.stem: _ids(file) for file in files if file.is_file()}
        if not earlier:
            raise ConfigError(
                f"like={config.like}: the folder of an earlier split has train.jsonl, eval.jsonl, test.jsonl"
            )
        parts = split_like(documents, earlier)
    else:
        shares = {part: share for part, share in (("eval", config.eval), ("test", config.test)) if share != 0}
        parts = split_documents(documents, shares=shares, seed=config.seed)
    for part, inside in parts.items():
        write_documents(out / f"{part}.jsonl", inside)
    summary = summarise(parts)
    write_json(out / "split.json", summary)
    for part, counts in summary["parts"].items():
        console.print(f"{part}: {counts['documents']:,} documents, {counts['spans']:,} spans")
    shared = summary["leakage"]["shared_texts"]
    console.print(f"texts that two parts share: {shared:,}", style="bold red" if shared else None)
    print_files(out, *(f"{part}.jsonl" for part in parts), "split.json")


def _ids(path: Path) -> list[str]:
    return [document.id for document in read_documents(path)]


if __name__ == "__main__":
    main()
