import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.llm.tokens import TokenCounts, estimate_tokens
from tests.shared_data import shared_data

texts = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("aaA1 .,\nαд糖👩\u200d\u0301\ud800")), max_size=60)

ABSTRACT = (
    "Lithium-induced nephrotoxicity was studied in 12 patients who received 900 mg/day. Serum creatinine rose from "
    "1.1 to 1.6 mg/dl (p < 0.05), and IL-6 and TNF-alpha were elevated; withdrawal of the drug led to recovery."
)


# What cl100k, o200k, Tekken and Claude's first vocabulary make of these texts, at the least and at the most.
@pytest.mark.parametrize(
    ("text", "least", "most"),
    [
        (ABSTRACT, 64, 66),
        ('{"entities": [{"entity_match": "lithium", "entity_class": "Chemical"}]}', 20, 23),
        ("4-amino-5-chloro-N-[2-(diethylamino)ethyl]-2-methoxybenzamide; CC(=O)Oc1ccccc1C(=O)O", 37, 44),
        ("TNF-α, IL-1β and IFN-γ induced NF-κB; β-catenin, TGF-β1 and 5 μg/ml of α-synuclein.", 32, 43),
        ("12.5 ± 3.4 vs. 10.1 ± 2.2 mg/kg; 95% CI 1.23-4.56; n = 1204; 0.0032; 1998-2005", 44, 66),
        ("Сахарный диабет — это заболевание обмена веществ", 12, 24),
        ("糖尿病是一种以高血糖为特征的代谢性疾病。患者通常表现为多饮、多尿和体重下降。", 31, 58),
        ("fever 🤒 and rash 😷😷 after 💊", 13, 18),
    ],
)
def test_the_estimate_is_near_to_what_real_vocabularies_make(text: str, least: int, most: int) -> None:
    assert 0.85 * least <= estimate_tokens(text) <= 1.15 * most


def test_abstracts_have_about_four_and_a_half_characters_a_token() -> None:
    lines = (shared_data("bc5cdr_llm") / "documents.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    # cl100k 4.42, o200k 4.53, Tekken 4.54, Claude's first 4.46
    assert 4.2 < sum(map(len, texts)) / sum(map(estimate_tokens, texts)) < 4.7


def test_nothing_is_no_token() -> None:
    assert estimate_tokens("") == 0


@given(texts, st.data())
def test_the_estimate_of_a_stretch_is_that_of_its_text(text: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    assert TokenCounts(text).between(start, end) == estimate_tokens(text[start:end])


@given(texts, st.integers(0, 40), st.data())
def test_a_stretch_of_so_many_tokens_is_the_longest_there_is(text: str, tokens: int, data: st.DataObject) -> None:
    counts, here = TokenCounts(text), data.draw(st.integers(0, len(text)))
    ends = [end for end in range(here, len(text) + 1) if estimate_tokens(text[here:end]) <= tokens]
    assert counts.end_of(here, tokens) == ends[-1]
    starts = [start for start in range(here + 1) if estimate_tokens(text[start:here]) <= tokens]
    longest = counts.start_of(here, tokens)
    assert longest in starts
    assert longest == here or all(start in starts for start in range(longest, here + 1))


@given(texts, texts)
def test_a_longer_text_has_no_fewer_tokens(text: str, more: str) -> None:
    assert estimate_tokens(text + more) >= estimate_tokens(text)
