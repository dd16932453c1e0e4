"""Grounding by example."""

from __future__ import annotations

import pytest

from kazu_distill.annotation.grounding.abbreviations import split_abbreviation
from kazu_distill.annotation.grounding.grounder import GroundedSpan, Grounder, Occurrences, Status
from kazu_distill.annotation.parsing.answer import Mention
from kazu_distill.errors import ConfigError

_LOOSE = Grounder(occurrences="listed", inflected=True, glosses=True, fuzzy=0.85)


def ground(
    text: str,
    *mentions: tuple[str, str],
    occurrences: Occurrences = "listed",
    grounder: Grounder | None = None,
) -> list[tuple[str, int, str, str]]:
    """Mention, start, class and status of every span."""
    grounder = grounder or Grounder(occurrences=occurrences)
    grounding = grounder.ground(text, [Mention(*mention) for mention in mentions])
    return [(text[span.start : span.end], span.start, span.label, str(span.status)) for span in grounding.spans]


def statuses(text: str, *mentions: str) -> list[Status]:
    return [status for _, status in Grounder().ground(text, [Mention(mention, "x") for mention in mentions]).missing]


def test_the_kth_listing_of_a_string_meets_the_kth_place() -> None:
    text = "A cold room gave him a cold."
    assert ground(text, ("cold", "measurement"), ("cold", "disease")) == [
        ("cold", 2, "measurement", "exact"),
        ("cold", 23, "disease", "exact"),
    ]


def test_two_classes_share_the_only_place() -> None:
    assert ground("insulin rose", ("insulin", "gene"), ("insulin", "drug")) == [
        ("insulin", 0, "drug", "exact"),
        ("insulin", 0, "gene", "exact"),
    ]


def test_listed_labels_one_place_and_all_labels_every_place() -> None:
    text = "Gout hurts. Gout is old. All had gout."
    assert [start for _, start, _, _ in ground(text, ("Gout", "disease"))] == [0]
    assert [start for _, start, _, _ in ground(text, ("Gout", "disease"), occurrences="all")] == [0, 12, 33]


def test_a_place_that_was_not_listed_takes_the_class_that_most_listings_have() -> None:
    text = "cold cold cold - - - - - - - cold"
    spans = ground(text, ("cold", "a"), ("cold", "a"), ("cold", "b"), occurrences="all")
    assert [label for _, _, label, _ in spans] == ["a", "a", "b", "a"]


def test_where_classes_are_listed_as_often_the_nearest_place_decides() -> None:
    text = "cold cold EGFR cold flu cold"
    mentions = [("cold", "a"), ("EGFR", "x"), ("flu", "x"), ("cold", "b")]
    spans = ground(text, *mentions, occurrences="all")
    assert [label for mention, _, label, _ in spans if mention == "cold"] == ["a", "a", "b", "b"]


def test_a_place_inside_a_longer_mention_is_taken_last() -> None:
    text = "Back pain is pain in the back."
    assert [start for _, start, _, _ in ground(text, ("Back pain", "x"), ("pain", "x"))] == [0, 13]
    split = ground("Pain. Back pain hurts. Back pain.", ("Back pain", "x"), ("pain", "x"), occurrences="all")
    assert [(mention, start) for mention, start, _, _ in split] == [("Pain", 0), ("Back pain", 6), ("Back pain", 23)]
    other = ground("Heparin. A heparin-induced ulcer.", ("Heparin", "drug"), ("heparin-induced ulcer", "disease"),
                   occurrences="all")  # fmt: skip
    assert [mention for mention, *_ in other] == ["Heparin", "heparin-induced ulcer", "heparin"]
    nested = ground("Breast cancer.", ("Breast cancer", "disease"), ("Breast", "tissue"), occurrences="all")
    assert [(mention, label) for mention, _, label, _ in nested] == [("Breast cancer", "disease"), ("Breast", "tissue")]


