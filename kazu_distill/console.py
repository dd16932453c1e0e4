"""What the stages print and leave as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Task as ProgressTask
from rich.text import Text

from kazu_distill.document_files import atomic_writer

console = Console(highlight=False)


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write values as readable JSON; the file appears whole or not at all."""
    with atomic_writer(path) as file:
        file.write((json.dumps(values, ensure_ascii=False, indent=2) + "\n").encode())


def print_files(folder: Path, *names: str) -> None:
    """Say where a stage's results are."""
    for name in names:
        console.print(f"  {escape(str(folder / name))}", soft_wrap=True)


class HasRemarks(Protocol):
    """What has been read, and has something to say of it."""

    def remarks(self) -> Sequence[str]:
        """What was left out or bent, a line each."""


def print_remarks(read: HasRemarks) -> None:
    """Say what reading a corpus left out or bent."""
    for remark in read.remarks():
        console.print(remark, style="yellow", markup=False, soft_wrap=True)


def progress_bar(*columns: ProgressColumn, unit: str = "documents") -> Progress:
    """A progress bar with units a second, and further columns before the time that is left.

    A task with a field ``unit`` is counted in that.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(unit),
        *columns,
        TimeRemainingColumn(),
        console=console,
    )


class _Speed(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: ProgressTask) -> Text:
        # Over the whole time, not the last few updates: documents are done in bursts.
        seconds = task.finished_time or task.elapsed
        unit = task.fields.get("unit", self._unit)
        return Text(f"{task.completed / seconds:,.1f} {unit}/s" if seconds and task.completed else "")
