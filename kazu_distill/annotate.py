"""Label a corpus with an LLM: ``python -m kazu_distill.annotate corpus=text corpus.path=abstracts llm=gemini``."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, aclosing
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from rich.progress import TextColumn

from kazu_distill.agreement import Agreement
from kazu_distill.annotation.annotator import Annotator
from kazu_distill.annotation.failures import FailedChunks
from kazu_distill.annotation.in_order import InOrder
from kazu_distill.annotation.panel import Annotated, Panel
from kazu_distill.annotation.planning.plan import make_plan
from kazu_distill.annotation.planning.table import print_plan
from kazu_distill.annotation.prompt import Prompt
from kazu_distill.annotation.reporting.page import report_page
from kazu_distill.annotation.reporting.report import AnnotationReport
from kazu_distill.annotation.verification.verifier import Verifier
from kazu_distill.console import console, print_files, print_remarks, progress_bar, write_json
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.document_files import atomic_writer, document_line
from kazu_distill.errors import ConfigError, CorpusError, KazuDistillError, require_number
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.budget import Budget
from kazu_distill.llm.store import AnswerStore
from kazu_distill.retrieval.folder import FolderKnowledge
from kazu_distill.retrieval.retrieved import RetrievedExamples
from kazu_distill.schema import Schema
from kazu_distill.stage import stage_main

SOME_FAILED = 3
"""Exit status of a run that came to its end, and in which some documents got no usable answer."""
_LOOKUPS = 64  # questions that are looked up at once
_VERIFY = "verify"
_FEW = 20  # documents; a share of fewer says little


class AllFailed(KazuDistillError):
    """Not one document got a usable answer."""


class TooManyFailed(KazuDistillError):
    """So many documents fail that something is wrong with more than them."""


@stage_main(config_name="annotate")
def main(config: DictConfig) -> int:
    """Run the stage; returns the exit status."""
    out = Path(config.out)
    _check(config)
    schema = instantiate(config.schema)
    corpus = instantiate(config.corpus)
    # Reading it all once finds a broken record before anything has been paid for.
    total = sum(1 for _ in corpus)
    print_remarks(corpus)
    if not total:
        raise CorpusError(f"{corpus.path} has no documents")
    only = FailedChunks.read(out / "failed.jsonl") if config.retry_failed else None
    examples = instantiate(config.examples, schema=schema)
    knowledge = instantiate(config.knowledge)
    prompt = instantiate(config.prompt, schema=schema, examples=examples, knowledge=knowledge)
    lookups = _prepare(prompt, examples, knowledge)
    chunker = instantiate(config.chunks)
    with AnswerStore(config.store.path) as store:
        if config.store.import_from:
            store.import_jsonl(Path(config.store.import_from))
        budget = Budget(config.budget_usd)
        askers = _askers(config, store, budget)
        annotators = [
            Annotator(
                voter=voter,
                chunker=chunker,
                prompt=prompt,
                asker=asker,
                sample=sample,
                grounder=instantiate(config.grounding),
                cleaner=instantiate(config.cleaning, schema=schema),
                only=only,
            )
            for voter, asker, sample in _voters(askers)
        ]
        if config.plan:
            limits = {name: asker.pace.allowance for name, asker in askers.items()}
            plan = make_plan(corpus, askers=askers, prompt=prompt, chunker=chunker, seed=config.seed, limits=limits)
            print_plan(plan, console)
            write_json(out / "plan.json", plan.as_mapping())
            print_files(out, "plan.json")
            if config.verify is not None:
                _say("What verify= asks depends on the answers: it comes on top of the plan, and of its cost.")
            return 0
        asked_again = _second_pass(config, store, budget)
        verifier = _verifier(config, next(iter((asked_again or askers).values())), schema, only)
        panel = Panel(annotators=annotators, votes=instantiate(config.votes), verifier=verifier)
        run = _Run(
            panel,
            askers | asked_again,
            corpus,
            total=total,
            out=out,
            only=only,
            max_failed_share=config.max_failed_share,
            lookups=lookups,
        )
        report = asyncio.run(run.annotate())
    print_files(out, "documents.jsonl", "failed.jsonl", "report.md", "report.json")
    return SOME_FAILED if report["failed_documents"] else 0


def _prepare(
    prompt: Prompt, examples: RetrievedExamples | None, knowledge: FolderKnowledge | None
) -> dict[str, RetrievedExamples | FolderKnowledge]:
    """Read and index what is looked up for each question, before anything is paid for; by its name in the report."""
    lookups: dict[str, RetrievedExamples | FolderKnowledge] = {}
    if examples is not None:
        examples.prepare(prompt.answers)
        lookups["shown_examples"] = examples
    if knowledge is not None:
        knowledge.prepare()
        lookups["shown_passages"] = knowledge
    for lookup in lookups.values():
        print_remarks(lookup)
    return lookups


def _check(config: DictConfig) -> None:
    require_number("max_failed_share", config.max_failed_share, above=0)
    if config.max_failed_share > 1:
        raise ConfigError(f"max_failed_share={config.max_failed_share}: 1 is all of them")
    for key in ("plan", "retry_failed"):
        if not isinstance(config[key], bool):  # Hydra takes "no" for a word, which would count as true
            raise ConfigError(f"{key}={config[key]}: give true or false")


def _askers(config: DictConfig, store: AnswerStore, budget: Budget) -> dict[str, Asker]:
    """The LLMs that label, by name: those of ``llms``, or the one of ``llm``."""
    chosen = dict(config.llms) or {str(config.llm.model): config.llm}
    askers: dict[str, Asker] = {}
    for name, llm in chosen.items():
        asker = instantiate(llm, store=store, budget=budget, offline=llm.offline or config.plan)
        twin = next((other for other in askers if askers[other].identity == asker.identity), None)
        if twin is not None:
            raise ConfigError(
                f"llms.{name} and llms.{twin} have the same provider, model and settings, so that one would get the "
                f"other's stored answers: give one of them a name of its own, such as llms.{name}.provider={name}"
            )
        askers[name] = asker
    return askers


def _second_pass(config: DictConfig, store: AnswerStore, budget: Budget) -> dict[str, Asker]:
    """The LLM that is asked about doubtful spans, by its name in the report, if it is none of those that label."""
    if config.verify is None or config.verify.llm is None:
        return {}
    if _VERIFY in config.llms:
        raise ConfigError(f"llms.{_VERIFY}: this is the name of verify.llm in the report, give another one")
    llm = config.verify.llm
    return {_VERIFY: instantiate(llm, store=store, budget=budget, offline=llm.offline)}


def _verifier(config: DictConfig, asker: Asker, schema: Schema, only: FailedChunks | None) -> Verifier | None:
    if config.verify is None:
        return None
    settings = OmegaConf.masked_copy(config.verify, [str(key) for key in config.verify if key != "llm"])
    verifier: Verifier = instantiate(settings)(asker=asker, schema=schema, only=only)
    return verifier


def _voters(askers: Mapping[str, Asker]) -> Iterator[tuple[str, Asker, int]]:
    """A voter's name, LLM and sample: each sample of an LLM is a voter of its own."""
    for name, asker in askers.items():
        for sample in range(asker.samples):
            yield (name if asker.samples == 1 else f"{name}#{sample + 1}"), asker, sample


