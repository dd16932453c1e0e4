"""Passages of a folder of texts: background for a text, and never what is asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.errors import ConfigError, CorpusError
from kazu_distill.llm.tokens import estimate_tokens
from kazu_distill.retrieval.bm25 import BM25Index
from kazu_distill.retrieval.dense import DenseIndex
from kazu_distill.retrieval.folder import FolderKnowledge
from tests.retrieval.pools import WordEncoder, labelled, prose, written
from tests.retrieval.test_leaks import edited

FILES = {
    "drugs/aspirin.md": "# Aspirin\n\nAspirin inhibits cyclooxygenase.\n\nIt is an acid.",
    "genes.txt": "BRCA1 is a gene.\n\nTP53 is another gene, mutated in tumours.",
    "ignored.csv": "Aspirin,drug",
}


def knowledge(folder: Path, files: dict[str, str], **settings: Any) -> FolderKnowledge:
    for name, text in files.items():
        (folder / "texts" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "texts" / name).write_text(text)
    arguments: dict[str, Any] = {
        "path": folder / "texts",
        "index": BM25Index(),
        "chunks": Chunker(tokens=12),
        "above": 0,
        "cache": folder / "cache",
    }
    return FolderKnowledge(**arguments | settings)


def ask(passages: FolderKnowledge, text: str, identifier: str = "asked") -> tuple[str, ...]:
    return passages.passages(text, labelled(identifier, text))


@pytest.mark.parametrize("index", [BM25Index(), DenseIndex(encoder=WordEncoder())], ids=["bm25", "dense"])
def test_passages_about_the_text_are_found_the_most_similar_last(index: Any, tmp_path: Path) -> None:
    passages = knowledge(tmp_path, FILES, index=index)
    shown = ask(passages, "Is TP53 mutated like every other gene of the cell?")
    assert shown[-1] == "TP53 is another gene, mutated in tumours."
    assert len(shown) <= 2
    assert passages.figures()["files"] == 2


def test_nothing_in_common_shows_nothing(tmp_path: Path) -> None:
    passages = knowledge(tmp_path, FILES)
    assert ask(passages, "Wheat grows.") == ()
    assert passages.figures()["queries_without_passage"] == 1
    assert passages.remarks() == [f"knowledge: {passages.figures()['passages']} passages of 2 files"]


def test_a_text_is_no_background_of_itself_nor_of_what_it_stands_in(tmp_path: Path) -> None:
    abstract, other = prose(1, 120), prose(2, 120)
    files = {"near.txt": edited(abstract, 1, 0), "paper.txt": f"{prose(5, 300)}\n\n{abstract}", "other.txt": other}
    files["asked.txt"] = prose(7, 60)
    passages = knowledge(tmp_path, files, chunks=Chunker(tokens=100), k=50, max_tokens=10**6)
    assert set(ask(passages, abstract)) <= set(passages_of(other))
    # A passage of the document, when another part of it is asked about.
    document = labelled("whole", f"{abstract} {other}")
    shown = passages.passages(prose(2, 120)[:200], document)
    assert files["asked.txt"] in shown
    assert all(passage == files["asked.txt"] or passage in prose(5, 300) for passage in shown)
    figures = passages.figures()
    assert figures["excluded_self"] == 1
    assert figures["excluded_near_duplicates"] > 5


def passages_of(text: str) -> list[str]:
    return [text[chunk.start : chunk.end].strip() for chunk in Chunker(tokens=100).chunks(text)]


def test_what_is_measured_on_is_no_background(tmp_path: Path) -> None:
    abstract = prose(1, 120)
    held_out = str(written(tmp_path / "test.jsonl", labelled("t", abstract)))
    files = {"a.txt": f"Before it.\n\n{abstract}", "b.txt": prose(2, 50)}
    passages = knowledge(tmp_path, files, chunks=Chunker(tokens=100), not_from=[held_out])
    assert ask(passages, prose(1, 40)) == (files["b.txt"],)
    assert passages.figures()["excluded_evaluation"] == len(passages_of(files["a.txt"]))
    with pytest.raises(ConfigError, match=r"all of it is of the documents of knowledge\.not_from"):
        knowledge(tmp_path / "x", {"a.txt": abstract}, not_from=[held_out]).prepare()


def test_what_does_not_fit_is_left_out_whole(tmp_path: Path) -> None:
    passages = knowledge(tmp_path, FILES, max_tokens=12, k=9)
    shown = ask(passages, "Aspirin, BRCA1, TP53: acid, gene, tumours")
    assert sum(map(estimate_tokens, shown)) <= 12
    assert passages.figures()["left_out_for_length"] > 0
    assert all(any(passage in text for text in FILES.values()) for passage in shown)


def test_a_folder_without_texts_or_with_an_unreadable_one_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file or folder"):
        knowledge(tmp_path, {}).prepare()
    with pytest.raises(CorpusError, match="the files have no text"):
        knowledge(tmp_path / "blank", {"a.txt": " \n"}).prepare()
    (tmp_path / "texts").mkdir(exist_ok=True)
    (tmp_path / "texts/latin.txt").write_bytes("Sjögren".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"latin\.txt: not UTF-8 at byte 2"):
        knowledge(tmp_path, {}).prepare()
