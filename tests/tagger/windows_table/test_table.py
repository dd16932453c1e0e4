import json
import subprocess
import sys
from pathlib import Path

import pytest

from kazu_distill.document_files import read_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError
from kazu_distill.tagger.alignment import AlignmentCounts
from kazu_distill.tagger.labels import LabelScheme, label_scheme
from tests.stages import REPOSITORY
from tests.tagger.windows_table.tables import BIO, LABELS, documents, folders, table_of, windower_of, written

LINE = '{"id": "%s", "sections": [{"text": "EGFR causes gout.", "spans": [%s]}]}\n'
GENE = '{"start": 0, "end": 4, "label": "gene"}'


def test_a_window_is_a_row_with_the_labels_of_its_words(tmp_path: Path) -> None:
    text = "EGFR causes gout."
    spans = (Span(0, 4, "gene", 0.5), Span(12, 16, "disease"), Span(0, 16, "disease", 0.25))
    file = written(tmp_path / "d.jsonl", [Document("a", (Section("", text, spans), Section("", " ")))])
    table = table_of(file, tmp_path / "cache", windower=windower_of(max_length=6, stride=1))
    # If these rows have to be others, `_FORMAT` in table.py has to be raised: caches are made before an update, too.
    assert table.rows.to_list() == [
        {"input_ids": [2, 4, 5, 6, 7, 3], "positions": [1, 3, 4], "tag_words": [0, 2], "tag_ids": [0, 2],
         "tag_scores": [0.5, 1.0], "length": 6},
        {"input_ids": [2, 7, 8, 3], "positions": [1, 2], "tag_words": [0], "tag_ids": [2],
         "tag_scores": [1.0], "length": 4},
    ]  # fmt: skip
    assert table.alignment == AlignmentCounts(spans=3, overlapping=1)


@pytest.mark.parametrize("scheme", [BIO, label_scheme("io", LABELS)], ids=["bio", "io"])
def test_rows_are_the_same_whatever_the_number_of_processes(scheme: LabelScheme, tmp_path: Path) -> None:
    file = written(tmp_path / "d.jsonl", documents(60))
    done: list[tuple[int, int]] = []
    alone = table_of(file, tmp_path / "1", scheme=scheme)
    several = table_of(
        file,
        tmp_path / "2",
        scheme=scheme,
        processes=2,
        stretch_bytes=2000,
        on_progress=lambda *now: done.append(now),
    )
    assert len(list((tmp_path / "2").glob("*/*.arrow"))) > 5
    assert alone.rows.to_list() == several.rows.to_list()
    assert (alone.alignment, alone.key) == (several.alignment, several.key)
    assert alone.alignment.spans > 100
    assert done == sorted(done)
    assert done[-1] == (file.stat().st_size, file.stat().st_size)


def test_several_files_are_one_table_in_their_order(tmp_path: Path) -> None:
    silver = written(tmp_path / "silver.jsonl", documents(5, prefix="s"))
    gold = written(tmp_path / "gold.jsonl", documents(5, prefix="g", seed=2))
    both = table_of([silver, gold], tmp_path / "both").rows.to_list()
    apart = [table_of(file, tmp_path / file.stem).rows.to_list() for file in (silver, gold)]
    assert both == apart[0] + apart[1]
    assert table_of([gold, silver], tmp_path / "both").rows.to_list() == apart[1] + apart[0]
    (tmp_path / "empty.jsonl").touch()
    assert table_of([silver, tmp_path / "empty.jsonl"], tmp_path / "both").rows.to_list() == apart[0]
    assert len(table_of(tmp_path / "empty.jsonl", tmp_path / "both").rows) == 0


def test_lines_may_begin_with_a_mark_be_blank_and_end_without_a_newline(tmp_path: Path) -> None:
    plain = written(tmp_path / "plain.jsonl", documents(9))
    odd = tmp_path / "odd.jsonl"
    odd.write_bytes(b"\xef\xbb\xbf" + plain.read_bytes().replace(b"\n", b"\r\n\n \n").rstrip())
    expected = table_of(plain, tmp_path / "1").rows.to_list()
    for size in (1, 300, 10_000):
        assert table_of(odd, tmp_path / str(size), stretch_bytes=size).rows.to_list() == expected


def test_no_process_is_started_for_a_small_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nothing"))
    file = written(tmp_path / "d.jsonl", documents(300))
    assert len(table_of(file, tmp_path / "1", processes=8).rows)
    with pytest.raises(FileNotFoundError):
        table_of(file, tmp_path / "2", processes=8, stretch_bytes=1000)


@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ('{"id": "x", "sections": [}\n', r":41: not JSON: .* \(column 26\)"),
        (LINE % ("x", GENE.replace("gene", "cell")), r':41: document "x": class "cell" is not in the schema'),
        (LINE % ("x", GENE.replace("4", "40")), r':41: document "x", section 0: span 0 .* ends after the text'),
        (LINE % ("7", GENE), r':41: document "7" stands already at .*d\.jsonl:8'),
    ],
)
def test_a_broken_document_is_the_error_that_reading_gives(
    broken: str, reason: str, processes: int, tmp_path: Path
) -> None:
    lines = [LINE % (number, GENE) for number in range(40)]
    # What comes behind is broken too: the first error is told, whichever process finds one first.
    lines += [broken, LINE % ("8", GENE), "[]\n", *(LINE % (f"b{number}", GENE) for number in range(40))]
    file = tmp_path / "d.jsonl"
    file.write_text("".join(lines))
    with pytest.raises(CorpusError, match=reason) as from_reading:
        list(read_documents(file, labels=LABELS))
    with pytest.raises(CorpusError) as from_table:
        table_of(file, tmp_path / "cache", processes=processes, stretch_bytes=400)
    assert str(from_table.value) == str(from_reading.value)
    assert folders(tmp_path / "cache") == []


def test_an_id_that_stands_in_another_file_is_an_error(tmp_path: Path) -> None:
    first, second = (written(tmp_path / f"{name}.jsonl", documents(3)) for name in "ab")
    with pytest.raises(CorpusError, match=r'b\.jsonl:1: document "0" stands already at .*a\.jsonl:1'):
        table_of([first, second], tmp_path / "cache")


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no such file"):
        table_of(tmp_path / "train.jsonl", tmp_path / "cache")


def test_the_processes_load_neither_torch_nor_transformers() -> None:
    program = (
        "import sys, json, kazu_distill.tagger.windows_table.processes; "
        "print(json.dumps(sorted({'torch', 'transformers', 'datasets', 'hydra'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True, capture_output=True)
    assert json.loads(done.stdout) == []