@pytest.mark.parametrize(
    ("text", "mention", "found", "status"),
    [
        ("the EGFR gene", "EGFR", "EGFR", "exact"),
        ("torsade de pointes", "Torsade De Pointes", "torsade de pointes", "case"),
        ("given IL-2 daily", "IL2", "IL-2", "normalised"),
        ("given IL2 daily", "IL-2", "IL2", "normalised"),
        ("heart\n  failure", "heart failure", "heart\n  failure", "normalised"),
        ("an H2-receptor antagonist", "H2 - receptor antagonist", "H2-receptor antagonist", "normalised"),
        ("heart-failure", "heart failure", "heart-failure", "normalised"),
        ("free Ca²⁺ rose", "Ca2+", "Ca²⁺", "normalised"),
        ("Alzheimer’s disease", "Alzheimer's disease", "Alzheimer’s disease", "normalised"),
        ("TNF‑α (non-breaking)", "TNF-α", "TNF‑α", "normalised"),
        ("the ﬁbrin clot", "fibrin", "ﬁbrin", "normalised"),
        ("a\u00a0b\u00a0c toxin", "b c", "b\u00a0c", "normalised"),
        ("a hepa\u00adtitis case", "hepatitis", "hepa\u00adtitis", "normalised"),
        ("an IL\u200b6 test", "IL6", "IL\u200b6", "normalised"),
        ("Sjo\u0308gren syndrome", "Sjögren syndrome", "Sjo\u0308gren syndrome", "normalised"),
        ("Sjögren syndrome", "Sjo\u0308gren syndrome", "Sjögren syndrome", "normalised"),
        ("İstanbul fever", "istanbul fever", "İstanbul fever", "normalised"),
        ("İstanbul fever", "I\u0307STANBUL FEVER", "İstanbul fever", "case"),
        ("Sjögren syndrome", "Sjogren syndrome", "Sjögren syndrome", "normalised"),
        ("un cafe\u0301 noir", "café", "cafe\u0301", "normalised"),
        ("TNF-α rose", "TNF-alpha", "TNF-α", "normalised"),
        ("TNFalpha rose", "TNFα", "TNFalpha", "normalised"),
        ("β-catenin", "beta catenin", "β-catenin", "normalised"),
        ("the tau protein", "τ protein", "tau protein", "normalised"),
        ("2, 3 - dimethyl", "2,3-dimethyl", "2, 3 - dimethyl", "normalised"),
        ("an antiinflammatory drug", "anti-inflammatory drug", "antiinflammatory drug", "normalised"),
        ("no CAT scan", "cat", "CAT", "case"),
        ("as a child", "ASA", None, None),
        ("free Ca²⁻ rose", "Ca2-", "Ca²⁻", "normalised"),
        ("free Ca²⁺ rose", "Ca²⁻", None, None),
        ("Ca2+ and Cl-", "Cl-", "Cl-", "exact"),
        ("(-)-cocaine", "(+)-cocaine", None, None),
        ("(−)-cocaine", "(-)-cocaine", "(−)-cocaine", "normalised"),
        ("N-(2-hydroxypropyl)methacrylamide", "N - ( 2 - hydroxypropyl ) methacrylamide",
         "N-(2-hydroxypropyl)methacrylamide", "normalised"),
        ("1,2,3-trichloropropane", "1,2-trichloropropane", None, None),
        ("IL-3", "IL-2", None, None),
        ("doses of 1-2 mg", "1 2", None, None),
        ("½ mg", "1", None, None),
        ("болезнь Крона лечат", "Болезнь крона", "болезнь Крона", "case"),
        ("患者有糖尿病史", "糖尿病", "糖尿病", "exact"),
        ("2,3,7,8-tetrachlorodibenzo-p-dioxin (TCDD)", "2,3,7,8-tetrachlorodibenzo-p-dioxin",
         "2,3,7,8-tetrachlorodibenzo-p-dioxin", "exact"),
        ("a 3'-azido-3'-deoxythymidine arm", "3′-azido-3′-deoxythymidine", "3'-azido-3'-deoxythymidine", "normalised"),
        ("🧬 BRCA1 🧬", "BRCA1", "BRCA1", "exact"),
        ("Ca2- channel", "Ca2-", "Ca2-", "exact"),
        ("Ca2+ channel", "Ca2-", None, None),
        ("doses of 12 mg", "1-2", None, None),
        ("the catheter", "cat", None, None),
        ("IL-2R", "IL-2", None, None),
        ("e\u0301tude", "e", None, None),
        ("தமிழ்", "தம", None, None),
        ("TP53_mut", "TP53", "TP53", "exact"),
    ],
)  # fmt: skip
def test_a_mention_is_found_as_its_status_says(text: str, mention: str, found: str | None, status: str | None) -> None:
    spans = ground(text, (mention, "x"))
    assert [(surface, how) for surface, _, _, how in spans] == ([(found, status)] if found else [])


