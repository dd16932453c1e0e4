"""What each cleaning rule is worth: the labels of real LLMs against human gold, with and without it, as a table.

    python scripts/bench_cleaning.py DATA [--llm llama2-70b --llm mixtral] > cleaning.md

DATA is the folder that ``scripts/results_bc5cdr.sh`` takes: documents.jsonl and answers/<llm>.jsonl. Grounding,
but for ``--occurrences``, and cleaning are those of ``conf``; scores are strict, over all spans.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bc5cdr_answers import served_answers
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from kazu_distill.annotation.cleaning.cleaner import Cleaner
from kazu_distill.annotation.grounding.grounder import GroundedSpan, Grounder
from kazu_distill.annotation.parsing.answer import parse_answer
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.documents import Document, Span
from kazu_distill.schema import Schema
from kazu_distill.scoring.counts import Counts
from kazu_distill.scoring.metrics import f1, precision, recall
from kazu_distill.scoring.tally import strict_counts
from kazu_distill.stage import shipped_config

LLMS = ("llama2-70b", "mixtral", "llama2-7b")
Grounded = list[tuple[Document, tuple[GroundedSpan, ...]]]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with documents.jsonl and answers/")
    parser.add_argument("--llm", action="append", choices=LLMS, help="whose answers (all three)")
    parser.add_argument("--occurrences", choices=("listed", "all"), default="all")
    arguments = parser.parse_args()
    with initialize_config_dir(str(shipped_config()), version_base="1.3"):
        config = compose("annotate", ["schema=bc5cdr", "corpus.path=none", "llm=local", "llm.model=none"])
    schema: Schema = instantiate(config.schema)
    grounder: Grounder = instantiate(config.grounding, occurrences=arguments.occurrences)
    llms = arguments.llm or LLMS
    grounded = {llm: _grounded(arguments.data, llm, schema, grounder) for llm in llms}
    print(_row("rules", (f"{llm} P / R / F1" for llm in llms)))
    print(_row("---", ("---" for _ in llms)))
    for name, cleaning in variants(config.cleaning):
        cleaner: Cleaner = instantiate(cleaning, schema=schema)
        print(_row(name, (_figures(_scored(grounded[llm], cleaner, schema)) for llm in llms)), flush=True)


def variants(cleaning: DictConfig) -> Iterator[tuple[str, DictConfig]]:
    """Cleaning as it is, without any rule, without each, with each alone, and with other settings."""
    rules = list(cleaning.rules)
    yield "**all, as in conf**", cleaning
    yield "none, nested all", _with(cleaning, rules=[], nested="all")
    for left_out in rules:
        yield f"all but {_name(left_out)}", _with(cleaning, rules=[rule for rule in rules if rule is not left_out])
    yield "all, nested longest", _with(cleaning, nested="longest")
    yield "all, nested all", _with(cleaning, nested="all")
    for alone in rules:
        yield f"only {_name(alone)}, nested all", _with(cleaning, rules=[alone], nested="all")
    yield "only nested longest", _with(cleaning, rules=[], nested="longest")
    kept = [OmegaConf.merge(rule, {"articles": False}) if "articles" in rule else rule for rule in rules]
    yield "all, articles kept", _with(cleaning, rules=kept)


def _with(cleaning: DictConfig, **changes: Any) -> DictConfig:
    return DictConfig({key: changes.get(str(key), value) for key, value in cleaning.items()})


def _name(rule: Mapping[str, object]) -> str:
    return str(rule["_target_"]).rpartition(".")[2]


def _grounded(data: Path, llm: str, schema: Schema, grounder: Grounder) -> Grounded:
    documents = list(Corpus(reader=read_jsonl, path=data / "documents.jsonl"))
    answers = served_answers(data / "documents.jsonl", data / "answers" / f"{llm}.jsonl")
    grounded = []
    for document, answer in zip(documents, answers, strict=True):
        mentions = parse_answer(answer["answer"], schema).mentions
        grounded.append((document, grounder.ground(document.sections[0].text, mentions).spans))
    return grounded


def _scored(grounded: Grounded, cleaner: Cleaner, schema: Schema) -> Counts:
    pairs = []
    for document, spans in grounded:
        kept = cleaner.clean(document.sections[0].text, spans).kept
        found = tuple(Span(span.start, span.end, span.label) for span in kept)
        pairs.append((document, document.with_spans([found])))
    return sum(strict_counts(pairs, schema.labels).values(), start=Counts())


def _figures(counts: Counts) -> str:
    figures: Sequence[float] = [value or 0.0 for value in (precision(counts), recall(counts), f1(counts))]
    return " / ".join(f"{value:.4f}".lstrip("0") for value in figures)


def _row(head: str, cells: Iterable[str]) -> str:
    return f"| {' | '.join((head, *cells))} |"


if __name__ == "__main__":
    main()
