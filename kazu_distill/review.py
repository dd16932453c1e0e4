"""Review in Label Studio: ``python -m kazu_distill.review push|pull|status``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich.markup import escape
from rich.table import Table

from kazu_distill.agreement import Agreement
from kazu_distill.console import console, print_files, print_remarks, progress_bar, write_json
from kazu_distill.document_files import write_documents
from kazu_distill.documents import Document
from kazu_distill.errors import ConfigError, require_number
from kazu_distill.label_studio.annotations import TaskRead, read_task
from kazu_distill.label_studio.contents import versions
from kazu_distill.label_studio.outbox import send_outbox, title_of, waiting
from kazu_distill.label_studio.policy import policy_of
from kazu_distill.label_studio.project import FoundProject, LabelStudioProject, Pushed
from kazu_distill.label_studio.pulled import PulledTasks, pulled_tasks
from kazu_distill.label_studio.pulling import pull
from kazu_distill.label_studio.reviewed import ReviewCounts, gold_documents
from kazu_distill.label_studio.usefulness import (
    Worth,
    by_disagreement,
    by_rare_classes,
    by_suspects,
    by_uncertainty,
    ranked,
)
from kazu_distill.schema import Schema
from kazu_distill.stage import stage_main

_ACTIONS = ("push", "pull", "status")
_ORDERS = ("given", "uncertainty", "disagreement", "rare", "suspects")


@stage_main(config_name="review", actions=_ACTIONS)
def main(config: DictConfig) -> None:
    """Run the stage."""
    if config.action not in _ACTIONS:
        raise ConfigError(f"what is to be done? python -m kazu_distill.review {'|'.join(_ACTIONS)} [key=value …]")
    if "_target_" not in config.label_studio:
        raise ConfigError("label_studio=off: there is no review without Label Studio; leave this away")
    schema: Schema = instantiate(config.schema)
    title = title_of(Path(config.outbox)) if config.outbox else None
    project: LabelStudioProject = instantiate(
        config.label_studio, schema=schema, title=title or config.label_studio.title
    )
    if config.action != "push":
        _pull(config, schema, project)
    elif config.outbox:
        _send(Path(config.outbox), project)
    else:
        _push(config, schema, project)


def _push(config: DictConfig, schema: Schema, project: LabelStudioProject) -> None:
    """Show documents as a model version, those first that are worth most, and others as ground truth."""
    if not (config.version or config.gold.path):
        raise ConfigError("version is not set: say under which name the spans are to be shown, such as version=llm")
    if config.first is not None:
        require_number("first", config.first, above=0, whole=True)
    if config.version:
        documents = list(_corpus(config.documents, schema))
        worth = _worth(config, schema, documents)
        chosen = (ranked(documents, worth) if worth else documents)[: config.first]
        with _bar("push") as on_progress:
            pushed = project.push(chosen, model_version=config.version, scores=worth, on_progress=on_progress)
        project.start_from(config.version)
        _print_pushed(pushed, f"{len(chosen):,} of {len(documents):,} documents as {config.version}")
    if config.gold.path:
        gold = list(_corpus(config.gold, schema))
        with _bar("push gold") as on_progress:
            pushed = project.push_gold(gold, on_progress=on_progress)
        _print_pushed(pushed, f"{len(gold):,} documents as ground truth")


def _send(outbox: Path, project: LabelStudioProject) -> None:
    """Show what a training run could not; what cannot be shown now either stays, and is said."""
    sent = send_outbox(project, outbox)
    for path, pushed in sent.shown.items():
        _print_pushed(pushed, path.name)
    if not (sent.shown or sent.left):
        console.print(f"{outbox}: nothing waits there", markup=False, soft_wrap=True)
    for path, error in sent.left.items():
        console.print(f"{path.name} stays: {error}", style="yellow", markup=False, soft_wrap=True)
    if sent.left:
        raise next(iter(sent.left.values()))


def _print_pushed(pushed: Pushed, what: str) -> None:
    console.print(
        f"{what}: {pushed.predictions:,} sections, {pushed.sent:,} of them new or changed ({pushed.new_tasks:,} tasks)",
        markup=False,
        soft_wrap=True,
    )
    console.print(f"Label Studio: {pushed.url}", markup=False, soft_wrap=True)


@contextmanager
def _bar(name: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar, and what it is to be told: how much is done, and of how much."""
    with progress_bar(unit="tasks") as progress:
        task = progress.add_task(name, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)


