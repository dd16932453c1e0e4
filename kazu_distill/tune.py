"""Tune an open LLM with data that ``instruct`` wrote: ``python -m kazu_distill.tune base_llm.name=MODEL``."""

from __future__ import annotations

import json
import logging
import math
import os
from collections.abc import Mapping
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from kazu_distill.annotation.prompt import Prompt
from kazu_distill.base_llm.room import room_of
from kazu_distill.base_llm.settings import BaseLLM, Described
from kazu_distill.base_llm.vocabulary import add, missing
from kazu_distill.console import console, print_files, print_remarks, progress_bar, write_json
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.instruction.part import TRAIN
from kazu_distill.instruction.reading import AnswerReader
from kazu_distill.models.device import resolve_device
from kazu_distill.models.hub import check_repository, push_or_warn
from kazu_distill.models.threads import limit_threads
from kazu_distill.schema import Schema
from kazu_distill.scoring.metrics import Metrics
from kazu_distill.scoring.table import score_table
from kazu_distill.stage import save_config, stage_main
from kazu_distill.training_run import evaluation_file, is_first_process, keep_evaluation
from kazu_distill.tuning.adapter import AdapterSettings
from kazu_distill.tuning.answering import Answering
from kazu_distill.tuning.card import CardFacts, model_card
from kazu_distill.tuning.forecast import forecast
from kazu_distill.tuning.judging import UNREADABLE, Judge
from kazu_distill.tuning.questions import EVAL, Questions, read_questions
from kazu_distill.tuning.records import read_records, records_file
from kazu_distill.tuning.rows import Rows, row_of, rows_of
from kazu_distill.tuning.saving import merge, save_adapter, save_whole
from kazu_distill.tuning.settings import TuningSettings
from kazu_distill.tuning.trainer import Score
from kazu_distill.tuning.training import Job, Tuned, tune_model

_log = logging.getLogger(__name__)


@stage_main(config_name="tune")
def main(config: DictConfig) -> None:
    """Run the stage."""
    limit_threads()
    console.quiet = not is_first_process()
    _check(config)
    out, data = Path(config.out), Path(config.data)
    schema: Schema = instantiate(config.schema)
    adapter: AdapterSettings | None = instantiate(config.adapter)
    settings: TuningSettings = instantiate(config.trainer, _convert_="all")
    described = _base_llm(config).describe()
    learnt, questions = records_file(data, TRAIN), _questions(config, schema, data)
    judge = Judge(questions, reader=_reader(config, schema), labels=schema.labels)
    added = _complete_vocabulary(described, learnt, questions)
    rows = rows_of(read_records(learnt), described.form, longest=min(described.context, config.max_tokens or math.inf))
    _print_rows(rows, questions, described)
    right = [row_of(record, described.form) for record in questions.records]
    answering = Answering(described, right, batch_tokens=config.generation_tokens)
    ceiling = judge.ceiling([described.form.text(row.answer.tolist()) for row in right])
    console.print(f"the right answers, read back: mean F1 {100 * ceiling:.1f}, the most that can be reached")
    job = Job(
        described=described,
        added=added,
        adapter=adapter,
        settings=settings,
        rows=rows.kept,
        answering=answering,
        data_key=rows.digest() + judge.key(),
    )
    _print_forecast(job, config)
    if config.plan:
        return
    with progress_bar(unit="steps") as progress:
        task = progress.add_task("tune", total=None, visible=False)
        tuned = tune_model(
            job,
            score=_scorer(judge, out),
            on_step=lambda step, total: progress.update(task, completed=step, total=total, visible=True),
            on_resume=lambda checkpoint: console.print(f"going on from {checkpoint.name}", markup=False),
            out=out,
        )
        stopped_early = progress.tasks[task].completed < (progress.tasks[task].total or 0)
    if stopped_early:
        console.print("stopped early: mean F1 got no better (trainer.early_stopping)")
    metrics = json.loads(evaluation_file(out, tuned.best_step).read_text(encoding="utf-8"))
    facts = _facts(config, job, questions, rows, metrics, ceiling, schema)
    folders = _save(config, job, tuned, facts, out)
    if not is_first_process():
        return
    write_json(out / "metrics.json", metrics)
    console.print(score_table(metrics, schema.labels, title=f"eval, best model (step {tuned.best_step})"))
    if not metrics["mean_f1"]:
        _log.warning("the model finds no entity rightly: tune longer, or raise base_llm.tuning.learning_rate")
    print_files(out, *folders, "metrics.json", "evaluations", "tensorboard")
    if config.push_to_hub and (address := push_or_warn(out / folders[-1], config.push_to_hub)):
        console.print(f"Hub: {address}", markup=False, soft_wrap=True)


def _check(config: DictConfig) -> None:
    for key in ("max_tokens", "eval_documents", "generation_tokens"):
        if config[key] is not None or key == "generation_tokens":
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
        raise ConfigError("base_llm.load_in_4bit=true: beside weights of 4 bits an adapter can be tuned, not they")
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
    return questions


