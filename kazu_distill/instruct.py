"""Data to tune an LLM with, and what a tuned one answers: ``python -m kazu_distill.instruct write|read``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.progress import Progress

from kazu_distill.annotation.prompt import Prompt
from kazu_distill.annotation.styles.class_lists import FORMS
from kazu_distill.console import console, print_files, print_remarks, progress_bar, write_json
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.document_files import atomic_writer, document_line
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, CorpusError, require_number
from kazu_distill.instruction.counting import PartCounts, RecordLength, token_counter, tuning_cost
from kazu_distill.instruction.examples import OutsideExamples
from kazu_distill.instruction.formats import FORMATS, dataset_info
from kazu_distill.instruction.making import RecordMaker
from kazu_distill.instruction.negatives import spans_by_class
from kazu_distill.instruction.part import TRAIN, PartMaker, measured_on
from kazu_distill.instruction.predictions import read_predictions
from kazu_distill.instruction.reading import AnswerReader, read_asked
from kazu_distill.instruction.report import ReadReport, errors_table
from kazu_distill.instruction.table import cost_sentence, counts_table, remarks
from kazu_distill.instruction.writing import ASKED, RecordFiles
from kazu_distill.retrieval.folder import FolderKnowledge
from kazu_distill.retrieval.retrieved import RetrievedExamples
from kazu_distill.schema import Schema
from kazu_distill.splitting.parts import split_documents
from kazu_distill.stage import stage_main

SOME_FAILED = 3
"""Exit status of ``read`` where some documents have no usable answer."""
_ACTIONS = ("write", "read")
_PARTS = (TRAIN, "eval", "test")
_FILES = ("jsonl", "datasets")


@stage_main(config_name="instruct", actions=_ACTIONS)
def main(config: DictConfig) -> int:
    """Run the stage; returns the exit status."""
    if config.action not in _ACTIONS:
        raise ConfigError(f"action={config.action}: python -m kazu_distill.instruct {'|'.join(_ACTIONS)} [key=value …]")
    schema: Schema = instantiate(config.schema)
    if config.action == "read":
        return _read(config, schema)
    _check(config)
    _write(config, schema)
    return 0


def _write(config: DictConfig, schema: Schema) -> None:
    """Records of every part; they are counted before their files take their names."""
    out = Path(config.out)
    parts = _parts(config, schema)
    examples = _examples(config, schema, parts)
    measured = measured_on(parts)
    outside = None if examples is None else OutsideExamples(examples, not_from=measured)
    maker = _maker(config, schema, parts, outside)
    length = RecordLength(token_counter(config.tokenizer))
    with ExitStack() as stack:
        lines = out
        if config.files == "datasets" and not config.plan:
            lines = Path(stack.enter_context(TemporaryDirectory(dir=out)))
        files = RecordFiles(out, lines=lines, formats=config.formats, full=config.form == "full")
        with files.opened(), progress_bar() as progress:
            part_maker = PartMaker(
                maker=maker,
                chunker=instantiate(config.chunks),
                length=length,
                max_tokens=config.max_tokens,
                files=None if config.plan else files,
                measured=measured,
            )
            counts = {
                part: part_maker.make(part, _watched(documents, part, progress)) for part, documents in parts.items()
            }
            progress.stop()
            for documents in parts.values():
                _print_remarks(documents)
            _check_counts(counts, config)
            figures = _print(counts, config)
            if examples is not None:
                figures["shown_examples"] = examples.figures()
        if config.plan:
            return
        if config.files == "datasets":
            from kazu_distill.instruction.dataset_folders import write_datasets  # takes a second

            write_datasets(out, lines, formats=config.formats, parts=list(parts))
    if config.files == "jsonl":
        write_json(out / "dataset_info.json", dataset_info(config.formats, parts))
    write_json(out / "report.json", figures)
    print_files(
        out,
        *(f"datasets/{name}" if config.files == "datasets" else name for name in config.formats),
        ASKED,
        "report.json",
    )


def _maker(
    config: DictConfig, schema: Schema, parts: Mapping[str, Iterable[Document]], examples: OutsideExamples | None
) -> RecordMaker:
    counts: Mapping[str, int] = {}
    if config.prompt.class_by_class and config.negatives.by == "frequency" and TRAIN in parts:
        counts = spans_by_class(parts[TRAIN])
    knowledge: FolderKnowledge | None = None
    if config.knowledge is not None:
        knowledge = instantiate(config.knowledge, not_from=_not_from(config.knowledge, parts))
        knowledge.prepare()
        print_remarks(knowledge)
    return RecordMaker(
        schema=schema,
        make_prompt=instantiate(config.prompt, _partial_=True, knowledge=knowledge),
        class_by_class=config.prompt.class_by_class,
        chunker=instantiate(config.chunks),
        grounder=instantiate(config.grounding),
        examples=examples,
        negatives=instantiate(config.negatives, counts=counts),
        noise=instantiate(config.noise),
        seed=config.seed,
    )


def _examples(config: DictConfig, schema: Schema, parts: Mapping[str, Iterable[Document]]) -> RetrievedExamples | None:
    """Who chooses examples, if any are to be shown: never out of a part that is measured on."""
    if config.examples is None:
        return None
    not_from = _not_from(config.examples, parts)
    chosen: RetrievedExamples = instantiate(config.examples, schema=schema, not_from=not_from)
    prompt: Prompt = instantiate(config.prompt, schema=schema)
    chosen.prepare(prompt.answers)
    print_remarks(chosen)
    return chosen


def _not_from(lookup: DictConfig, parts: Mapping[str, Iterable[Document]]) -> list[str]:
    """The files of documents that must not be shown: those that are configured, and those that are measured on."""
    measured = [documents for part, documents in parts.items() if part != TRAIN]
    files = [str(each.path) for each in measured if isinstance(each, Corpus) and each.path.suffix == ".jsonl"]
    return list(dict.fromkeys([*lookup.not_from, *files]))


def _parts(config: DictConfig, schema: Schema) -> dict[str, Iterable[Document]]:
    """The documents by part: as named, as the files of a split, as a split that is asked for, or all as one part."""
    shares = {part: share for part, share in config.split.items() if share}
    folder = Path(config.corpus.path).expanduser()
    if config.parts:
        paths = {str(part): str(path) for part, path in config.parts.items()}
    else:
        files = {part: folder / f"{part}.jsonl" for part in _PARTS}
        paths = {part: str(file) for part, file in files.items() if file.is_file()}
        paths = paths or {folder.stem if folder.stem in _PARTS else TRAIN: str(folder)}
    for part in paths:
        if not part.isidentifier():
            raise ConfigError(f"parts: {part!r} is to name files; use letters, digits and underscores")
    corpora = {part: instantiate(config.corpus, labels=schema.labels, path=path) for part, path in paths.items()}
    if not shares:
        return corpora
    if len(corpora) > 1:
        raise ConfigError(f"split: the documents are in parts already ({', '.join(corpora)}); leave split away")
    documents = list(next(iter(corpora.values())))
    return dict(split_documents(documents, shares=shares, seed=config.seed))


def _watched(documents: Iterable[Document], part: str, progress: Progress) -> Iterator[Document]:
    task = progress.add_task(part, total=None)
    for number, document in enumerate(documents, start=1):
        yield document
        progress.update(task, completed=number, total=None)


def _check(config: DictConfig) -> None:
    for key in ("max_tokens", "epochs", "price_per_million"):
        if config[key] is not None:
            require_number(key, config[key], above=0, whole=key == "max_tokens")
    if not isinstance(config.plan, bool):  # Hydra takes "no" for a word, which would count as true
        raise ConfigError(f"plan={config.plan}: give true or false")
    unknown = [name for name in config.formats if name not in FORMATS]
    if unknown or not config.formats:
        raise ConfigError(f"formats={list(config.formats)}: choose among {', '.join(FORMATS)}")
    for key, choices in (("files", _FILES), ("form", FORMS)):
        if config[key] not in choices:
            raise ConfigError(f"{key}={config[key]}: choose one of {', '.join(choices)}")


def _check_counts(counts: Mapping[str, PartCounts], config: DictConfig) -> None:
    path = config.corpus.path
    for part, own in counts.items():
        if not own.documents:
            raise CorpusError(f"{path}: the part {part} has no documents")
    if not any(own.spans for own in counts.values()):
        raise ConfigError(
            f"{path}: no document has a span, so that the answer would always be none; give labelled ones"
        )
    if not any(own.records for own in counts.values()):
        reasons = remarks(counts)
        raise ConfigError("; ".join(["there is no record", *reasons]))


def _print(counts: Mapping[str, PartCounts], config: DictConfig) -> dict[str, Any]:
    """Say what the records are and what they cost; returns it as JSON values."""
    console.print(counts_table(counts))
    figures: dict[str, Any] = {"parts": {part: own.as_json() for part, own in counts.items()}}
    if TRAIN in counts:
        cost = tuning_cost(counts[TRAIN].tokens, epochs=config.epochs, price_per_million=config.price_per_million)
        sentence = cost_sentence(counts[TRAIN], epochs=config.epochs, cost=cost, exact=bool(config.tokenizer))
        console.print(sentence, markup=False, soft_wrap=True)
        figures |= {"epochs": config.epochs, "tuning_cost_usd": cost}
    for remark in remarks(counts):
        _say(remark)
    return figures


def _read(config: DictConfig, schema: Schema) -> int:
    """Documents out of a tuned LLM's answers, and what is wrong with them."""
    if not config.predictions:
        raise ConfigError("predictions is not set: give the file with the LLM's answers, predictions=FILE")
    parts = _parts(config, schema)
    if config.part not in parts:
        raise ConfigError(f"part={config.part}: the documents have {', '.join(parts)}; choose one of them")
    out = Path(config.out)
    prompt: Prompt = instantiate(config.prompt, schema=schema)
    reader = AnswerReader(
        schema=schema, style=prompt.style, grounder=instantiate(config.grounding), source=config.source
    )
    predictions = read_predictions(Path(config.predictions))
    asked = read_asked(out / ASKED / f"{config.part}.jsonl")
    report = ReadReport()
    with atomic_writer(out / "documents.jsonl") as documents, atomic_writer(out / "failed.jsonl") as failed:
        for read in reader.read(parts[config.part], asked, predictions):
            report.add(read)
            if read.failures:
                failed.writelines(failure.line() for failure in read.failures)
            else:
                documents.write(document_line(read.document))
    _print_remarks(parts[config.part])
    write_json(out / "read.json", report.as_json())
    console.print(f"{report.documents:,} documents read with {report.spans:,} spans, {report.failed:,} failed")
    console.print(errors_table(report))
    for what, kinds in (("failed", report.failures()), ("in answers", report.faults())):
        for kind, count in kinds.items():
            _say(f"  {what}, {kind}: {count:,}")
    if report.not_asked:
        _say(f"{report.not_asked:,} documents have no record in {ASKED}/{config.part}.jsonl, and so no span here")
    if report.other_targets:
        _say(
            f"{report.other_targets:,} predictions have another target than the documents have labels; errors are "
            "counted by the documents"
        )
    print_files(out, "documents.jsonl", "failed.jsonl", "read.json")
    return SOME_FAILED if report.failed else 0


def _print_remarks(documents: Iterable[Document]) -> None:
    if isinstance(documents, Corpus):
        print_remarks(documents)


def _say(line: str) -> None:
    console.print(line, style="yellow", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
