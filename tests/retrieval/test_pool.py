"""Labelled documents become examples; what is left out or changed on the way is counted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kazu_distill.annotation.chunking.chunks import Chunker
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError, CorpusError
from kazu_distill.retrieval.pool import Pool, read_pool
from kazu_distill.schema import Schema
from tests.retrieval.pools import SCHEMA, labelled, prose, written

ASPIRIN = labelled("a", "Aspirin helps against headache.", {"Aspirin": "drug", "headache": "Disease"})


def read(*paths: Path, **settings: Any) -> Pool:
    arguments: dict[str, Any] = {"schema": SCHEMA, "chunker": Chunker(tokens=600), "min_score": 0.0, "not_from": ()}
    return read_pool(paths, **arguments | settings)


def test_documents_become_examples_with_the_schemas_own_names_and_those_without_entities_are_examples(
    tmp_path: Path,
) -> None:
    pool = read(written(tmp_path / "p.jsonl", ASPIRIN, labelled("b", "Nothing here.")))
    first, second = pool.examples
    assert [(first.text[span.start : span.end], span.label) for span in first.spans] == [
        ("Aspirin", "drug"),
        ("headache", "disease"),
    ]
    assert (second.text, second.spans, second.document_id) == ("Nothing here.", (), "b")
    assert +pool.counts == {"documents": 2, "chunks": 2, "spans": 2}


texts = st.lists(
    st.sampled_from(["BRCA1 is mutated. ", "𝐗 aspirin\n\n", "no entity, ", "e\u0301 🧬 "]), max_size=12
).map("".join)


@settings(deadline=None)
@given(
    text=texts,
    places=st.lists(st.tuples(st.integers(0, 150), st.integers(1, 30)), max_size=8),
    tokens=st.integers(2, 40),
)
def test_spans_keep_their_mentions_and_those_that_a_border_cuts_are_counted(
    text: str, places: list[tuple[int, int]], tokens: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    spans = [Span(start, start + length, "gene") for start, length in places if start + length <= len(text)]
    document = Document("d", (Section("", text, tuple(spans)),))
    sure = labelled("sure", "x", {"x": "gene"})
    path = written(tmp_path_factory.mktemp("pool") / "p.jsonl", sure, document)
    pool = read(path, chunker=Chunker(tokens=tokens))
    chunks = [(chunk.start, chunk.end) for chunk in Chunker(tokens=tokens).chunks(text)]
    inside = [span for span in spans for start, end in chunks if start <= span.start and span.end <= end]
    assert pool.counts["spans"] == 1 + len(inside)
    assert pool.counts["spans_cut"] == len(spans) - len(inside)
    mentions = {text[span.start : span.end] for span in inside} | {"x"}
    assert {example.text[span.start : span.end] for example in pool.examples for span in example.spans} <= mentions


def test_the_first_file_that_has_a_document_counts_and_a_text_comes_once(tmp_path: Path) -> None:
    gold = written(tmp_path / "gold.jsonl", ASPIRIN)
    silver = written(
        tmp_path / "silver.jsonl",
        labelled("a", "Aspirin helps against headache.", {"Aspirin": "gene"}),
        labelled("c", "ASPIRIN  helps against headache."),
        labelled("d", "Another one."),
    )
    pool = read(gold, silver)
    assert [(example.document_id, len(example.spans)) for example in pool.examples] == [("a", 2), ("d", 0)]
    assert pool.counts["repeated_documents"] == 1
    assert pool.counts["repeated_texts"] == 1


def test_a_chunk_with_a_doubtful_span_is_left_out_whole(tmp_path: Path) -> None:
    sure = labelled("sure", "Aspirin and BRCA1.", {"Aspirin": "drug"}, score=0.8)
    doubtful = labelled("doubtful", "Insulin and TP53.", {"Insulin": "drug"}, score=0.5)
    path = written(tmp_path / "p.jsonl", sure, doubtful)
    pool = read(path, min_score=0.6)
    assert [example.document_id for example in pool.examples] == ["sure"]
    assert pool.counts["chunks_with_low_scores"] == 1
    with pytest.raises(ConfigError, match=r"every chunk of .* has a span with a lower score"):
        read(path, min_score=0.9)


def test_spans_of_other_classes_are_left_out_and_a_pool_of_only_such_is_an_error(tmp_path: Path) -> None:
    path = written(tmp_path / "p.jsonl", ASPIRIN)
    only_drugs = Schema(name="drugs", classes={"Drug": {}})
    pool = read(path, schema=only_drugs)
    assert [span.label for span in pool.examples[0].spans] == ["Drug"]
    assert pool.counts["spans_of_other_classes"] == 1
    with pytest.raises(ConfigError, match=r"no span is of a class of the schema cells \(cell, tissue\)"):
        read(path, schema=Schema(name="cells", classes={"cell": {}, "tissue": {}}))


def test_a_pool_with_nothing_to_show_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file or folder"):
        read(tmp_path / "absent.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n")
    with pytest.raises(ConfigError, match=r"empty\.jsonl: no documents"):
        read(tmp_path / "empty.jsonl")
    with pytest.raises(ConfigError, match="no document has a span"):
        read(written(tmp_path / "p.jsonl", labelled("a", "Aspirin."), labelled("b", " ")))
    with pytest.raises(ConfigError, match=r"examples\.chunks\.tokens: .* every span is cut"):
        read(written(tmp_path / "p.jsonl", ASPIRIN), chunker=Chunker(tokens=1))
    (tmp_path / "broken.jsonl").write_text('{"id": 1}\n')
    with pytest.raises(CorpusError, match=r"broken\.jsonl:1"):
        read(tmp_path / "broken.jsonl")


def test_what_is_measured_on_is_taken_out_and_counted(tmp_path: Path) -> None:
    seen = labelled("seen", prose(1, 150))
    pool = written(tmp_path / "p.jsonl", ASPIRIN, labelled("b", prose(1, 150).upper()), labelled("held", prose(3)))
    held_out = written(tmp_path / "test.jsonl", seen, labelled("held", prose(4)))
    left = read(pool, not_from=[held_out])
    assert [example.document_id for example in left.examples] == ["a"]
    assert left.counts["excluded_evaluation"] == 2
    assert left.pieces.texts == [ASPIRIN.sections[0].text]
    with pytest.raises(ConfigError, match=r"the whole pool is of the documents of examples\.not_from"):
        read(pool, not_from=[pool])