def _reader(config: DictConfig, schema: Schema) -> AnswerReader:
    prompt: Prompt = instantiate(config.prompt, schema=schema)
    return AnswerReader(schema=schema, style=prompt.style, grounder=instantiate(config.grounding), source="tuned")


def _complete_vocabulary(described: Described, learnt: Path, questions: Questions) -> list[int]:
    """Add to the tokenizer what it cannot write of texts and answers; returns the tokens that are new."""
    tokenizer = described.form.tokenizer
    before = len(tokenizer)
    records = [*read_records(learnt), *questions.records]
    lost = missing(tokenizer, [text for each in records for text in (each.request.user, each.answer)])
    if lost:
        add(tokenizer, lost)
        shown = ", ".join(f"{piece!r} ({count:,})" for piece, count in lost.most_common(10))
        _say(f"added to the vocabulary, which could not write them: {len(tokenizer) - before:,} pieces, for {shown}")
    return list(range(before, len(tokenizer)))


def _print_rows(rows: Rows, questions: Questions, described: Described) -> None:
    """Say what is learnt and asked.

    Raises:
        ConfigError: nothing is.
    """
    if rows.too_long:
        _say(
            f"{len(rows.too_long):,} records are longer than {described.settings.name} or max_tokens allows (the "
            f"longest has {max(rows.too_long):,} tokens): left out"
        )
    if not rows.kept:
        raise ConfigError(
            f"no record is left to learn (the shortest has {min(rows.too_long, default=0):,} tokens): raise "
            "max_tokens, choose a model with a longer context, or write shorter records (instruct write "
            "chunks.tokens=…)"
        )
    console.print(
        f"train: {len(rows.kept):,} records, {rows.tokens:,} tokens, of which {rows.learnt:,} are learnt; eval: "
        f"{len(questions.documents):,} documents, {len(questions.asked):,} questions",
        soft_wrap=True,
    )
    if questions.left_out:
        _say(f"{questions.left_out:,} documents of eval have a question without a record: they are not asked about")


def _print_forecast(job: Job, config: DictConfig) -> None:
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    foreseen = forecast(job, seed=config.trainer.arguments.seed, processes=processes)
    what = "all weights" if job.adapter is None else f"{job.adapter.kind} of rank {job.adapter.rank}"
    console.print(
        f"{what}: {foreseen.trained / 1e6:,.1f} million numbers are learnt; {foreseen.micro_batches:,} micro-batches "
        f"({100 * foreseen.filled:.0f} % filled), {foreseen.steps:,} steps an epoch",
        soft_wrap=True,
    )
    room = room_of(job.described.device)
    console.print(foreseen.memory.sentence(room), soft_wrap=True, markup=False)
    remark = foreseen.memory.remark(room)
    if remark:
        _say(remark)


def _scorer(judge: Judge, out: Path) -> Score:
    """What happens at an evaluation: answers into figures, these into a file."""

    def score(step: int, epoch: float, answers: list[str]) -> Mapping[str, float]:
        metrics = judge.figures(answers)
        lost = f", {metrics[UNREADABLE]:,} documents without a readable answer" if metrics[UNREADABLE] else ""
        return keep_evaluation(out, step, epoch, metrics, remark=lost)

    return score


def _facts(
    config: DictConfig, job: Job, questions: Questions, rows: Rows, metrics: Metrics, ceiling: float, schema: Schema
) -> CardFacts:
    return CardFacts(
        title=config.push_to_hub or f"An LLM tuned for {schema.name}",
        base=job.described.settings.name,
        adapter=job.adapter,
        added=len(job.added),
        records=len(rows.kept),
        learnt_tokens=rows.learnt,
        documents=questions.documents,
        metrics=metrics,
        ceiling=ceiling,
        schema=schema,
        versions={name: version(name) for name in ("kazu-distill", "transformers", "torch")},
    )


def _save(config: DictConfig, job: Job, tuned: Tuned, facts: CardFacts, out: Path) -> list[str]:
    """Write the adapter, the whole model, or one after the other; returns their folders' names."""
    folders = ["merged" if job.adapter is None else "adapter"]
    if job.adapter is None:
        save_whole(tuned, job.described, out / "merged")
    else:
        save_adapter(tuned, job.described, out / "adapter")
    if job.adapter is not None and config.merge:
        folders.append("merged")
        if is_first_process():
            merge(out / "adapter", job.described, out / "merged")
    for name in folders if is_first_process() else ():
        save_config(config, out / name / "training.yaml")
        write_json(out / name / "metrics.json", facts.metrics)
        card = model_card(facts, is_whole=name == "merged")
        (out / name / "README.md").write_text(card, encoding="utf-8")
    return folders


def _say(line: str) -> None:
    console.print(line, style="yellow", markup=False, soft_wrap=True)


if __name__ == "__main__":
    main()
