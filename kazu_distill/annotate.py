"""Label a corpus with an LLM: ``python -m kazu_distill.annotate corpus=text corpus.path=abstracts llm=gemini``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.progress import TextColumn

from kazu_distill.annotation.annotator import Annotator, Failure
from kazu_distill.annotation.report import AnnotationReport
from kazu_distill.console import console, print_files, print_remarks, progress_bar, write_json
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.document_files import atomic_writer, document_line
from kazu_distill.errors import CorpusError, KazuDistillError
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.store import AnswerStore
from kazu_distill.stage import stage_main


class AllFailed(KazuDistillError):
    """Not one document got a usable answer."""


@stage_main(config_name="annotate")
def main(config: DictConfig) -> None:
    """Run the stage."""
    out = Path(config.out)
    schema = instantiate(config.schema)
    corpus = instantiate(config.corpus)
    # Reading it all once finds a broken record before anything has been paid for.
    total = sum(1 for _ in corpus)
    print_remarks(corpus)
    if not total:
        raise CorpusError(f"{corpus.path} has no documents")
    with AnswerStore(config.store.path) as store:
        if config.store.import_from:
            store.import_jsonl(Path(config.store.import_from))
        asker = instantiate(config.llm, store=store)
        annotator = Annotator(
            schema=schema,
            prompt=instantiate(config.prompt, schema=schema),
            asker=asker,
            grounder=instantiate(config.grounding),
            cleaner=instantiate(config.cleaning, schema=schema),
            source=config.llm.model,
            longest_chunk=config.longest_chunk,
        )
        asyncio.run(_annotate(annotator, asker, corpus, total=total, out=out))
    print_files(out, "documents.jsonl", "failed.jsonl", "report.json")


async def _annotate(annotator: Annotator, asker: Asker, corpus: Corpus, *, total: int, out: Path) -> None:
    """Write documents and failures as they come, in the corpus's order, and report.

    Raises:
        AllFailed: no document was labelled; those of an earlier run stay.
    """
    report = AnnotationReport()
    started = time.monotonic()
    with atomic_writer(out / "documents.jsonl") as documents:
        try:
            with (
                atomic_writer(out / "failed.jsonl") as failed,
                progress_bar(TextColumn("{task.fields[cost]}")) as progress,
            ):
                task = progress.add_task("annotate", total=total, cost="")
                async for annotated in annotator.annotate_all(corpus, in_flight=4 * asker.max_concurrency):
                    report.add(annotated)
                    if annotated.failures:
                        failed.writelines(_failure_line(failure) for failure in annotated.failures)
                    else:
                        documents.write(document_line(annotated.document))
                    progress.update(task, advance=1, cost=_cost(asker))
        finally:
            await asker.close()
        seconds = round(time.monotonic() - started, 3)
        figures = report.as_mapping() | asker.statistics.as_mapping()
        figures |= {"seconds": seconds, "skipped_records": corpus.skipped}
        write_json(out / "report.json", figures)
        _print_outcome(figures)
        if not report.documents:
            raise AllFailed(f"no document could be labelled: {out / 'failed.jsonl'} says why, document by document")


def _print_outcome(report: Mapping[str, Any]) -> None:
    labelled = f"{report['documents']:,} documents labelled with {report['spans']:,} spans"
    answers = f"{report['asked']:,} requests asked, {report['from_store']:,} answers from the store"
    console.print(f"{labelled}, {report['failed_documents']:,} failed; {answers}", soft_wrap=True)
    found = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in report["grounding"].items() if count)
    dropped = sum(report["dropped"].values())
    console.print(f"mentions: {found or 'none'}; dropped in cleaning: {dropped:,}", soft_wrap=True)
    for what, kinds in (("failed", report["failures"]), ("in answers", report["answer_faults"])):
        for kind, count in kinds.items():
            remark = f"  {what}, {kind}: {count:,}, such as: {report['examples'][kind][0]}"
            console.print(remark, style="yellow", markup=False, soft_wrap=True)


def _failure_line(failure: Failure) -> bytes:
    return orjson.dumps(asdict(failure), option=orjson.OPT_APPEND_NEWLINE)


def _cost(asker: Asker) -> str:
    cost = asker.statistics.cost_usd
    return "" if cost is None else f"${cost:.4f}"


if __name__ == "__main__":
    main()
