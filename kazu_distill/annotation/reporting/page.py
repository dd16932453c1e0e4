"""``report.md``: what an annotation run did, for people to read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from kazu_distill.markdown import as_code, as_text, table

_EXAMPLES = 3  # of a kind
_STRINGS = 8  # of a class
_CONTESTED = 15
_CLASSES = 100  # free types can be thousands
_GROUNDING = {
    "exact": "as the LLM wrote it",
    "case": "in another case",
    "normalised": "with other spaces, hyphens or accents",
    "inflected": "in the singular for the plural, or the other way round",
    "part": "in part: without the gloss in brackets, or that alone",
    "fuzzy": "spelled a little differently",
    "not_found": "not in the text, left out",
    "surplus": "listed more often than it stands there, left out",
}


def report_page(report: Mapping[str, Any]) -> str:
    """The page that shows the values of a ``report.json``; a part whose values are absent or empty is left out.

    Whatever comes from documents or LLMs stands in code spans, so that nothing of it is markup.
    """
    sections = (*_overview(report), *(section for part in _PARTS for section in part(report)))
    return "\n\n".join(("# Annotation report", *sections)) + "\n"


def _overview(report: Mapping[str, Any]) -> Iterator[str]:
    documents, spans = report["documents"], report["spans"]
    labelled = f"**{_count(documents, 'document')}** labelled with **{_count(spans, 'span')}**"
    if report["spans_per_class"]:
        labelled += f" of {_count(len(report['spans_per_class']), 'class', 'classes')}"
    if documents:
        labelled += f": {spans / documents:.1f} a document"
    if report.get("documents_without_spans"):
        labelled += f", none in {report['documents_without_spans']:,}"
    sentences = [f"{labelled}."]
    not_labelled = [
        f"{_count(report[key], 'document')} {what}"
        for key, what in (("failed_documents", "failed"), ("left_documents", "left for another run"))
        if report.get(key)
    ]
    if not_labelled:
        sentences.append(f"{'; '.join(not_labelled)}.")
    if report.get("seconds") is not None:
        speed = report.get("documents_per_second")
        rate = f", {speed:,.3g} documents a second" if speed is not None else ""
        sentences.append(f"It took {_duration(report['seconds'])}{rate}.")
    if report.get("cost_usd") is not None:
        sentences.append(f"It cost {_dollars(report['cost_usd'])}.")
    yield " ".join(sentences)
    if report.get("stopped"):
        yield f"**The run ended early:** {as_code(report['stopped'])}"


def _classes(report: Mapping[str, Any]) -> Iterator[str]:
    if not report["spans_per_class"]:
        return
    top = report.get("top_strings", {})
    rows = [
        (
            as_text(label),
            f"{count:,}",
            _share(count, report["spans"]),
            ", ".join(f"{as_code(string)} {often:,}" for string, often in list(top.get(label, {}).items())[:_STRINGS]),
        )
        for label, count in list(report["spans_per_class"].items())[:_CLASSES]
    ]
    yield "## Classes"
    yield table(("class", "spans >", "share >", "most frequent"), rows)
    yield from _more_classes(len(report["spans_per_class"]))
    yield from _lower_bounds(report)


def _contested(report: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (as_code(string), ", ".join(f"{as_text(label)} {count:,}" for label, count in classes.items()))
        for string, classes in list(report.get("strings_with_several_classes", {}).items())[:_CONTESTED]
    ]
    if rows:
        yield "## Strings with several classes"
        yield "Right where a word means several things; else a sign that two definitions overlap."
        yield table(("string", "classes"), rows)
        yield from _lower_bounds(report)


def _grounding(report: Mapping[str, Any]) -> Iterator[str]:
    counts = report["grounding"]
    total = sum(counts.values())
    rows = [
        (
            as_text(_GROUNDING.get(status, status.replace("_", " "))),
            f"{count:,}",
            _share(count, total),
            _examples(report, status),
        )
        for status, count in counts.items()
        if count
    ]
    if rows:
        yield "## Where the LLM's mentions stand in the text"
        yield table(("found", "places or mentions >", "share >", "examples"), rows)


def _cleaning(report: Mapping[str, Any]) -> Iterator[str]:
    mended, dropped = report.get("mended", {}), report["dropped"]
    rows = [
        (
            as_text(reason),
            f"{mended[reason]:,}" if reason in mended else "",
            f"{dropped[reason]:,}" if reason in dropped else "",
            _examples(report, reason),
        )
        for reason in dict.fromkeys((*mended, *dropped))
    ]
    if rows:
        yield "## Cleaning"
        yield table(("rule", "spans mended >", "spans dropped >", "examples"), rows)


def _verification(report: Mapping[str, Any]) -> Iterator[str]:
    figures = report.get("verification")
    if not figures or not figures["doubtful"]:
        return
    why = ", ".join(f"{as_text(reason)} {count:,}" for reason, count in figures["by_reason"].items())
    yield "## Doubtful spans"
    yield f"{_count(figures['doubtful'], 'span')} of {report['spans']:,} were asked about again: {why}."
    rows = [
        (label, *(f"{of_label[key]:,}" for key in ("doubtful", "yes", "no", "unreadable", "failed")))
        for label, of_label in [
            ("**all**", figures),
            *((as_text(label), of_label) for label, of_label in list(figures["per_class"].items())[:_CLASSES]),
        ]
    ]
    yield table(("class", "asked about >", "yes >", "no >", "answer unreadable >", "request failed >"), rows)
    kinds = [(as_text(kind), f"{count:,}", _examples(report, kind)) for kind, count in figures["failures"].items()]
    if kinds:
        yield table(("requests that failed", "count >", "examples"), kinds)


def _faults(report: Mapping[str, Any]) -> Iterator[str]:
    yield from _kinds(report, "answer_faults", "Faults in answers", "The rest of these answers was used.")


def _failures(report: Mapping[str, Any]) -> Iterator[str]:
    yield from _kinds(report, "failures", "Failures", "`failed.jsonl` has each of them with the LLM's raw answer.")


def _kinds(report: Mapping[str, Any], key: str, title: str, remark: str) -> Iterator[str]:
    rows = [(as_text(kind), f"{count:,}", _examples(report, kind)) for kind, count in report[key].items()]
    if rows:
        yield f"## {title}"
        yield remark
        yield table(("kind", "count >", "examples"), rows)


def _voters(report: Mapping[str, Any]) -> Iterator[str]:
    rows = [
        (
            as_text(name),
            f"{figures['asked']:,}",
            f"{figures['from_store']:,}",
            f"{figures['failed_requests']:,}",
            ", ".join(f"{as_text(kind)} {count:,}" for kind, count in figures["retries"].items()) or "0",
            f"{figures['input_tokens']:,} / {figures['output_tokens']:,}",
            "not known" if figures["cost_usd"] is None else _dollars(figures["cost_usd"]),
            " / ".join(_seconds(figures["latency_s"][name]) for name in ("p50", "p90", "p99")),
        )
        for name, figures in report.get("voters", {}).items()
    ]
    if rows:
        yield "## Requests"
        counts = ("asked >", "from the store >", "failed >", "asked again")
        yield table(("LLM", *counts, "tokens in / out >", "cost >", "seconds, p50 / p90 / p99 >"), rows)


def _shown(report: Mapping[str, Any]) -> Iterator[str]:
    for title, key, without in (
        ("Examples in the prompt", "shown_examples", "queries_without_example"),
        ("Background in the prompt", "shown_passages", "queries_without_passage"),
    ):
        figures = report.get(key)
        if figures is None:
            continue
        kinds = (
            ("texts that were asked about", "queries"),
            ("shown", "shown"),
            ("texts with which nothing was shown", without),
            ("left out for their length", "left_out_for_length"),
            ("kept out: of the text's own document", "excluded_self"),
            ("kept out: nearly the same text", "excluded_near_duplicates"),
            ("kept out of all: of the documents that are measured on", "excluded_evaluation"),
        )
        yield f"## {title}"
        yield table(("", "count >"), [(what, f"{figures[kind]:,}") for what, kind in kinds])


def _agreement(report: Mapping[str, Any]) -> Iterator[str]:
    if report.get("votes"):
        total = sum(report["votes"].values())
        rows = [(as_text(votes), f"{count:,}", _share(count, total)) for votes, count in report["votes"].items()]
        yield "## Votes"
        yield table(("LLMs that gave the span", "spans >", "share >"), rows)
    pairs = report.get("agreement", ())
    known = {label for pair in pairs for label in pair["f1_per_class"]}
    labels = sorted(known if len(known) <= _CLASSES else known.intersection(list(report["spans_per_class"])[:_CLASSES]))
    scores = [("**all spans**", *(_f1(pair["f1"]) for pair in pairs))]
    scores += [(as_text(label), *(_f1(pair["f1_per_class"].get(label)) for pair in pairs)) for label in labels]
    if pairs:
        yield "## Agreement"
        yield "Strict F1 (class and both edges) of one LLM's spans against another's, in percent."
        yield table(("class", *(f"{as_text(' and '.join(pair['voters']))} >" for pair in pairs)), scores)
        yield from _more_classes(len(known))


_PARTS: Sequence[Callable[[Mapping[str, Any]], Iterable[str]]] = (
    _classes, _contested, _agreement, _verification, _grounding, _cleaning, _faults, _failures, _shown, _voters,
)  # fmt: skip


def _more_classes(number: int) -> Iterator[str]:
    if number > _CLASSES:
        yield f"Of {number:,} classes, the {_CLASSES} that are most frequent; `report.json` has all."


def _lower_bounds(report: Mapping[str, Any]) -> Iterator[str]:
    if report.get("counts_are_lower_bounds"):
        yield "Counts of strings are lower bounds: there were more different strings than are kept."


def _examples(report: Mapping[str, Any], kind: str) -> str:
    return "<br>".join(as_code(example) for example in report.get("examples", {}).get(kind, [])[:_EXAMPLES])


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _f1(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f}"


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.3g} seconds"
    minutes = round(seconds / 60)
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} hours {minutes % 60} minutes"
