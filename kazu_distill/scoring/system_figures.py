"""What a way of labelling took, as the run says that labelled: an LLM's or a tagger's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from kazu_distill.scoring.model_figures import MILLION, ModelFigures

_PAID_BY_TOKEN = {"openai", "azure", "gemini"}  # whose machines nobody rents by the hour
_UNREADABLE = ("invalid answer", "invalid answer, asked again")
_FEW_DOCUMENTS, _SHORT = 50, 2.0


@dataclass(frozen=True, slots=True)
class SystemFigures:
    """A way of labelling; what its run did not measure is None, and ``notes`` say why.

    Args:
        kind: what made the labels.
        by: the LLM or LLMs, or the folder of the tagger.
        documents: that the run went through, those without a usable answer among them.
        answers: that the LLMs gave; ``unreadable``: of them those that could not be read, or were damaged.
        mentions: that the LLMs listed; ``ungrounded``: of them those that are nowhere in the text.
        documents_per_second: by the clock.
        is_rough: so little was timed that chance has much to say in the speed.
        cost_per_million: US dollars for a million such documents.
        failed: of the documents scored, those that the LLM gave no usable answer about: they count as without spans.
        notes: how the figures came about, or why they are not known.
    """

    kind: Literal["LLM", "tagger", "predictions"]
    by: str
    documents: int
    answers: int | None = None
    unreadable: int | None = None
    mentions: int | None = None
    ungrounded: int | None = None
    documents_per_second: float | None = None
    is_rough: bool = False
    cost_per_million: float | None = None
    failed: int = 0
    notes: tuple[str, ...] = ()

    @property
    def unreadable_share(self) -> float | None:
        """Of the answers."""
        return _share(self.unreadable, self.answers)

    @property
    def ungrounded_share(self) -> float | None:
        """Of the mentions."""
        return _share(self.ungrounded, self.mentions)

    @property
    def hours_per_million(self) -> float | None:
        """Hours that a million such documents take."""
        return MILLION / self.documents_per_second / 3600 if self.documents_per_second else None


def figures_of_tagger(model: ModelFigures, price_per_hour: float | None) -> SystemFigures:
    """A tagger's figures; the price with which it was measured counts before another one."""
    priced = model if model.price_per_hour is not None else replace(model, price_per_hour=price_per_hour)
    return SystemFigures(
        kind="tagger",
        by=model.model,
        documents=model.documents,
        documents_per_second=model.documents_per_second,
        is_rough=model.is_rough,
        cost_per_million=priced.cost_per_million,
        notes=(model.sentence(),),
    )


def figures_of_llm(
    report: Mapping[str, Any], *, own_price_per_hour: float | None, price_per_hour: float | None
) -> SystemFigures:
    """The figures of a run of ``annotate``, from its ``report.json``.

    Speed is that of the answers that were asked for; where all came out of the store, nothing was measured. Cost is
    that of all answers, the stored ones too, by their tokens; where those have no price, that of the hours.

    Args:
        report: as it was read.
        own_price_per_hour: of the machine that this very run used; it counts before a price of tokens.
        price_per_hour: of a machine, for runs at home.
    """
    voters: Mapping[str, Mapping[str, Any]] = report["voters"]
    documents = report["documents"] + report["failed_documents"]
    asked, stored = (sum(voter[key] for voter in voters.values()) for key in ("asked", "from_store"))
    timed, notes = _timed_documents(report, documents)
    seconds = report["seconds"]
    speed = timed / seconds if timed and seconds else None
    rough = speed is not None and (timed < _FEW_DOCUMENTS or seconds < _SHORT)
    if rough:
        notes.append(f"only {timed:,.0f} documents in {seconds:.1f} s were timed: too little to rely on")
    cost, how = _cost(voters, documents, speed, own_price_per_hour, price_per_hour)
    return SystemFigures(
        kind="LLM",
        by=", ".join(dict.fromkeys(str(voter.get("model") or name) for name, voter in voters.items())),
        documents=documents,
        answers=asked + stored,
        unreadable=report["failures"].get(_UNREADABLE[0], 0) + report["answer_faults"].get(_UNREADABLE[1], 0),
        mentions=report.get("mentions"),
        ungrounded=report["grounding"]["not_found"],
        documents_per_second=speed,
        is_rough=rough,
        cost_per_million=cost,
        notes=(*notes, how),
    )


def _timed_documents(report: Mapping[str, Any], documents: int) -> tuple[float, list[str]]:
    """How many documents' answers took the run's time, and what is to be said of it.

    An answer out of the store takes none, such as that to a text that came before. Of several voters the one counts of
    whose answers fewest were asked for.
    """
    answers = [(voter["asked"], voter["asked"] + voter["from_store"]) for voter in report["voters"].values()]
    share = min((asked / every for asked, every in answers if every), default=0.0)
    stored, every = sum(every - asked for asked, every in answers), sum(every for _, every in answers)
    if report["stopped"]:
        return 0.0, ["its run ended early, so its speed is not known"]
    if not share:
        return 0.0, [f"{stored:,} of {every:,} answers came out of the store, so its speed is not known"]
    if stored:
        return documents * share, [f"{stored:,} of {every:,} answers came out of the store: its speed is of the others"]
    return float(documents), []


def _cost(
    voters: Mapping[str, Mapping[str, Any]], documents: int, speed: float | None, own: float | None, home: float | None
) -> tuple[float | None, str]:
    """US dollars for a million documents, and how they were reckoned."""
    by_tokens = [voter.get("answers_cost_usd") for voter in voters.values()]
    known = [cost for cost in by_tokens if cost is not None]
    if own is None and documents and len(known) == len(by_tokens):
        return MILLION * sum(known) / documents, "cost by the tokens of all answers, at the price of its run"
    hourly = (
        own if own is not None or any(voter.get("provider") in _PAID_BY_TOKEN for voter in voters.values()) else home
    )
    if hourly is None:
        return (
            None,
            "its tokens have no price (llm.price) and its hours none (price_per_hour), so its cost is not known",
        )
    if speed is None:
        return None, f"at {hourly:g} US dollars an hour; without its speed its cost is not known"
    return MILLION / speed / 3600 * hourly, f"cost by its hours, at {hourly:g} US dollars each"


def _share(part: int | None, whole: int | None) -> float | None:
    return None if part is None or not whole else part / whole
