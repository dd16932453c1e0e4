"""A pass of annotation over a corpus, from the first document to the report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

from rich.progress import TextColumn

from kazu_distill.agreement import Agreement
from kazu_distill.annotation.failures import FailedChunks
from kazu_distill.annotation.in_order import InOrder
from kazu_distill.annotation.panel import Annotated, Panel
from kazu_distill.annotation.reporting.page import report_page
from kazu_distill.annotation.reporting.report import AnnotationReport
from kazu_distill.console import console, progress_bar, write_json
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.document_files import atomic_writer, document_line
from kazu_distill.errors import KazuDistillError
from kazu_distill.llm.asker import Asker
from kazu_distill.retrieval.folder import FolderKnowledge
from kazu_distill.retrieval.retrieved import RetrievedExamples

_LOOKUPS = 64  # questions that are looked up at once
_FEW = 20  # documents; a share of fewer says little


class AllFailed(KazuDistillError):
    """Not one document got a usable answer."""


class TooManyFailed(KazuDistillError):
    """So many documents fail that something is wrong with more than them."""


class AnnotationRun:
    """One pass over a corpus: documents and failures in the corpus's order, and the report.

    Args:
        panel: the voters.
        askers: their LLMs, by name.
        corpus: what is labelled; ``total``: its documents.
        out: the folder of the results.
        only: ask about what failed in an earlier run alone.
        max_failed_share: the share of documents that may fail before the run is ended.
        lookups: what is looked up for each question, by the name of its figures in the report.
    """

    def __init__(
        self,
        panel: Panel,
        askers: Mapping[str, Asker],
        corpus: Corpus,
        *,
        total: int,
        out: Path,
        only: FailedChunks | None,
        max_failed_share: float,
        lookups: Mapping[str, RetrievedExamples | FolderKnowledge],
    ) -> None:
        self._panel = panel
        self._askers = askers
        self._corpus = corpus
        self._total = total
        self._out = out
        self._only = only
        self._max_failed_share = max_failed_share
        self._lookups = lookups
        self._report = AnnotationReport()
        self._agreement = Agreement()
        self._started = time.monotonic()

    async def annotate(self) -> dict[str, Any]:
        """Label what can be labelled and return the report.

        Raises:
            LLMError: one after which no request was made; the documents whose answers were there are labelled.
            TooManyFailed: the run was ended early.
            AllFailed: no document was labelled; those of an earlier run stay.
        """
        stopped: KazuDistillError | None = None
        finished: set[str] = set()  # of the documents that failed before, if only those are asked about
        path = self._out / "documents.jsonl"
        with atomic_writer(path) as documents:
            with ExitStack() as stack:
                labelled = stack.enter_context(InOrder(documents, folder=self._out))
                failed_file = stack.enter_context(atomic_writer(self._out / "failed.jsonl"))
                failed = stack.enter_context(InOrder(failed_file, folder=self._out))
                progress = stack.enter_context(progress_bar(TextColumn("{task.fields[cost]}")))
                task = progress.add_task("annotate", total=self._total, cost="")
                at_once = 4 * sum(asker.pace.max_concurrency for asker in self._askers.values())
                if self._lookups:  # those that wait for a server's vectors do not hold up the others
                    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_LOOKUPS))
                try:
                    async with aclosing(self._panel.annotate_all(self._corpus, at_once=at_once)) as results:
                        async for number, annotated in results:
                            self._count(annotated)
                            labelled.put(number, document_line(annotated.document) if annotated.is_labelled else b"")
                            failed.put(number, self._failure_lines(annotated, finished))
                            progress.update(task, advance=1, cost=self._cost())
                            self._check_failed_share()
                except TooManyFailed as error:
                    stopped = error
                finally:
                    for asker in self._askers.values():
                        await asker.close()
                stopped = stopped or next((asker.fatal for asker in self._askers.values() if asker.fatal), None)
                labelled.flush()
                failed.flush()
                if self._only is not None and stopped is not None:
                    failed_file.write(self._only.lines_without(finished))
            figures = self._figures(stopped)
            write_json(self._out / "report.json", figures)
            with atomic_writer(self._out / "report.md") as page:
                page.write(report_page(figures).encode())
            _print_outcome(figures, retried=self._only is not None)
            if not self._report.documents:
                raise stopped or self._nothing()
            before = _lines(path)
            if stopped is not None and before > self._report.documents:
                say(f"{path} still has the {before:,} documents of an earlier run; all answers are kept")
                raise stopped
        if stopped is not None:
            say(f"{self._report.documents:,} documents are in {path}; another run goes on from there")
            raise stopped
        return figures

    def _failure_lines(self, annotated: Annotated, finished: set[str]) -> bytes:
        """The document's lines of ``failed.jsonl``; one that could not be asked about again keeps those that it had."""
        if self._only is not None and self._only.has_document(annotated.document.id):
            finished.add(annotated.document.id)
            if annotated.is_left:
                return self._only.lines_of(annotated.document.id)
        return b"".join(failure.line() for failure in annotated.failures)

    def _count(self, annotated: Annotated) -> None:
        self._report.add(annotated)
        if len(annotated.opinions) > 1:
            self._agreement.add({opinion.voter: opinion.sections for opinion in annotated.opinions if opinion.is_whole})

    def _check_failed_share(self) -> None:
        failed, done = self._report.failed, self._report.failed + self._report.documents
        if all(asker.is_offline for asker in self._askers.values()):
            return  # nothing is being paid for
        if done >= _FEW and failed > self._max_failed_share * done:
            worst = next(iter(self._report.as_mapping()["failures"]))
            raise TooManyFailed(
                f"{failed:,} of the first {done:,} documents failed (max_failed_share={self._max_failed_share:g}), "
                f"most often so: {worst}; {self._out / 'failed.jsonl'} says more"
            )

    def _nothing(self) -> AllFailed:
        if self._report.left and not self._report.failed:
            return AllFailed("no document could be labelled: budget_usd does not pay for the first request")
        return AllFailed(f"no document could be labelled: {self._out / 'failed.jsonl'} says why, document by document")

    def _figures(self, stopped: KazuDistillError | None) -> dict[str, Any]:
        seconds = time.monotonic() - self._started
        voters = {name: _voter(asker) for name, asker in self._askers.items()}
        return self._report.as_mapping() | {
            "voters": voters,
            "agreement": self._agreement.as_records(),
            "cost_usd": self._cost_usd,
            "seconds": round(seconds, 3),
            "documents_per_second": round(self._report.documents / seconds, 2),
            "skipped_records": self._corpus.skipped,
            **{name: lookup.figures() for name, lookup in self._lookups.items()},
            "stopped": None if stopped is None else str(stopped),
        }

    @property
    def _cost_usd(self) -> float | None:
        """What all LLMs have cost; None where that of one is not known."""
        known = [cost for asker in self._askers.values() if (cost := asker.statistics.cost_usd) is not None]
        return sum(known) if len(known) == len(self._askers) else None

    def _cost(self) -> str:
        return "" if self._cost_usd is None else f"${self._cost_usd:.4f}"