def test_an_acronym_in_the_text_keeps_a_common_word_out() -> None:
    assert [surface for surface, *_ in ground("CAT of the cat", ("cat", "species"), occurrences="all")] == ["cat"]


def test_strings_that_differ_in_case_keep_their_classes() -> None:
    text = "The cat had CAT measured; CAT rose."
    for mentions in ((("CAT", "gene"), ("cat", "species")), (("cat", "species"), ("CAT", "gene"))):
        found = ground(text, *mentions, occurrences="all")
        assert [(surface, label) for surface, _, label, _ in found] == [
            ("cat", "species"),
            ("CAT", "gene"),
            ("CAT", "gene"),
        ]


def test_what_is_not_there_or_listed_too_often_says_so() -> None:
    assert statuses("gout", "EGFR") == [Status.NOT_FOUND]
    assert statuses("gout", "gout", "gout") == [Status.SURPLUS]
    assert statuses("", "gout", "  ", "-") == [Status.NOT_FOUND] * 3


def test_a_long_form_with_its_abbreviation_is_two_mentions() -> None:
    both = ground("tumor necrosis factor (TNF)", ("tumor necrosis factor (TNF)", "gene"))
    assert [surface for surface, *_ in both] == ["tumor necrosis factor", "TNF"]


@pytest.mark.parametrize(
    "text", ["iron (II) oxide", "cancer (breast)", "sodium chloride (0.9%)", "vitamin D (25)", "(R)"]
)
def test_other_brackets_do_not_divide_a_mention(text: str) -> None:
    assert split_abbreviation(text) == [text]


def test_a_mention_that_stands_as_it_is_is_meant_before_one_written_otherwise() -> None:
    assert [start for _, start, _, _ in ground("IL2 or IL-2", ("IL-2", "gene"))] == [7]
    assert [start for _, start, _, _ in ground("IL2 or IL-2", ("IL-2", "gene"), occurrences="all")] == [0, 7]


def test_the_mentions_around_a_listing_tell_which_place_it_means() -> None:
    text = "Pain, nausea. Gout, pain. EGFR, pain, flu."
    assert [start for mention, start, *_ in ground(text, ("Gout", "x"), ("pain", "x")) if mention == "pain"] == [20]
    last = ground(text, ("nausea", "x"), ("EGFR", "y"), ("pain", "x"), ("flu", "x"))
    assert [start for mention, start, *_ in last if mention == "pain"] == [32]


def test_a_list_by_class_is_read_class_by_class() -> None:
    text = "Aspirin for gout. Later rash and gout from heparin. Fever at the end."
    by_class = [("heparin", "drug"), ("rash", "disease"), ("gout", "disease"), ("Fever", "disease")]
    assert [start for mention, start, *_ in ground(text, *by_class) if mention == "gout"] == [33]