def _worth(config: DictConfig, schema: Schema, documents: list[Document]) -> Worth | None:
    """How much a look at each document is worth; None where the order is the given one."""
    if config.order not in _ORDERS:
        raise ConfigError(f"order={config.order}: choose one of {', '.join(_ORDERS)}")
    if (config.order == "disagreement") != bool(config.others.path):
        raise ConfigError(
            f"order={config.order} others.path={config.others.path}: order=disagreement compares with the documents of "
            "others.path=…, and no other order does"
        )
    match config.order:
        case "uncertainty":
            return by_uncertainty(documents)
        case "disagreement":
            return by_disagreement(documents, _corpus(config.others, schema))
        case "rare":
            return by_rare_classes(documents)
        case "suspects":
            return by_suspects(documents)
    return None


def _pull(config: DictConfig, schema: Schema, project: LabelStudioProject) -> None:
    """Read what has changed; then write gold documents, or only say how far the review is."""
    out = Path(config.out)
    policy = policy_of(config.policy, person=config.by)
    counts, agreement = ReviewCounts(), Agreement()
    with pulled_tasks(out / "pulled.sqlite") as pulled:
        with project.found() as found, _bar("pull") as on_progress:
            read = pull(found, pulled, full=config.full, on_progress=on_progress)
            shown = versions(found.client, found.id)
        documents = gold_documents(
            _tasks(pulled, schema, with_pushed=config.pushed_gold),
            policy=policy,
            partial=config.partial,
            counts=counts,
            on_opinions=agreement.add,
        )
        if config.action == "pull":
            written = write_documents(out / "documents.jsonl", documents)
        else:
            written = sum(1 for _ in documents)
    report = (
        {"project": found.url, "model_versions": dict(shown)} | counts.as_json() | {"agreement": _by_section(agreement)}
    )
    _print(found, counts, report, read=read)
    if config.outbox:
        console.print(f"waiting in {config.outbox}: {len(waiting(Path(config.outbox))):,}", markup=False)
    if config.action == "pull":
        write_json(out / "review.json", report)
        console.print(f"{written:,} gold documents")
        print_files(out, "documents.jsonl", "review.json")


def _tasks(pulled: PulledTasks, schema: Schema, *, with_pushed: bool) -> Iterator[TaskRead | None]:
    people, versions = pulled.people(), pulled.versions()
    for record in pulled.records():
        yield read_task(
            record, labels=frozenset(schema.labels), people=people, versions=versions, with_pushed=with_pushed
        )


def _by_section(agreement: Agreement) -> list[dict[str, Any]]:
    """How far every two people agree, on the sections that both of them spoke about."""
    return [
        {"annotators": record["voters"], "sections": record["documents"]}
        | {name: record[name] for name in ("f1", "f1_per_class")}
        for record in agreement.as_records()
    ]


def _print(found: FoundProject, counts: ReviewCounts, report: dict[str, Any], *, read: int) -> None:
    console.print(f"Label Studio: {found.url} ({read:,} tasks read anew)", markup=False, soft_wrap=True)
    for kind in ("tasks", "documents"):
        console.print(f"{kind}: " + ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in report[kind].items()))
    if report["annotators"]:
        people = Table("annotator", "submitted", "skipped", "minutes")
        for name, own in report["annotators"].items():
            people.add_row(escape(name), f"{own['submitted']:,}", f"{own['skipped']:,}", f"{own['seconds'] / 60:.1f}")
        console.print(people)
    names = sorted(report["model_versions"] | report["started_from"])
    if names:
        versions = Table("model version", "sections shown", "submitted from it")
        for name in names:
            shown, started = report["model_versions"].get(name, 0), report["started_from"].get(name, 0)
            versions.add_row(escape(name), f"{shown:,}", f"{started:,}")
        console.print(versions)
    if report["agreement"]:
        pairs = Table("annotators", "sections of both", "agreement (strict F1)")
        for record in report["agreement"]:
            f1 = record["f1"]
            agreed = "no spans" if f1 is None else f"{100 * f1:.1f}"
            pairs.add_row(escape(" and ".join(record["annotators"])), f"{record['sections']:,}", agreed)
        console.print(pairs)
    if counts.left_out:
        console.print(
            "left out of the annotations: " + ", ".join(f"{why} ({n:,})" for why, n in counts.left_out.most_common()),
            style="yellow",
            markup=False,
            soft_wrap=True,
        )


def _corpus(config: DictConfig, schema: Schema) -> Iterable[Document]:
    corpus = instantiate(config, labels=schema.labels)
    yield from corpus
    print_remarks(corpus)


if __name__ == "__main__":
    main()
