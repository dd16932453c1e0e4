"""Ways of labelling the same documents, each by the folder that its run left, beside each other."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from kazu_distill.document_files import json_values, read_documents, read_lines, required_field
from kazu_distill.documents import Document, InvalidDocument
from kazu_distill.errors import ConfigError, CorpusError, require_number
from kazu_distill.scoring.intervals import intervals
from kazu_distill.scoring.metrics import less
from kazu_distill.scoring.model_figures import figures_from_json
from kazu_distill.scoring.pairs import Pair, ScoringError, paired
from kazu_distill.scoring.ranking import Candidate, Ranked, Ranking
from kazu_distill.scoring.system_figures import SystemFigures, figures_of_llm, figures_of_tagger
from kazu_distill.scoring.tally import sides_of, tally

SystemsRanking: TypeAlias = Ranking[SystemFigures]
SystemEntry: TypeAlias = Ranked[SystemFigures]
_NAMED = 5  # documents in an error
_NOBODY_ASKED = "not in the store"


@dataclass(frozen=True, slots=True)
class SystemFolder:
    """Where a run of ``annotate``, ``evaluate`` or ``predict`` left its results.

    ``price_per_hour`` is what the machine that this very run used costs, in US dollars.
    """

    name: str
    folder: Path
    price_per_hour: float | None = None


@dataclass(frozen=True, slots=True)
class System:
    """A way of labelling: gold with its predictions, what its run took, and how many of its documents have no gold."""

    name: str
    pairs: list[Pair]
    figures: SystemFigures
    others: int = 0


def system_folders(given: object) -> list[SystemFolder]:
    """The folders that a configuration names: a folder for each name, or its ``path`` and ``price_per_hour``.

    Raises:
        ConfigError: it is something else.
    """
    if not isinstance(given, dict):
        raise ConfigError(f"systems={given}: give names and folders, {{llm: runs/annotate, tagger: runs/evaluate}}")
    folders = []
    for name, value in given.items():
        settings = value if isinstance(value, dict) else {"path": value}
        if not settings.get("path") or set(settings) - {"path", "price_per_hour"}:
            raise ConfigError(f"systems.{name}={value}: give a folder, or {{path: FOLDER, price_per_hour: DOLLARS}}")
        price = settings.get("price_per_hour")
        if price is not None:
            require_number(f"systems.{name}.price_per_hour", price, above=0)
        folders.append(SystemFolder(str(name), Path(str(settings["path"])), price))
    return folders


def read_system(at: SystemFolder, gold: Sequence[Document], *, price_per_hour: float | None) -> System:
    """The predictions in a folder for gold documents, in the order of the gold ones.

    Documents that an LLM gave no usable answer about (``failed.jsonl``) count as without spans, and are counted.

    Args:
        at: the folder.
        gold: what is scored against.
        price_per_hour: of machines whose price nobody told.

    Raises:
        ConfigError: the folder is of another kind.
        ScoringError: a gold document is missing for another reason, or its text is another.
    """
    predicted, failed, figures = _read_folder(at, price_per_hour)
    wanted = {document.id for document in gold}
    own = [document for document in predicted if document.id in wanted]
    known = {document.id for document in own}
    unanswered = (wanted - known) & failed
    missing = [document.id for document in gold if document.id not in known | unanswered]
    if missing:
        named = ", ".join(f'"{each}"' for each in missing[:_NAMED]) + (", …" if len(missing) > _NAMED else "")
        raise ScoringError(
            f"{at.name}: {at.folder} has no prediction for {len(missing):,} of {len(gold):,} gold documents ({named}), "
            "and no answer of an LLM that failed: label them and score again, or score only=FILE, those that all have"
        )
    own += [document.without_spans() for document in gold if document.id in unanswered]
    try:
        pairs = paired(gold, own)
    except ScoringError as error:
        raise ScoringError(f"{at.name}: {at.folder}: {error}") from error
    return System(at.name, pairs, replace(figures, failed=len(unanswered)), len(predicted) + len(unanswered) - len(own))


def candidate_of(system: System, labels: Sequence[str], *, seed: int, resamples: int) -> Candidate[SystemFigures]:
    """A system as one to rank.

    Raises:
        ScoringError: a span has a class that is not in ``labels``.
    """
    strict = tally(sides_of(system.pairs, labels), "strict")
    return Candidate(
        name=system.name,
        documents=tuple(gold.id for gold, _ in system.pairs),
        strict=strict,
        intervals=intervals(strict, seed=seed, resamples=resamples),
        model=system.figures,
    )


def systems_json(ranking: SystemsRanking) -> dict[str, Any]:
    """All of it, the best first."""
    best = ranking.jobs[0]
    return {
        "documents": ranking.documents,
        "labels": list(ranking.labels),
        "systems": [
            {
                "name": each.name,
                "figures": dict(each.figures),
                "intervals_95": {name: asdict(interval) for name, interval in each.intervals.items()},
                "less_the_best": each.differences
                and {
                    name: {"difference": less(each.figures[name], best.figures[name]), **asdict(interval)}
                    for name, interval in each.differences.items()
                },
                **asdict(each.model),
                "unreadable_share": each.model.unreadable_share,
                "ungrounded_share": each.model.ungrounded_share,
                "hours_per_million": each.model.hours_per_million,
            }
            for each in ranking.jobs
        ],
    }


def _read_folder(at: SystemFolder, price_per_hour: float | None) -> tuple[list[Document], set[str], SystemFigures]:
    """The documents, the ids of those that failed, and what the run took."""
    own = at.price_per_hour
    labelled, predicted = at.folder / "documents.jsonl", at.folder / "predicted.jsonl"
    if labelled.is_file() and (at.folder / "report.json").is_file():
        figures = _of_report(at.folder / "report.json", own, price_per_hour)
        return list(read_documents(labelled)), _failed(at.folder / "failed.jsonl"), figures
    if predicted.is_file() and (at.folder / "model.json").is_file():
        model = figures_from_json(_mapping(at.folder / "model.json"))
        if own is not None:
            model = replace(model, price_per_hour=own)
        return list(read_documents(predicted)), set(), figures_of_tagger(model, price_per_hour)
    if labelled.is_file():
        documents = list(read_documents(labelled))
        notes = ("a file of documents alone, which says nothing of speed or cost",)
        return documents, set(), SystemFigures("predictions", str(at.folder), len(documents), notes=notes)
    raise ConfigError(
        f"systems.{at.name}={at.folder}: no results are here; give the out folder of annotate (documents.jsonl, "
        "report.json), of evaluate with a model (predicted.jsonl, model.json) or of predict (documents.jsonl)"
    )


def _of_report(path: Path, own: float | None, price_per_hour: float | None) -> SystemFigures:
    try:
        return figures_of_llm(_mapping(path), own_price_per_hour=own, price_per_hour=price_per_hour)
    except (KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"{path} is no report of kazu_distill.annotate ({error!r}): run it again") from error


def _mapping(path: Path) -> dict[str, Any]:
    try:
        values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise ConfigError(f"{path} cannot be read ({error}): run the stage that wrote it again") from error
    return values


def _failed(path: Path) -> set[str]:
    failed: set[str] = set()
    if not path.is_file():
        return failed
    for file, number, line in read_lines(path):
        try:
            record = json_values(line)
            if required_field(record, "kind", str) != _NOBODY_ASKED:
                failed.add(required_field(record, "document_id", str))
        except InvalidDocument as error:
            raise CorpusError(f"{file}:{number}: not a line of failed.jsonl: {error}") from error
    return failed
