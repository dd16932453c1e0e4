"""brat's stand-off files become documents whose spans are the mentions that the files spell out."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.corpora.brat import read_brat
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.documents import Span
from kazu_distill.errors import CorpusError
from tests.shared_data import shared_data

TEXT = "lung and breast\ncancer"
IN_PIECES = "T1\tCancer 0 4;16 22\tlung cancer\n"


def write(folder: Path, text: str, **annotations: str) -> Path:
    (folder / "x.txt").write_bytes(text.encode())
    for suffix, lines in annotations.items():
        (folder / f"x.{suffix}").write_bytes(lines.encode())
    return folder


def spans(path: Path) -> list[Span]:
    return [span for document in Corpus(reader=read_brat, path=path) for _, span in document.spans]


def test_text_bound_annotations_of_every_file_are_read_and_the_others_are_not(tmp_path: Path) -> None:
    write(
        tmp_path,
        TEXT,
        a1="T1\tOrgan 0 4\tlung\nT2\tCancer 9 22\tbreast cancer\n*\tEquiv T1 T2\n#1\tNote T1\tsee T2\n",
        a2="T3\tTrigger 5 8\tand\r\nE1\tTrigger:T3 Theme:T1\n",
    )
    expected = [Span(0, 4, "Organ", source="gold"), Span(9, 22, "Cancer", source="gold")]
    assert spans(tmp_path) == spans(tmp_path / "x.txt") == [*expected, Span(5, 8, "Trigger", source="gold")]
    entities_only = partial(read_brat, annotation_suffixes=[".ann", ".a1"])
    (document,) = Corpus(reader=entities_only, path=tmp_path)
    assert [span for _, span in document.spans] == expected


@pytest.mark.parametrize(
    ("policy", "places"), [("envelope", [(0, 22)]), ("first", [(0, 4)]), ("drop", [])], ids=lambda value: str(value)
)
def test_a_mention_in_pieces_follows_the_policy_and_is_counted(
    tmp_path: Path, policy: str, places: list[tuple[int, int]]
) -> None:
    corpus = Corpus(reader=partial(read_brat, discontinuous=policy), path=write(tmp_path, TEXT, ann=IN_PIECES))
    (document,) = corpus
    assert [(span.start, span.end) for _, span in document.spans] == places
    assert corpus.adjusted.total() == 1
    assert "discontinuous mentions" in corpus.remarks()[0]


def test_a_text_without_annotation_file_is_counted_and_an_annotation_without_text_is_an_error(tmp_path: Path) -> None:
    corpus = Corpus(reader=read_brat, path=write(tmp_path, TEXT))
    assert [document.spans for document in corpus] == [[]]
    assert corpus.remarks() == ["texts without an annotation file, taken to have no entities: 1"]
    (tmp_path / "y.ann").write_text(IN_PIECES)
    with pytest.raises(CorpusError, match=r'y\.ann: document "y": there is no \.txt file beside it'):
        list(corpus)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("T2\tOrgan 1 5\tlung", r'\(1–5, "Organ"\) should be "lung", but the text there is "ung "'),
        ("T2\tOrgan 0 99\tlung", r'\(0–99, "Organ"\) ends after the text \(22 characters\)'),
        ("T2\tOrgan 4 4\t", r'\(4–4, "Organ"\) is empty'),
        ("T2\tOrgan 0 4", "must have three columns"),
        ("T2\tOrgan\tlung", 'has the offsets ""'),
        ("T2\tOrgan 0 4;\tlung", 'has the offsets "0 4;"'),
        ("T2\tOrgan zero 4\tlung", 'has the offsets "zero 4"'),
    ],
)
def test_a_broken_annotation_is_named_with_file_and_line(tmp_path: Path, line: str, reason: str) -> None:
    path = write(tmp_path, TEXT, ann=f"T1\tOrgan 0 4\tlung\n{line}\n")
    with pytest.raises(CorpusError, match=rf'x\.ann:2: document "x": annotation T2 {reason}'):
        list(Corpus(reader=read_brat, path=path))


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.data())
def test_offsets_are_those_of_the_file_s_characters(
    tmp_path_factory: pytest.TempPathFactory, text: str, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    # brat writes a line's end within a mention as a space.
    mention = text[start:end].replace("\n", " ").replace("\r", " ")
    path = write(tmp_path_factory.mktemp("brat"), text, ann=f"T1\tAny {start} {end}\t{mention}\n")
    (document,) = Corpus(reader=read_brat, path=path)
    assert document.sections[0].text == text
    assert document.spans == [(document.sections[0], Span(start, end, "Any", source="gold"))]


@pytest.mark.parametrize(
    ("part", "documents", "entities"), [("train", 300, 10_935), ("devel", 100, 3_634), ("test", 200, 6_955)]
)
def test_the_cancer_genetics_corpus_is_read_whole(part: str, documents: int, entities: int) -> None:
    """The reader compares each mention with the text, so this also says that all 21,524 are where they should be."""
    folder = shared_data(f"bionlp13cg/{part}")
    corpus = Corpus(reader=read_brat, path=folder)
    read = {document.id: document for document in corpus}
    assert len(read) == documents
    assert sum(len(document.spans) for document in read.values()) == entities
    assert corpus.remarks() == []
    for name, document in read.items():
        written = [line.split("\t")[2] for line in (folder / f"{name}.a1").read_text().splitlines()]
        assert [section.mention(span) for section, span in document.spans] == written
