"""A corpus streams what its reader finds, checks it, and stops or counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.corpora.jsonl import read_jsonl
from kazu_distill.corpora.records import Record
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import ConfigError, CorpusError

CONF = Path(__file__).parents[2] / "conf" / "corpus"
GOOD = '{"id": "a", "text": "EGFR", "entities": [{"start": 0, "end": 4, "label": "gene"}]}'
BROKEN = '{"id": "b", "text": "EGFR", "entities": [{"start": 0, "end": 5, "label": "gene"}]}'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "part-3.jsonl"
    path.write_text("\n".join([GOOD, BROKEN, GOOD, '{"id": "c", "text": ""}']))
    return path


def test_the_first_broken_record_stops_with_file_line_document_reason_and_advice(path: Path) -> None:
    documents = iter(Corpus(reader=read_jsonl, path=path))
    assert next(documents).id == "a"
    with pytest.raises(CorpusError) as raised:
        next(documents)
    assert str(raised.value) == (
        f'{path}:2: document "b": span 0 (0–5, "gene") ends after the text (4 characters).\n'
        "Mend the file, or set corpus.on_error=skip to count such documents and go on."
    )


def test_skipped_records_are_counted_with_their_messages_and_the_rest_is_read_each_time(path: Path) -> None:
    corpus = Corpus(reader=read_jsonl, path=str(path), on_error="skip")
    for _ in range(2):
        assert [document.id for document in corpus] == ["a", "c"]
        assert corpus.skipped == 2
        broken, repeated = corpus.skipped_examples
        assert f"{path}:2" in broken
        assert repeated == f'{path}:3: document "a" stands already at {path}:1'
        assert corpus.remarks() == [f"documents skipped: 2; the first: {broken}"]


def test_only_the_first_few_messages_are_kept(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text("{\n" * 40)
    corpus = Corpus(reader=read_jsonl, path=tmp_path, on_error="skip")
    assert list(corpus) == []
    assert corpus.skipped == 40
    assert len(corpus.skipped_examples) == 5


def test_an_unknown_class_is_an_error_where_the_classes_are_given(path: Path) -> None:
    with pytest.raises(CorpusError, match=r'part-3\.jsonl:1: document "a": class "gene" is not in the schema \(drug\)'):
        list(Corpus(reader=read_jsonl, path=path, labels=["drug"]))


def test_a_missing_path_is_an_error_even_where_broken_records_are_skipped(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"no such file or folder$"):
        list(Corpus(reader=read_jsonl, path=tmp_path / "nowhere", on_error="skip"))


def test_documents_are_streamed() -> None:
    def endless(_path: Path) -> Iterator[Record | CorpusError]:
        number = 0
        while True:
            yield Record("here", Document(str(number), ()), {"bent": 1})
            number += 1

    corpus = Corpus(reader=endless, path="anywhere")
    for document in corpus:
        if document.id == "1000":
            break
    assert corpus.remarks() == ["bent: 1,001"]


def test_another_on_error_is_a_config_error() -> None:
    with pytest.raises(ConfigError, match=r"corpus\.on_error is 'ignore': choose stop or skip"):
        Corpus(reader=read_jsonl, path="x", on_error="ignore")


FILES = {
    "text": ("x.txt", "EGFR"),
    "jsonl": ("x.jsonl", '{"id": "x", "text": "EGFR", "entities": [{"start": 0, "end": 4, "label": "gene"}]}'),
    "brat": ("x.txt", "EGFR"),
    "pubtator": ("x.txt", "x|t|EGFR\nx\t0\t4\tEGFR\tgene\n"),
    "kazu": ("x.json", '{"idx": "x", "sections": [{"text": "EGFR", "name": "a", "entities": []}]}'),
}


@pytest.mark.parametrize("name", sorted(file.stem for file in CONF.glob("*.yaml")))
def test_every_shipped_corpus_config_reads_its_format(name: str, tmp_path: Path) -> None:
    if name not in FILES:
        pytest.fail(f"add a smallest file of the format {name} to this test")
    file_name, content = FILES[name]
    (tmp_path / file_name).write_text(content)
    if name == "brat":
        (tmp_path / "x.ann").write_text("T1\tgene 0 4\tEGFR\n")
    config = OmegaConf.load(CONF / f"{name}.yaml")
    config.path = str(tmp_path)
    spans = [] if name in ("text", "kazu") else [Span(0, 4, "gene", source="gold")]
    for corpus in (instantiate(config), instantiate(config, labels=("gene",))):
        (document,) = corpus
        assert document.id == "x"
        assert document.spans == [(document.sections[0], span) for span in spans]
        assert isinstance(document.sections[0], Section)
