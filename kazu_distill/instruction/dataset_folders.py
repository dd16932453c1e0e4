"""Files of JSON lines into folders that the ``datasets`` library loads."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import datasets
import orjson
from datasets import Features, List, Value

_TEXT = Value("string")
_PARTS = {"role": _TEXT, "parts": List({"text": _TEXT})}
_FEATURES = {
    # Arrow knows no objects with free keys, so instruct-ner's raw_entities are a list here.
    "instruct_ner": Features(
        dict.fromkeys(("instruction", "input", "output", "source", "id"), _TEXT)
        | {"raw_entities": List({"entity_class": _TEXT, "mentions": List(_TEXT)})}
    ),
    "openai": Features({"messages": List({"role": _TEXT, "content": _TEXT, "weight": Value("int8")})}),
    "gemini": Features({"systemInstruction": _PARTS, "contents": List(_PARTS)}),
    "sharegpt": Features({"conversations": List({"from": _TEXT, "value": _TEXT}), "system": _TEXT}),
    "alpaca": Features(dict.fromkeys(("instruction", "input", "output"), _TEXT)),
}


def write_datasets(out: Path, lines: Path, *, formats: Sequence[str], parts: Sequence[str]) -> None:
    """Write a folder for ``datasets.load_from_disk`` for each format, with a split for each part that has records.

    Args:
        out: the folders are below its ``datasets``; one that is there is replaced.
        lines: the folder with ``FORMAT/PART.jsonl``.
        formats: which formats.
        parts: which parts.
    """
    had_bars = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        for name in formats:
            files = {part: lines / name / f"{part}.jsonl" for part in parts}
            _write_dataset(out, name, {part: file for part, file in files.items() if file.stat().st_size})
    finally:
        if had_bars:
            datasets.enable_progress_bars()


def _write_dataset(out: Path, name: str, files: Mapping[str, Path]) -> None:
    with TemporaryDirectory(dir=out) as temporary:
        splits = {}
        for part, file in files.items():
            with file.open("rb") as content:
                # Else it would be one of this process, and the same data would not be the same bytes.
                fingerprint = hashlib.file_digest(content, "sha256").hexdigest()[:32]
            splits[part] = datasets.Dataset.from_generator(
                _values,
                features=_FEATURES[name],
                cache_dir=f"{temporary}/cache",
                gen_kwargs={"path": str(file)},
                fingerprint=fingerprint,
                split=datasets.NamedSplit(part),
            )
        made = Path(temporary) / name
        datasets.DatasetDict(splits).save_to_disk(str(made))
        target = out / "datasets" / name
        shutil.rmtree(target, ignore_errors=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        made.replace(target)


def _values(path: str) -> Iterator[dict[str, Any]]:
    """The records of a file as Arrow takes them."""
    with Path(path).open("rb") as lines:
        for line in lines:
            values = orjson.loads(line)
            if "raw_entities" in values:
                listed = values["raw_entities"].items()
                values["raw_entities"] = [{"entity_class": name, "mentions": own} for name, own in listed]
            for message in values.get("messages", ()):
                message.setdefault("weight", None)
            yield values
