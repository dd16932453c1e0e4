"""What a tuned LLM answered, out of a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kazu_distill.document_files import json_values, lines_with_content
from kazu_distill.documents import InvalidDocument
from kazu_distill.errors import CorpusError

_ANSWERS = ("answer", "predict")  # ours, and LLaMA-Factory's generated_predictions.jsonl
_ADVICE = (
    'give instruct-ner\'s prediction.json, [{"id", "extracted": {class: [mention, …]}}, …], or JSON lines of '
    '{"id", "answer"}, or without ids a line for each record in their order'
)


@dataclass(frozen=True, slots=True)
class Prediction:
    """An answer, and whether it is instruct-ner's: mentions by class, that were read already; as JSON in any case.

    ``target`` is what was right by the file itself, if it says that.
    """

    answer: str
    extracted: bool = False
    target: Mapping[str, Sequence[str]] | None = None


@dataclass(frozen=True, slots=True)
class Predictions:
    """The answers of a file: by the id of their record, or in the order of the records."""

    path: Path
    by_id: Mapping[str, Prediction]
    in_order: Sequence[Prediction]


def read_predictions(path: Path) -> Predictions:
    """Read all predictions of a file.

    Three kinds are known: instruct-ner's ``prediction.json``, a list of ``{"id", "extracted", "target"}`` or what
    pandas makes of it (an object of columns, or JSON lines); lines of ``{"id", "answer"}``; and such lines without ids,
    with the answer under ``answer`` or ``predict``, one for each record.

    Raises:
        CorpusError: there is no such file, it is none of these, or an id comes twice.
    """
    if not path.is_file():
        raise CorpusError(f"{path}: no such file; {_ADVICE}")
    by_id: dict[str, Prediction] = {}
    in_order: list[Prediction] = []
    first: dict[str, str] = {}
    for where, values in _values(path):
        identifier, prediction = _prediction(values, where)
        if identifier is None:
            in_order.append(prediction)
        elif identifier in by_id:
            raise CorpusError(
                f'{where}: id "{identifier}" stands already at {first[identifier]}; leave one answer for each record'
            )
        else:
            by_id[identifier], first[identifier] = prediction, where
    if by_id and in_order:
        raise CorpusError(f"{path}: some predictions have an id and others have none; give all of them one")
    if not (by_id or in_order):
        raise CorpusError(f"{path}: no predictions; {_ADVICE}")
    return Predictions(path, by_id, in_order)


def _values(path: Path) -> Iterator[tuple[str, Any]]:
    """Each record of the file with where it stands."""
    whole = _whole(path)
    if isinstance(whole, dict) and isinstance(whole.get("id"), dict):  # pandas' columns
        columns = {name: column for name, column in whole.items() if isinstance(column, dict)}
        whole = [{name: column.get(row) for name, column in columns.items()} for row in whole["id"]]
    if isinstance(whole, list):
        yield from ((f"{path}, record {number}", values) for number, values in enumerate(whole, start=1))
        return
    with path.open("rb") as lines:
        for number, line in lines_with_content(enumerate(lines, start=1)):
            try:
                yield f"{path}:{number}", json_values(line)
            except InvalidDocument as error:
                raise CorpusError(f"{path}:{number}: {error}; {_ADVICE}") from error


def _whole(path: Path) -> Any:
    """The file as one JSON value; None where it is lines."""
    with path.open("rb") as file:
        begins = file.read(1024).removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if begins == b"[" or path.suffix.lower() == ".json":
        try:
            return json_values(path.read_bytes().removeprefix(b"\xef\xbb\xbf"))
        except InvalidDocument as error:
            if begins == b"[":
                raise CorpusError(f"{path}: {error}; {_ADVICE}") from error
    return None


def _prediction(values: Any, where: str) -> tuple[str | None, Prediction]:
    if not isinstance(values, dict):
        raise CorpusError(f"{where}: {values!r:.60} is no object; {_ADVICE}")
    identifier = values.get("id")
    if isinstance(identifier, int) and not isinstance(identifier, bool):
        identifier = str(identifier)
    if identifier is not None and not isinstance(identifier, str):
        raise CorpusError(f'{where}: "id" is {identifier!r:.40}; it must be text')
    if "extracted" in values:
        extracted, target = values["extracted"], values.get("target")
        if not _lists_by_class(extracted) or not (target is None or _lists_by_class(target)):
            raise CorpusError(f'{where}: "extracted" and "target" must be objects {{class: [mention, …]}}')
        return identifier, Prediction(json.dumps(extracted, ensure_ascii=False), extracted=True, target=target)
    for name in _ANSWERS:
        if isinstance(values.get(name), str):
            return identifier, Prediction(values[name])
    raise CorpusError(f"{where}: there is no {' or '.join(_ANSWERS)} that is text, and no extracted; {_ADVICE}")


def _lists_by_class(values: Any) -> bool:
    return isinstance(values, dict) and all(
        isinstance(own, list) and all(isinstance(mention, str) for mention in own) for own in values.values()
    )
