"""Whether doubtful spans are worse than others: the rule of ``verify=doubtful``, on the answers of three real LLMs.

    python scripts/results_verify.py DATA [key=value …]

DATA is that of results_bc5cdr.sh; further arguments are settings of ``annotate``, such as
``verify.doubts.votes_below=0.5``. The LLMs label alone and together, as in "Several opinions" of docs/RESULTS.md, and
each span is compared with the human gold: right is one with the same edges and class. The documents are the 400 that
results_votes.sh does not test on. Nobody is asked: there are no answers of an LLM to the questions of the second pass.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bc5cdr_answers import served_answers
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig

from kazu_distill.annotation.annotator import Annotator
from kazu_distill.annotation.panel import Annotated, Panel
from kazu_distill.annotation.verification.doubts import Reason, closest
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.documents import Document
from kazu_distill.llm.asker import Asker
from kazu_distill.llm.pace import Pace
from kazu_distill.llm.protocol import Answer, FinishReason, Price, Request, Usage
from kazu_distill.llm.store import AnswerStore
from kazu_distill.markdown import table
from kazu_distill.splitting.parts import split_documents
from kazu_distill.stage import shipped_config

LLMS = ("llama2-70b", "llama2-7b", "mixtral")
SPLIT_BY = "mixtral"  # whose labels results_votes.sh deals documents by
Judged = tuple[bool, frozenset[str]]
"""Whether a span is right, and what can be said of it: its reasons to be doubted, and how it was found."""


class Recorded:
    """An LLM whose answers are known by text."""

    price: Price | None = None

    def __init__(self, model: str, answers: Mapping[str, str]) -> None:
        self.identity: Mapping[str, Any] = {"model": model}
        self._answers = answers

    async def ask(self, request: Request) -> Answer:
        """The answer about a document."""
        return Answer(self._answers[request.user], FinishReason.STOP, Usage(), 0.0)

    async def close(self) -> None:
        """There is nothing to close."""


def main() -> None:
    """Label, compare and print."""
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    data = Path(sys.argv[1])
    with initialize_config_dir(str(shipped_config()), version_base="1.3"), tempfile.TemporaryDirectory() as folder:
        config = compose("annotate", ["schema=bc5cdr", "verify=doubtful", *sys.argv[2:]])
        gold = list(Corpus(reader=read_jsonl, path=data / "documents.jsonl"))
        with AnswerStore(Path(folder) / "answers.sqlite") as store:
            askers = {llm: _asker(config, store, llm, data) for llm in LLMS}
            alone = {llm: asyncio.run(_labelled(config, {llm: askers[llm]}, gold)) for llm in LLMS}
            together = asyncio.run(_labelled(config, askers, gold))
    parts = split_documents([each.document for each in alone[SPLIT_BY]], shares={"eval": 50, "test": 100}, seed=42)
    tested = {document.id for document in parts["test"]}
    rows = [
        row
        for name, labelled in {**alone, "all three": together}.items()
        for row in _rows(name, list(_judged(config, labelled, gold, tested)))
    ]
    print(table(("labels", "spans", "number >", "share >", "right >"), rows))


def _asker(config: DictConfig, store: AnswerStore, llm: str, data: Path) -> Asker:
    served = served_answers(data / "documents.jsonl", data / "answers" / f"{llm}.jsonl")
    answers = {record["text"]: record["answer"] for record in served}
    pace = Pace(max_concurrency=1, requests_per_minute=None, tokens_per_minute=None)
    return Asker(llm=Recorded(llm, answers), store=store, retry=instantiate(config.llm.retry), pace=pace)


async def _labelled(config: DictConfig, askers: Mapping[str, Asker], gold: Sequence[Document]) -> list[Annotated]:
    schema = instantiate(config.schema)
    annotators = [
        Annotator(
            voter=name,
            chunker=instantiate(config.chunks),
            prompt=instantiate(config.prompt, schema=schema),
            asker=asker,
            grounder=instantiate(config.grounding),
            cleaner=instantiate(config.cleaning, schema=schema),
        )
        for name, asker in askers.items()
    ]
    panel = Panel(annotators=annotators, votes=instantiate(config.votes))
    return [await panel.annotate(document) for document in gold]


def _judged(
    config: DictConfig, labelled: Sequence[Annotated], gold: Sequence[Document], tested: set[str]
) -> Iterator[Judged]:
    doubts = instantiate(config.verify.doubts)
    confused = doubts.confused(instantiate(config.schema))
    for annotated, wanted in zip(labelled, gold, strict=True):
        if wanted.id in tested:
            continue
        found = [closest(of_section) for of_section in zip(*(each.found for each in annotated.opinions), strict=True)]
        for section, right, statuses in zip(annotated.document.sections, wanted.sections, found, strict=True):
            places = {span.place for span in right.spans}
            reasons = {
                each.span.place: each.reasons for each in doubts.among(section.spans, statuses, confused=confused)
            }
            for span in section.spans:
                said = {*reasons.get(span.place, ()), f"found: {statuses[span.place]}"}
                yield span.place in places, frozenset(said)


def _rows(name: str, judged: Sequence[Judged]) -> Iterator[tuple[str, ...]]:
    parts: dict[bool, list[Judged]] = {True: [], False: []}
    for each in judged:
        parts[not each[1].isdisjoint(Reason)].append(each)
    kinds: dict[str, Sequence[Judged]] = {"all": judged, "**doubtful**": parts[True], "others": parts[False]}
    said = sorted({what for _, each in judged for what in each})
    kinds |= {what: [each for each in judged if what in each[1]] for what in said}
    for what, own in kinds.items():
        if own:
            right = sum(is_right for is_right, _ in own) / len(own)
            share = 100 * len(own) / len(judged)
            yield name, what, f"{len(own):,}", f"{share:.1f} %", f"{right:.3f}".removeprefix("0")


if __name__ == "__main__":
    main()
