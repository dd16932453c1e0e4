"""A file of labelled documents goes on where an ended run left it, and never mixes two runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.document_files import BusyFile, document_line, read_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.resumable_file import resumable_file

Blocks = Sequence[Sequence[Document]]


def corpus(blocks: int = 4, each: int = 3, text: str = "EGFR rose") -> Blocks:
    return [
        [Document(f"{block}-{number}", (Section("t", text),), {"pages": [1, 2]}) for number in range(each)]
        for block in range(blocks)
    ]


def labelled(document: Document, source: str = "model") -> Document:
    return document.with_spans([(Span(0, 4, "gene", 0.7, source),)])


class Ended(Exception):
    """The run is over before its time."""


def run(path: Path, blocks: Blocks, key: str = "a", ends_after: int | None = None) -> tuple[int, int, bool]:
    """Label a corpus; returns how many documents were kept, how many labelled, and whether there was a misfit."""
    done = 0

    def counted(documents: Sequence[Document]) -> Iterator[Document]:
        nonlocal done
        for document in documents:
            if done == ends_after:
                raise Ended
            done += 1
            yield labelled(document, key)

    with resumable_file(path, key=key) as file:
        for block in file.remaining(iter(blocks)):
            file.append(counted(block))
    return file.kept, done, file.misfit


def whole(blocks: Blocks, key: str = "a") -> bytes:
    return b"".join(document_line(labelled(document, key)) for block in blocks for document in block)


def unfinished(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


@given(ends_after=st.integers(0, 11), cut=st.integers(0, 200))
def test_a_run_that_ended_anywhere_goes_on_to_the_same_file(
    tmp_path_factory: pytest.TempPathFactory, ends_after: int, cut: int
) -> None:
    path = tmp_path_factory.mktemp("run") / "documents.jsonl"
    with pytest.raises(Ended):
        run(path, corpus(), ends_after=ends_after)
    assert not path.exists()
    half = unfinished(path)
    half.write_bytes(half.read_bytes()[: max(0, half.stat().st_size - cut)])  # of what was not yet on the disk
    lines = half.read_bytes().count(b"\n")
    assert run(path, corpus()) == (lines // 3 * 3, 12 - lines // 3 * 3, False)
    assert path.read_bytes() == whole(corpus())
    assert list(path.parent.iterdir()) == [path]


def test_what_another_key_began_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    with pytest.raises(Ended):
        run(path, corpus(), key="another model", ends_after=7)
    with pytest.raises(Ended):
        run(path, corpus(), key="a", ends_after=0)
    assert run(path, corpus(), key="a") == (0, 12, False)
    with pytest.raises(Ended):
        run(path, corpus(), key="another model", ends_after=7)
    assert run(path, corpus(), key="a") == (0, 12, True)
    assert path.read_bytes() == whole(corpus())


@pytest.mark.parametrize("lost", ["key", "garbled key"])
def test_a_file_whose_key_is_lost_is_made_anew(lost: str, tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    with pytest.raises(Ended):
        run(path, corpus(), ends_after=7)
    key = unfinished(path).with_name(f"{unfinished(path).name}.json")
    key.unlink() if lost == "key" else key.write_text("[")
    assert run(path, corpus()) == (0, 12, True)


def test_where_the_corpus_has_changed_it_is_labelled_anew(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    changed = [*corpus()[:1], *corpus(text="TP53 fell")[1:]]
    for corpora in ((corpus(), changed), (changed, corpus()[:1])):
        with pytest.raises(Ended):
            run(path, corpora[0], ends_after=9)
        assert run(path, corpora[1]) == (3, sum(map(len, corpora[1])) - 3, True)
        assert path.read_bytes() == whole(corpora[1])


def test_metadata_that_json_writes_otherwise_is_no_change(tmp_path: Path) -> None:
    odd = [[Document(str(number), (), {"pages": (1, 2), "value": float("nan")})] for number in range(3)]
    with contextlib.suppress(Ended), resumable_file(tmp_path / "documents.jsonl", key="a") as file:
        file.append(odd[0])
        raise Ended
    with resumable_file(tmp_path / "documents.jsonl", key="a") as file:
        assert list(file.remaining(iter(odd))) == odd[1:]


def test_a_file_that_another_run_is_writing_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "documents.jsonl"
    with resumable_file(path, key="a") as file:
        file.append(corpus()[0])
        with pytest.raises(BusyFile), resumable_file(path, key="b"):
            pass
    assert len(list(read_documents(path))) == 3
