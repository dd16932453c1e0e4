"""Label a corpus with an LLM: ``python -m kazu_distill.annotate corpus=text corpus.path=abstracts llm=gemini``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from kazu_distill.annotation.annotator import Annotator
from kazu_distill.annotation.failures import FailedChunks
from kazu_distill.annotation.panel import Panel
from kazu_distill.annotation.planning.plan import make_plan
from kazu_distill.annotation.planning.table import print_plan
from kazu_distill.annotation.prompt import Prompt
from kazu_distill.annotation.verification.verifier import Verifier
from kazu_distill.annotation_run import AnnotationRun, say
from kazu_distill.console import console, print_files, print_remarks, write_json
from kazu_distill.errors import ConfigError, CorpusError, require_number
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.budget import Budget
from kazu_distill.llm.store import AnswerStore
from kazu_distill.retrieval.folder import FolderKnowledge
from kazu_distill.retrieval.retrieved import RetrievedExamples
from kazu_distill.schema import Schema
from kazu_distill.stage import stage_main

SOME_FAILED = 3
"""Exit status of a run that came to its end, and in which some documents got no usable answer."""
_VERIFY = "verify"


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
                say("What verify= asks depends on the answers: it comes on top of the plan, and of its cost.")
            return 0
        asked_again = _second_pass(config, store, budget)
        for asker in (*askers.values(), *asked_again.values()):
            print_remarks(asker)
        verifier = _verifier(config, next(iter((asked_again or askers).values())), schema, only)
        panel = Panel(annotators=annotators, votes=instantiate(config.votes), verifier=verifier)
        run = AnnotationRun(
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
    chosen = dict(config.llms) or {_name(config.llm): config.llm}
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


def _name(llm: DictConfig) -> str:
    """What a single LLM is called: its model, or the folder of what was made of it."""
    name = str(llm.get("adapter") or llm.model)
    return Path(name).resolve().name if Path(name).is_dir() else name


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


if __name__ == "__main__":
    main()
