from itertools import pairwise

import pytest

from kazu_distill.annotation.chunking.sentences import ends_in


def sentences_of(text: str) -> list[str]:
    ends = ends_in(text)
    cuts = [0, *sorted([*ends.paragraphs, *ends.sentences, *ends.lines]), len(text)]
    return [text[start:end] for start, end in pairwise(cuts)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["Gout hurts. ", "It is old. ", "Rest helps!  ", "Does it? ", "Yes."],
        ["S. aureus and E. coli grew (Fig. 2). ", "See Figs. 3 and 4, No. 5 and Ref. 12. ", "It was no. ", "The end."],
        ["Smith et al. 2010 and Jones et al. (2011) agree. ", "So do Lee et al. ", "We do not."],
        ["It is known (Smith et al., 2010). ", "The rest is not [12]. ", "Nor is this.[13,14] ", "Or this.15 ", "End."],
        ["Drugs, e.g. aspirin, i.e. Bayer's, were given i.v. to mice, 5 mg p.o. ", "The mice slept."],
        [
            "EGFR vs. KRAS, cf. Dr. Smith. ",
            "Vitamin C. ",
            "The dose was 0.5 mg. ",
            "10 mice died (p < 0.05). ",
            "The rest lived.",
        ],
        ["It was seen in vivo. ", "p53 rose. ", "mRNA fell. ", "α-Synuclein stayed."],
        ["“Is it so?” asked J. Smith. ", "“It is.” ", "Then… ", "Nothing... ", "The end."],
        ["Methods\n", "1. Introduction\n", "We measured.\n", "- mice\n", "- rats\n", "(a) both\n", "Then we stopped."],
        ["Patients with\nAlzheimer disease and the\nParkinson group were wrapped\nby hand. ", "Two lines."],
        ["Title without a stop\n\n", "And a text."],
        ["糖尿病是一种疾病。", "患者有多饮！", "「はい。」", "次の文。"],
        ["One paragraph.\n\n", "Another.\r\n", "A third."],
    ],
)
def test_sentences_end_where_a_reader_says(sentences: list[str]) -> None:
    assert sentences_of("".join(sentences)) == sentences


def test_ends_are_told_by_kind() -> None:
    ends = ends_in("Methods\nWe measured. We wrote.\nWe slept.")
    assert (ends.lines, ends.sentences, ends.paragraphs) == ([8], [21], [31])
    assert [ends.first_after(position) for position in (0, 8, 9, 22, 32)] == [8, 8, 21, 31, None]


def test_no_sentence_begins_with_the_accent_of_another_ones_last_character() -> None:
    assert sentences_of("Gout. \u0301It") == ["Gout. \u0301It"]