def _voter(asker: Asker) -> dict[str, Any]:
    return {key: asker.identity.get(key) for key in ("provider", "model")} | asker.statistics.as_mapping()


def _lines(path: Path) -> int:
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)


def say(remark: str) -> None:
    """Print what a user should know of."""
    console.print(remark, style="yellow", markup=False, soft_wrap=True)


def _print_outcome(report: Mapping[str, Any], *, retried: bool) -> None:
    voters = report["voters"].values()
    labelled = f"{report['documents']:,} documents labelled with {report['spans']:,} spans"
    asked, stored = (sum(voter[key] for voter in voters) for key in ("asked", "from_store"))
    answers = f"{asked:,} requests asked, {stored:,} answers from the store"
    console.print(f"{labelled}, {report['failed_documents']:,} failed; {answers}", soft_wrap=True)
    found = ", ".join(f"{count:,} {status.replace('_', ' ')}" for status, count in report["grounding"].items() if count)
    dropped = sum(report["dropped"].values())
    console.print(f"mentions: {found or 'none'}; dropped in cleaning: {dropped:,}", soft_wrap=True)
    remarks = [
        *_remarks("failed", report["failures"], report),
        *_remarks("in answers", report["answer_faults"], report),
    ]
    if report["left_documents"]:
        cost = "" if report["cost_usd"] is None else f" after ${report['cost_usd']:.4f}"
        left = f"{report['left_documents']:,} documents are left, not asked{cost}"
        remarks.append(f"{left}: run again{' without retry_failed' if retried else ''} to go on with them")
    for remark in remarks:
        say(remark)


def _remarks(what: str, kinds: Mapping[str, int], report: Mapping[str, Any]) -> Iterable[str]:
    for kind, count in kinds.items():
        yield f"  {what}, {kind}: {count:,}, such as: {report['examples'][kind][0]}"
