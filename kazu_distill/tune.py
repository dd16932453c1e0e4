"""Tune an open LLM with data that ``instruct`` wrote: ``python -m kazu_distill.tune base_llm.name=MODEL``."""

from __future__ import annotations

import hashlib
import logging
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from kazu_distill.annotation.prompt import Prompt
from kazu_distill.base_llm.settings import BaseLLM, Described
from kazu_distill.base_llm.vocabulary import add, missing
from kazu_distill.console import console, print_files, print_remarks, progress_bar, write_json
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.document_files import document_line
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.instruction.part import TRAIN
from kazu_distill.instruction.reading import AnswerReader
from kazu_distill.models.device import resolve_device
from kazu_distill.models.hub import HubError, check_repository, push_to_hub
from kazu_distill.models.threads import limit_threads
from kazu_distill.schema import Schema
from kazu_distill.scoring.metrics import Metrics, metrics_of
from kazu_distill.scoring.pairs import paired
from kazu_distill.scoring.table import score_table
from kazu_distill.scoring.tally import strict_counts
from kazu_distill.stage import save_config, stage_main
from kazu_distill.tuning.adapter import AdapterSettings
from kazu_distill.tuning.answering import Answering
from kazu_distill.tuning.questions import EVAL, Questions, read_questions
from kazu_distill.tuning.records import read_records, records_file
from kazu_distill.tuning.rows import Rows, row_of, rows_of
from kazu_distill.tuning.saving import merge, save_adapter, save_whole
from kazu_distill.tuning.settings import TuningSettings
from kazu_distill.tuning.trainer import Score
from kazu_distill.tuning.training import Job, Tuned, tune_model

_log = logging.getLogger(__name__)
_LEAST_CEILING = 0.5


@stage_main(config_name="tune")
def main(config: DictConfig) -> None:
    """Run the stage."""
    limit_threads()
    console.quiet = not _is_first_process()
    _check(config)
    out, data = Path(config.out), Path(config.data)
    schema: Schema = instantiate(config.schema)
    adapter: AdapterSettings | None = instantiate(config.adapter)
    settings: TuningSettings = instantiate(config.trainer, _convert_="all")
    base = _base_llm(config)
    described = base.describe()
    questions = _questions(config, schema, data)
    learnt = records_file(data, TRAIN)
    added = _complete_vocabulary(described, learnt, questions)
    rows = rows_of(read_records(learnt), described.form, longest=min(described.context, config.max_tokens or math.inf))
    answers = [row_of(record, described.form) for record in questions.records]
    job = Job(
        described=described,
        added=added,
        adapter=adapter,
        settings=settings,
        rows=rows.kept,
        answering=Answering(described, answers, batch=config.generation_batch),
        rows_key=rows.digest(),
        evaluation_key=_key(questions),
    )
    _print_rows(rows, questions, described, job)
    reader = _reader(config, schema)
    _check_ceiling(questions, [described.form.text(row.answer.tolist()) for row in answers], reader, schema)
    if config.plan:
        return
    with progress_bar(unit="steps") as progress:
        task = progress.add_task("tune", total=None, visible=False)
        tuned = tune_model(
            job,
            score=_scorer(questions, reader, schema, out),
            on_step=lambda step, total: progress.update(task, completed=step, total=total, visible=True),
            on_resume=lambda checkpoint: console.print(f"going on from {checkpoint.name}", markup=False),
            out=out,
        )
        stopped_early = progress.tasks[task].completed < (progress.tasks[task].total or 0)
    if stopped_early:
        console.print("stopped early: mean F1 got no better (trainer.early_stopping)")
    _save(config, job, tuned, out)


def _is_first_process() -> bool:
    """Whether this process is the one, of several that ``torchrun`` starts, that writes and prints."""
    return os.environ.get("RANK", "0") == "0"


def _check(config: DictConfig) -> None:
    for key in ("max_tokens", "eval_documents", "generation_batch"):
        if config[key] is not None or key == "generation_batch":
            require_number(key, config[key], above=0, whole=True)
    for key in ("plan", "merge"):  # Hydra takes "no" for a word, which would count as true
        if not isinstance(config[key], bool):
            raise ConfigError(f"{key}={config[key]}: give true or false")
    if config.base_llm.adapter:
        raise ConfigError(
            "base_llm.adapter: tuning starts from a whole model; give one that was written with merge=true as "
            "base_llm.name, and base_llm.adapter=null"
        )
    if config.adapter is None and config.base_llm.load_in_4bit:
        raise ConfigError("base_llm.load_in_4bit=true: weights of 4 bits can only be tuned beside, with an adapter")
    if config.push_to_hub:
        check_repository(config.push_to_hub)


def _base_llm(config: DictConfig) -> BaseLLM:
    """The model as it is configured; on a CPU that is left to choose, what is learnt is learnt exactly."""
    own = OmegaConf.masked_copy(config.base_llm, [key for key in config.base_llm if key != "tuning"])
    base: BaseLLM = instantiate(own, device=config.device, _convert_="all")
    if base.precision == "auto" and resolve_device(base.device).type == "cpu":
        return replace(base, precision="fp32")
    return base


