"""PubTator's offsets run through title and abstract; ours are counted within each."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.pubtator import read_pubtator
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError
from tests.shared_data import shared_data

FIRST = "1|t|EGFR in lung cancer.\n1|a|Mutated EGFR.\n1\t0\t4\tEGFR\tGene\t1956\n1\t29\t33\tEGFR\tGene\t1956\n"
SECOND = "2|t|Aspirin\n2|a|\n2\t0\t7\tAspirin\tChemical\tD1\n2\tCID\tD1\tD2\n"


def read(path: Path, content: str) -> list[Document]:
    path /= "corpus.txt"
    path.write_bytes(content.encode())
    return list(Corpus(reader=read_pubtator, path=path))


@pytest.mark.parametrize(
    "content",
    [
        FIRST + "\n" + SECOND,
        "\n\n" + FIRST + "\n\n\n" + SECOND + "\n\n",
        FIRST + SECOND,
        (FIRST + "\n" + SECOND).replace("\n", "\r\n"),
    ],
    ids=["a blank line between", "blank lines anywhere", "no blank line", "Windows line ends"],
)
def test_title_and_abstract_are_sections_with_offsets_of_their_own(tmp_path: Path, content: str) -> None:
    gene = Section("title", "EGFR in lung cancer.", (Span(0, 4, "Gene", source="gold"),))
    abstract = Section("abstract", "Mutated EGFR.", (Span(8, 12, "Gene", source="gold"),))
    drug = Section("title", "Aspirin", (Span(0, 7, "Chemical", source="gold"),))
    assert read(tmp_path, content) == [
        Document("1", (gene, abstract)),
        Document("2", (drug, Section("abstract", ""))),
    ]


PASSAGES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n\r"))


@given(PASSAGES, PASSAGES, st.integers(0, 30), st.integers(1, 30))
def test_a_span_stands_where_the_joined_text_has_it_or_is_refused(
    tmp_path_factory: pytest.TempPathFactory, title: str, abstract: str, start: int, length: int
) -> None:
    joined, end = f"{title} {abstract}", start + length
    mention = " ".join(joined[start:end].split())
    content = f"1|t|{title}\n1|a|{abstract}\n1\t{start}\t{end}\t{mention}\tAny\n"
    folder = tmp_path_factory.mktemp("pubtator")
    if end > len(joined) or start <= len(title) < end:
        with pytest.raises(CorpusError, match=r"ends after the text|crosses the border"):
            read(folder, content)
        return
    (document,) = read(folder, content)
    assert [section.text for section in document.sections] == [title, abstract]
    ((section, span),) = document.spans
    assert section.mention(span) == joined[start:end]
    assert section.name == ("title" if end <= len(title) else "abstract")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("1|t|EGFR x\n1|a|y\n1\t5\t8\tx y\tGene\n", r':3: document "1": \(5–8, "Gene"\) crosses the border'),
        ("1|t|EGFR\n1|a|y\n1\t0\t5\tEGFR\n", ':3: document "1": neither a title, an abstract nor an annotation'),
        ("1|t|EGFR\n1\tx\t5\tEGFR\tGene\n", ':2: document "1": neither a title'),
        ("1|t|KRAS\n1\t0\t4\tEGFR\tGene\n", r':2: document "1": .* should be "EGFR", but the text there is "KRAS"'),
        ("1|t|EGFR\n1|t|EGFR\n", ':2: document "1" stands already at .*:1'),
        ("1|t|EGFR\n1|a|y\n1|a|z\n", ':3: document "1": a document is a line |t|, then a line'),
        ("1|a|y\n1|t|EGFR\n", ':1: document "1": a document is a line'),
        ("1|t|EGFR\n2\t0\t4\tEGFR\tGene\n", ':2: document "2":'),
        ("hello\n", ":1: document .*neither a title"),
    ],
)
def test_a_broken_document_is_named_with_file_line_and_reason(tmp_path: Path, content: str, reason: str) -> None:
    with pytest.raises(CorpusError, match=rf"corpus\.txt{reason}"):
        read(tmp_path, content)


def test_bytes_that_are_not_utf_8_are_an_error_of_their_document_only(tmp_path: Path) -> None:
    (tmp_path / "x.PubTator").write_bytes(b"1|t|na\xefve\n1|a|\n2|t|fine\n")
    corpus = Corpus(reader=read_pubtator, path=tmp_path, on_error="skip")
    assert [document.id for document in corpus] == ["2"]
    assert 'x.PubTator:1: document "1": not UTF-8 at byte 6' in corpus.skipped_examples[0]


@pytest.mark.parametrize(
    ("part", "documents", "entities"), [("train", 592, 5_134), ("develop", 100, 787), ("test", 100, 960)]
)
def test_the_ncbi_disease_corpus_is_read_but_for_the_abstract_it_has_twice(
    part: str, documents: int, entities: int
) -> None:
    corpus = Corpus(reader=read_pubtator, path=shared_data(f"ncbi_disease/NCBI{part}set_corpus.txt"), on_error="skip")
    read = list(corpus)
    assert len(read) == documents
    assert sum(len(document.spans) for document in read) == entities
    twice = [message for message in corpus.skipped_examples if '"8528200" stands already' in message]
    assert len(twice) == corpus.skipped == (part == "train")
    assert set(Counter(span.label for document in read for _, span in document.spans)) == {
        "SpecificDisease",
        "DiseaseClass",
        "Modifier",
        "CompositeMention",
    }
