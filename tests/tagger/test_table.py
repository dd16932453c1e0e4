import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.documents import Document, Section, Span
from kazu_distill.errors import CorpusError
from kazu_distill.tagger.alignment import AlignmentCounts
from kazu_distill.tagger.labels import LabelScheme, label_scheme
from kazu_distill.tagger.shard_processes import WorkerFailed
from kazu_distill.tagger.table import WindowsTable, windows_table
from kazu_distill.tagger.windows import Windower
from tests.stages import REPOSITORY
from tests.work import calls

LABELS = ("gene", "disease")
BIO = label_scheme("bio", LABELS)
PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "eg", "##fr", "causes", "gout", ".", "in", "糖"]
LINE = '{"id": "%s", "sections": [{"text": "EGFR causes gout.", "spans": [%s]}]}\n'
GENE = '{"start": 0, "end": 4, "label": "gene"}'


def windower_of(*more: str, max_length: int = 8, stride: int = 2) -> Windower:
    """A windower whose tokenizer has few pieces, so that rows can be told by hand."""
    pieces = {piece: number for number, piece in enumerate([*PIECES, *more])}
    tokenizer = Tokenizer(models.WordPiece(pieces, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    fast: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]"
    )
    return Windower(fast, max_length=max_length, stride=stride)


def documents(number: int, *, prefix: str = "", seed: int = 1) -> list[Document]:
    """Documents of several sections, some empty, with spans anywhere."""
    chance = random.Random(seed)
    made = []
    for index in range(number):
        sections = []
        for _ in range(chance.randint(0, 3)):
            text = " ".join(chance.choices(["EGFR", "causes", "gout.", "in", "糖", "\n"], k=chance.randint(0, 40)))
            starts = [chance.randrange(len(text)) for _ in range(chance.randint(0, 8)) if text]
            spans = [
                Span(start, min(start + chance.randint(1, 9), len(text)), chance.choice(LABELS), chance.random())
                for start in starts
            ]
            sections.append(Section("", text, tuple(spans)))
        made.append(Document(f"{prefix}{index}", tuple(sections)))
    return made


def written(path: Path, made: Sequence[Document]) -> Path:
    write_documents(path, made)
    return path


def table_of(files: Path | list[Path], cache: Path, *, scheme: LabelScheme = BIO, **more: Any) -> WindowsTable:
    settings: dict[str, Any] = {"windower": windower_of(), "processes": 1} | more
    return windows_table(files if isinstance(files, list) else [files], scheme=scheme, cache=cache, **settings)


def folders(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir() if path.is_dir())


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


def test_a_second_time_the_table_is_read_and_not_made(tmp_path: Path) -> None:
    small = written(tmp_path / "small.jsonl", documents(10))
    large = written(tmp_path / "large.jsonl", documents(500))
    work = {}
    for file in (small, large):
        made = table_of(file, tmp_path / file.stem)
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / file.stem).rglob("*.*")}
        again: list[WindowsTable] = []

        def read(file: Path = file, again: list[WindowsTable] = again) -> None:
            again.append(table_of(file, tmp_path / file.stem, on_progress=pytest.fail))

        work[file] = calls(read)
        assert again[0].rows.to_list() == made.rows.to_list()
        assert (again[0].key, again[0].alignment) == (made.key, made.alignment)
        assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / file.stem).rglob("*.*")}
    assert work[large] < 1.2 * work[small]


def test_everything_that_the_rows_depend_on_makes_another_table_and_the_old_one_goes(tmp_path: Path) -> None:
    file = written(tmp_path / "d.jsonl", documents(10))
    other = written(tmp_path / "other.jsonl", documents(10, seed=2))
    cache = tmp_path / "cache"
    changes: list[Callable[[], WindowsTable]] = [
        lambda: table_of(file, cache),
        lambda: table_of(other, cache),
        lambda: table_of([file, written(tmp_path / "more.jsonl", documents(1, prefix="m"))], cache),
        lambda: table_of(file, cache, windower=windower_of(max_length=9)),
        lambda: table_of(file, cache, windower=windower_of(stride=3)),
        lambda: table_of(file, cache, windower=windower_of("##in")),
        lambda: table_of(file, cache, scheme=label_scheme("io", LABELS)),
        lambda: table_of(file, cache, scheme=label_scheme("bio", LABELS[::-1])),
        lambda: table_of(file, cache, scheme=label_scheme("bio", [*LABELS, "cell"])),
    ]
    (cache / "mine").mkdir(parents=True)
    first = changes[0]()
    rows = first.rows.to_list()
    keys = set()
    for change in changes:
        key = change().key
        assert folders(cache) == sorted([key, "mine"])
        keys.add(key)
    assert len(keys) == len(changes)
    assert first.rows.to_list() == rows  # whoever has a table that went can still read it


def test_the_same_content_elsewhere_is_found(tmp_path: Path) -> None:
    file = written(tmp_path / "d.jsonl", documents(10))
    key = table_of(file, tmp_path / "cache").key
    moved = file.rename(tmp_path / "e.jsonl")
    assert table_of(moved, tmp_path / "cache", on_progress=pytest.fail).key == key


_KILLED = """
import os, signal, sys
from pathlib import Path
from tests.tagger.test_table import table_of
table_of(Path(sys.argv[1]), Path(sys.argv[2]), processes=int(sys.argv[3]), stretch_bytes=1000,
         on_progress=lambda *_: os.kill(os.getpid(), signal.SIGKILL))
"""


@pytest.mark.parametrize("processes", [1, 2])
def test_what_a_killed_run_leaves_is_not_used_and_is_removed(processes: int, tmp_path: Path) -> None:
    file, cache = written(tmp_path / "d.jsonl", documents(40)), tmp_path / "cache"
    command = [sys.executable, "-c", _KILLED, str(file), str(cache), str(processes)]
    killed = subprocess.run(command, cwd=REPOSITORY, check=False, capture_output=True)
    assert killed.returncode == -signal.SIGKILL
    assert [name.startswith(".") for name in folders(cache)] == [True]
    table = table_of(file, cache)
    assert folders(cache) == [table.key]
    assert table.rows.to_list() == table_of(file, tmp_path / "other").rows.to_list()


def test_a_process_that_is_killed_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    if not sys.platform.startswith("linux"):
        pytest.skip("children are found in /proc")
    file = written(tmp_path / "d.jsonl", documents(200))

    def kill_the_others(*_: int) -> None:
        for children in Path("/proc/self/task").glob("*/children"):
            for child in children.read_text().split():
                if b"shard_processes" in Path(f"/proc/{child}/cmdline").read_bytes():
                    os.kill(int(child), signal.SIGKILL)

    with pytest.raises(WorkerFailed, match=r"d\.jsonl ended with status -9"):
        table_of(file, tmp_path / "cache", processes=2, stretch_bytes=500, on_progress=kill_the_others)
    assert folders(tmp_path / "cache") == []


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


def test_a_file_that_changes_meanwhile_is_an_error(tmp_path: Path) -> None:
    file = written(tmp_path / "d.jsonl", documents(3))
    with pytest.raises(CorpusError, match="changed while being read"):
        table_of(file, tmp_path / "cache", on_progress=lambda *_: write_documents(file, documents(4)) and None)
    assert folders(tmp_path / "cache") == []


def test_the_processes_load_neither_torch_nor_transformers() -> None:
    program = (
        "import sys, json, kazu_distill.tagger.shard_processes; "
        "print(json.dumps(sorted({'torch', 'transformers', 'datasets', 'hydra'} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True, capture_output=True)
    assert json.loads(done.stdout) == []