@pytest.mark.parametrize(
    ("text", "mention", "found", "status"),
    [
        ("two seizures", "seizure", "seizures", "inflected"),
        ("one seizure", "seizures", "seizure", "inflected"),
        ("liver biopsies", "liver biopsy", "liver biopsies", "inflected"),
        ("a metastasis", "metastases", "metastasis", "inflected"),
        ("Alzheimer's disease", "Alzheimer disease", "Alzheimer's disease", "inflected"),
        ("an aid", "AIDS", None, None),
        ("non-smokers", "None", None, None),
        ("renal insufficiency rose", "Renal insufficiency (kidney failure)", "renal insufficiency", "part"),
        ("kidney failure rose", "Renal insufficiency (kidney failure)", "kidney failure", "part"),
        ("given dobutamine", "Dubutamine (also known as Dobutamine)", "dobutamine", "part"),
        ("given metocloprmide", "metoclopramide", "metocloprmide", "fuzzy"),
        ("severe haemorhagic fever", "severe haemorrhagic fever", "severe haemorhagic fever", "fuzzy"),
        ("severe hypotension today", "severe hypertension", None, None),
        ("chronic hepatitis B virus", "chronic hepatitis C virus", None, None),
        ("interleukin-3 receptor", "interleukin-2 receptor", None, None),
        ("intracellular Ca2+ transport", "intracellular Ca2- transport", None, None),
        ("bipolar type II disorder", "bipolar type I disorder", None, None),
        ("PPAR-α agonists given", "PPAR-γ agonist", None, None),
    ],
)
def test_weaker_forms_are_found_where_they_are_asked_for(
    text: str, mention: str, found: str | None, status: str | None
) -> None:
    spans = ground(text, (mention, "x"), grounder=_LOOSE)
    assert [(surface, how) for surface, _, _, how in spans] == ([(found, status)] if found else [])
    assert ground(text, (mention, "x")) == []


def test_a_weaker_form_labels_the_place_listed_and_no_other() -> None:
    grounder = Grounder(occurrences="all", inflected=True)
    assert [start for _, start, _, _ in ground("seizures, seizures", ("seizure", "x"), grounder=grounder)] == [0]


def test_settings_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ConfigError, match="document"):
        Grounder(occurrences="some")  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="fuzzy"):
        Grounder(fuzzy=90)


# --- over a document ---


def over_document(*sections: tuple[str, list[tuple[str, str]]]) -> list[list[tuple[str, int, str]]]:
    grounder = Grounder(occurrences="document")
    texts = [text for text, _ in sections]
    spans = [grounder.ground(text, [Mention(*mention) for mention in mentions]).spans for text, mentions in sections]
    found = grounder.over_document(texts, spans)
    return [
        [(text[span.start : span.end], span.start, span.label) for span in own]
        for text, own in zip(texts, found, strict=True)
    ]


def test_what_is_found_in_one_section_is_labelled_in_all() -> None:
    found = over_document(
        ("Gout and EGFR.", [("Gout", "disease")]),
        ("", []),
        ("No gout; goutweed.", []),
        ("egfr, EGFR", [("EGFR", "gene")]),
    )
    assert found == [
        [("Gout", 0, "disease"), ("EGFR", 9, "gene")],
        [],
        [("gout", 3, "disease")],
        [("EGFR", 6, "gene")],
    ]


def test_a_document_keeps_a_string_with_two_classes() -> None:
    found = over_document(("insulin", [("insulin", "gene"), ("insulin", "drug")]), ("Insulin", []))
    assert [label for section in found for _, _, label in section] == ["drug", "gene", "drug", "gene"]


def test_parts_of_a_longer_mention_of_the_class_are_left_alone_in_other_sections() -> None:
    found = over_document(("pain", [("pain", "x")]), ("Back pain.", []), ("back pain", [("back pain", "x")]))
    assert found == [[("pain", 0, "x")], [("Back pain", 0, "x")], [("back pain", 0, "x")]]


def test_spans_that_came_from_elsewhere_stay() -> None:
    odd = GroundedSpan(1, 2, "x", Status.EXACT)  # inside a word
    assert Grounder(occurrences="document").over_document(["gout o"], [[odd]]) == [
        [odd, GroundedSpan(5, 6, "x", Status.EXACT)]
    ]