class _Run:
    """One pass over a corpus: documents and failures in the corpus's order, and the report."""

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
                _say(f"{path} still has the {before:,} documents of an earlier run; all answers are kept")
                raise stopped
        if stopped is not None:
            _say(f"{self._report.documents:,} documents are in {path}; another run goes on from there")
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
        voters = {name: asker.statistics.as_mapping() for name, asker in self._askers.items()}
        costs = [voter["cost_usd"] for voter in voters.values()]
        return self._report.as_mapping() | {
            "voters": voters,
            "agreement": self._agreement.as_records(),
            "cost_usd": None if None in costs else sum(costs),
            "seconds": round(seconds, 3),
            "documents_per_second": round(self._report.documents / seconds, 2),
            "skipped_records": self._corpus.skipped,
            **{name: lookup.figures() for name, lookup in self._lookups.items()},
            "stopped": None if stopped is None else str(stopped),
        }

    def _cost(self) -> str:
        costs = [asker.statistics.cost_usd for asker in self._askers.values()]
        known = [cost for cost in costs if cost is not None]
        return f"${sum(known):.4f}" if known and len(known) == len(costs) else ""


def _lines(path: Path) -> int:
    if not path.is_file():
        return 0
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _say(remark: str) -> None:
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
        _say(remark)


def _remarks(what: str, kinds: Mapping[str, int], report: Mapping[str, Any]) -> Iterable[str]:
    for kind, count in kinds.items():
        yield f"  {what}, {kind}: {count:,}, such as: {report['examples'][kind][0]}"


if __name__ == "__main__":
    main()