def _questions(config: DictConfig, schema: Schema, data: Path) -> Questions:
    """What the model is asked at each evaluation."""
    folder = Path(config.corpus.path).expanduser()
    part = folder / f"{EVAL}.jsonl"
    corpus: Corpus = instantiate(config.corpus, labels=schema.labels, path=str(part if part.is_file() else folder))
    questions = read_questions(data, corpus, wanted=config.eval_documents, seed=config.seed)
    print_remarks(corpus)
    unknown = {label for asked in questions.asked for label in asked.names.values()} - set(schema.labels)
    if unknown:
        raise ConfigError(
            f'schema={schema.name}: the records of {data} ask for "{min(unknown)}", which it has not; give the schema '
            "that instruct was run with"
        )
    return questions


def _reader(config: DictConfig, schema: Schema) -> AnswerReader:
    prompt: Prompt = instantiate(config.prompt, schema=schema)
    return AnswerReader(schema=schema, style=prompt.style, grounder=instantiate(config.grounding), source="tuned")


def _complete_vocabulary(described: Described, learnt: Path, questions: Questions) -> list[int]:
    """Add to the tokenizer what it cannot write of texts and answers; returns the tokens that are new."""
    tokenizer = described.form.tokenizer
    before = len(tokenizer)
    texts = [text for each in read_records(learnt) for text in (each.request.user, each.answer)]
    texts += [text for each in questions.records for text in (each.request.user, each.answer)]
    lost = missing(tokenizer, texts)
    if lost:
        add(tokenizer, lost)
        shown = ", ".join(f"{piece!r} ({count:,})" for piece, count in lost.most_common(10))
        _say(f"added to the vocabulary, which could not write them: {len(lost):,} pieces, such as {shown}")
    return list(range(before, len(tokenizer)))


def _print_rows(rows: Rows, questions: Questions, described: Described, job: Job) -> None:
    if rows.too_long:
        _say(
            f"{len(rows.too_long):,} records are longer than {described.settings.name} or max_tokens allows (the longest "
            f"has {max(rows.too_long):,} tokens): left out"
        )
    if not rows.kept:
        raise ConfigError(
            "no record is left to learn: raise max_tokens, choose a model with a longer context, or write shorter records "
            "(python -m kazu_distill.instruct write chunks.tokens=…)"
        )
    console.print(
        f"train: {len(rows.kept):,} records, {rows.tokens:,} tokens, of which {rows.learnt:,} are learnt; eval: "
        f"{len(questions.documents):,} documents, {len(questions.asked):,} questions",
        soft_wrap=True,
    )
    if questions.left_out:
        _say(f"{questions.left_out:,} documents of eval have questions without a record (too long, say): not asked about")


def _check_ceiling(questions: Questions, right: Sequence[str], reader: AnswerReader, schema: Schema) -> None:
    """Read the right answers as the model's will be, to know what can be reached at most."""
    metrics = metrics_of(
        strict_counts(
            paired(questions.documents, [read.document for read in questions.read(reader, right)]), schema.labels
        )
    )
    reached = metrics["mean_f1"]
    if reached is None:
        raise ConfigError("the eval documents have no entity, so that no model could be chosen by them")
    if reached < _LEAST_CEILING:
        raise ConfigError(
            f"the right answers to the eval questions, read back, reach a mean F1 of {100 * reached:.1f} only: give the "
            "schema=, prompt= and corpus.path= that instruct was run with"
        )
    console.print(f"the right answers, read back: mean F1 {100 * reached:.1f}, the most that can be reached")


def _key(questions: Questions) -> str:
    content = hashlib.sha256()
    for document in questions.documents:
        content.update(document_line(document))
    for record in questions.records:
        content.update(repr(record).encode())
    return content.hexdigest()


def _scorer(questions: Questions, reader: AnswerReader, schema: Schema, out: Path) -> Score:
    """What happens at an evaluation: answers into documents, figures into a file."""

    def score(step: int, epoch: float, answers: list[str]) -> Mapping[str, float]:
        read = questions.read(reader, answers)
        metrics = metrics_of(strict_counts(paired(questions.documents, [each.document for each in read]), schema.labels))
        failed = sum(bool(each.failures) for each in read)
        for later in (out / "evaluations").glob("step-*.json"):  # of an earlier run, whose steps were others
            if int(later.stem.removeprefix("step-")) >= step:
                later.unlink()
        write_json(_evaluation(out, step), {"step": step, "epoch": epoch, "unreadable_documents": failed} | metrics)
        figures = {name: value for name, value in metrics.items() if value is not None}
        mean, micro = (figures.setdefault(name, 0.0) for name in ("mean_f1", "micro_f1"))
        unreadable = f", {failed:,} of {len(read):,} documents without a readable answer" if failed else ""
        console.print(
            f"epoch {epoch:.1f}, step {step}: mean F1 {100 * mean:.1f}, micro F1 {100 * micro:.1f}{unreadable}",
            soft_wrap=True,
        )
        return figures

    return score


def _evaluation(out: Path, step: int) -> Path:
    return out / "evaluations" / f"step-{step:06}.json"


def _save(config: DictConfig, job: Job, tuned: Tuned, out: Path) -> None:
    """Write the adapter, the whole model, or both, and put the last of them on the Hub if that is wanted."""
    folders = []
    if job.adapter is None:
        save_whole(tuned, job.described, out / "merged")
        folders.append("merged")
    else:
        save_adapter(tuned, job.described, out / "adapter")
        folders.append("adapter")
    if not _is_first_process():
        return
    if job.adapter is not None and config.merge:
        merge(out / "adapter", job.described.settings, out / "merged")
        folders.append("merged")
    for name in folders:
        save_config(config, out / name / "training.yaml")
    print_files(out, *folders, "metrics.json", "evaluations", "tensorboard")


def _say(line: str) -> None:
    console.print(line, style="yellow", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
