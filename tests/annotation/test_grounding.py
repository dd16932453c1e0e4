import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kazu_distill.annotation.folding import fold, without_separators
from kazu_distill.annotation.grounding import Grounder, Occurrences, Status, is_boundary, split_abbreviation
from kazu_distill.annotation.parsing import Mention


def ground(
    text: str, *mentions: tuple[str, str], occurrences: Occurrences = "listed"
) -> list[tuple[str, int, str, str]]:
    """Mention, start, class and status of every span."""
    grounding = Grounder(occurrences=occurrences).ground(text, [Mention(*mention) for mention in mentions])
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


def test_a_place_that_was_not_listed_takes_the_class_of_the_nearest_listed_one() -> None:
    text = "cold cold - - - - - - - cold cold"
    spans = ground(text, ("cold", "a"), ("cold", "a"), ("cold", "b"), occurrences="all")
    assert [label for _, _, label, _ in spans] == ["a", "a", "b", "b"]


def test_a_place_inside_a_longer_mention_is_taken_last() -> None:
    text = "Back pain is pain in the back."
    assert [start for _, start, _, _ in ground(text, ("Back pain", "x"), ("pain", "x"))] == [0, 13]
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
        ("İstanbul fever", "istanbul fever", None, None),
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
        ("é", "e", None, None),
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
    assert split_abbreviation(Mention(text, "x")) == [Mention(text, "x")]


# --- any text, any mentions ---

_ALPHABET = "aAbB1 -\u00ad\u200b\u0301éßİﬁ²α’'\n(),糖🧬"
texts = st.text(alphabet=_ALPHABET, max_size=30) | st.text(max_size=30)
mention_texts = st.text(alphabet=_ALPHABET, min_size=1, max_size=4)


def joined(text: str) -> str:
    return without_separators(fold(text)).text.strip()


@given(texts, st.lists(st.tuples(mention_texts, st.sampled_from("xy")), max_size=6), st.sampled_from(["listed", "all"]))
@example("a\u0301 a", [("a", "x")], "all")
def test_grounded_spans_are_their_mentions(text: str, wanted: list[tuple[str, str]], occurrences: Occurrences) -> None:
    grounder = Grounder(occurrences=occurrences, split_abbreviations=False)
    grounding = grounder.ground(text, [Mention(*mention) for mention in wanted])
    for span in grounding.spans:
        assert 0 <= span.start < span.end <= len(text)
        assert is_boundary(text, span.start)
        assert is_boundary(text, span.end)
        surfaces = {joined(mention) for mention, label in wanted if label == span.label}
        assert joined(text[span.start : span.end]) in surfaces
    assert len(grounding.spans) + len(grounding.missing) >= len({mention for mention in wanted if mention[0].strip()})


@given(st.text(alphabet="abA ", max_size=14), st.lists(st.sampled_from(["a", "b", "ab", "A", "a b", "ba"]), max_size=4))
def test_every_place_of_a_string_is_found_as_the_slow_way_finds_them(text: str, wanted: list[str]) -> None:
    grounder = Grounder(occurrences="all", split_abbreviations=False)
    for mention in wanted:
        spans = grounder.ground(text, [Mention(mention, "x")]).spans
        assert [(span.start, span.end) for span in spans] == places_by_trying_everything(text, mention)


def places_by_trying_everything(text: str, mention: str) -> list[tuple[int, int]]:
    """Every slice at word edges: those that equal the mention but for their initials' case, else but for case."""

    def slices(accept: object) -> list[tuple[int, int]]:
        return [
            (start, end)
            for start in range(len(text))
            for end in range(start + 1, len(text) + 1)
            if is_edge(text, start) and is_edge(text, end) and callable(accept) and accept(text[start:end])
        ]

    def initials_lowered(string: str) -> str:
        return " ".join(word[:1].lower() + word[1:] for word in string.split(" "))

    if slices(lambda surface: surface == mention):
        return slices(lambda surface: initials_lowered(surface) == initials_lowered(mention))
    cased = slices(lambda surface: surface.lower() == mention.lower())
    return cased or slices(lambda surface: squeezed(surface) == squeezed(mention) and surface.strip() == surface)


def squeezed(string: str) -> str:
    return "".join(string.lower().split())


def is_edge(text: str, index: int) -> bool:
    return index in (0, len(text)) or " " in (text[index - 1], text[index])


@given(texts)
def test_folding_knows_where_each_character_came_from(text: str) -> None:
    folded = fold(text)
    assert len(folded.text) == len(folded.origins)
    assert list(folded.origins) == sorted(folded.origins)
    for character, origin in zip(folded.text, folded.origins, strict=True):
        assert character in fold(text[origin]).text or character == " "


@given(texts)
def test_equivalent_unicode_forms_fold_alike(text: str) -> None:
    assert fold(unicodedata.normalize("NFC", text)).text == fold(unicodedata.normalize("NFD", text)).text
