"""Label texts with a trained tagger: ``python -m kazu_distill.predict corpus=text corpus.path=abstracts``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.markup import escape
from rich.table import Table

from kazu_distill import __version__
from kazu_distill.console import console, print_files, print_remarks, progress_bar
from kazu_distill.documents import blocks_of
from kazu_distill.models.threads import limit_threads
from kazu_distill.resumable_file import ResumableFile, resumable_file
from kazu_distill.stage import stage_main
from kazu_distill.tagger.fingerprint import fingerprint
from kazu_distill.tagger.tagger import BLOCK, Tagger


@stage_main(config_name="predict", literal="text")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out = Path(config.out)
    limit_threads()
    tagger = Tagger.from_pretrained(config.model, runtime=config.runtime, device=config.device)
    if config.text is not None:
        _print_spans(tagger, str(config.text))
        return
    corpus = instantiate(config.corpus)
    total = sum(1 for _ in corpus)  # finds a broken record before the work begins, too
    print_remarks(corpus)
    with resumable_file(out / "documents.jsonl", key=_key(config)) as file:
        blocks = file.remaining(blocks_of(corpus, characters=BLOCK))
        _print_kept(file)
        with progress_bar() as progress:
            task = progress.add_task("predict", total=total - file.kept)
            for block in blocks:
                file.append(tagger.label(block, source=str(config.model)))
                progress.advance(task, len(block))
    print_files(out, "documents.jsonl")


def _key(config: DictConfig) -> str:
    """Names what the labels depend on: the model, and every setting but where documents come from and go to."""
    resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    assert isinstance(resolved, dict)
    settings = {name: value for name, value in resolved.items() if name not in ("corpus", "out", "text")}
    said = {"settings": settings, "model": fingerprint(Path(config.model)), "kazu_distill": __version__}
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _print_kept(file: ResumableFile) -> None:
    if file.kept:
        console.print(f"going on: {file.kept:,} documents were labelled before the last run was ended")
    if file.misfit:
        console.print(
            f"what an unfinished run left{' behind them' if file.kept else ''} is of another model, setting or corpus: "
            "labelled anew",
            style="yellow",
            soft_wrap=True,
        )


def _print_spans(tagger: Tagger, text: str) -> None:
    table = Table("start", "end", "mention", "class", "score")
    for span in next(tagger.predict([text])):
        table.add_row(
            str(span.start), str(span.end), escape(text[span.start : span.end]), escape(span.label), f"{span.score:.2f}"
        )
    console.print(table)


if __name__ == "__main__":
    main()
