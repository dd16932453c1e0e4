"""Plain text becomes documents as it stands in the file."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.text import read_text_files
from kazu_distill.errors import CorpusError


def texts(path: Path) -> dict[str, str]:
    return {document.id: document.sections[0].text for document in Corpus(reader=read_text_files, path=path)}


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff")))
def test_the_text_is_the_file_s_text_line_ends_included(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("text") / "x.txt"
    path.write_bytes(text.encode())
    assert texts(path) == {"x": text}


def test_a_windows_line_end_stays_two_characters_and_a_byte_order_mark_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(codecs.BOM_UTF8 + b"EGFR\r\nKRAS\r\n")
    assert texts(tmp_path) == {"x": "EGFR\r\nKRAS\r\n"}


def test_ids_are_paths_in_the_folder_without_suffix_and_other_files_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "2020").mkdir()
    for name in ("b.txt", "2020/a.v1.txt", "empty.TXT", "readme.md", "._b.txt"):
        (tmp_path / name).write_text("" if "empty" in name else name)
    assert texts(tmp_path) == {"2020/a.v1": "2020/a.v1.txt", "b": "b.txt", "empty": ""}


def test_bytes_that_are_not_utf_8_are_an_error_that_names_the_place(tmp_path: Path) -> None:
    (tmp_path / "latin.txt").write_bytes("naïve".encode("latin-1"))
    (tmp_path / "more.txt").write_text("more")
    with pytest.raises(CorpusError, match=r"latin\.txt: not UTF-8 at byte 2 \(0xef\); save the file as UTF-8"):
        texts(tmp_path)
    corpus = Corpus(reader=read_text_files, path=tmp_path, on_error="skip")
    assert [document.id for document in corpus] == ["more"]
