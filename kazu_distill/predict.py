"""Label texts with a trained tagger: ``python -m kazu_distill.predict corpus=text corpus.path=abstracts``."""

from __future__ import annotations

from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.markup import escape
from rich.table import Table

from kazu_distill.console import console, print_files, print_remarks, progress_bar
from kazu_distill.document_files import atomic_writer, document_line
from kazu_distill.stage import stage_main
from kazu_distill.tagger.tagger import Tagger


@stage_main(config_name="predict", literal="text")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out = Path(config.out)
    tagger = Tagger.from_pretrained(config.model, device=config.device)
    if config.text is not None:
        _print_spans(tagger, str(config.text))
        return
    corpus = instantiate(config.corpus)
    total = sum(1 for _ in corpus)  # finds a broken record before the work begins, too
    print_remarks(corpus)
    with atomic_writer(out / "documents.jsonl") as file, progress_bar() as progress:
        labelled = tagger.predict(corpus, source=str(config.model))
        for document in progress.track(labelled, total=total, description="predict"):
            file.write(document_line(document))
    print_files(out, "documents.jsonl")


def _print_spans(tagger: Tagger, text: str) -> None:
    table = Table("start", "end", "mention", "class", "score")
    for span in next(tagger.predict_texts([text])):
        table.add_row(
            str(span.start), str(span.end), escape(text[span.start : span.end]), escape(span.label), f"{span.score:.2f}"
        )
    console.print(table)


if __name__ == "__main__":
    main()
