"""Pushes beside a training run, which they neither slow nor stop."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from pathlib import Path

import orjson

from kazu_distill.documents import Document
from kazu_distill.errors import KazuDistillError
from kazu_distill.label_studio.errors import LabelStudioError
from kazu_distill.label_studio.outbox import concerns_content, keep, push_as, send_outbox, waiting
from kazu_distill.label_studio.project import LabelStudioProject, Pushed

_log = logging.getLogger(__name__)
_MOST_IN_MEMORY = 4  # model versions that the outbox could not take
_VARYING = re.compile(r'"[^"]*"|\d+')


class BackgroundPushes:
    """Shows what it is handed in Label Studio, from a thread of its own.

    What is handed over is written into the outbox first, so that it outlives the process however that ends, and the
    thread sends what stands there. What could not be sent is tried again with the next version. Whoever hands over
    waits for the disk, as for the other files of an evaluation, and never for the server. What the disk does not take
    waits in memory.

    Each kind of failure is warned of once, until all has been sent again.

    Args:
        project: where to show documents.
        title: the project's title, which the outbox notes.
        outbox: the folder for what is not yet shown.
        on_shown: told where to look, from the thread, at the first push that succeeds.
        say: told what the user should know and need not worry about, from either thread.
    """

    def __init__(
        self,
        *,
        project: LabelStudioProject,
        title: str,
        outbox: Path,
        on_shown: Callable[[Pushed], None],
        say: Callable[[str], None],
    ) -> None:
        self._project = project
        self._title = title
        self._outbox = outbox
        self._on_shown = on_shown
        self._say = say
        self._changed = threading.Condition()  # guards the next three, which both threads write
        self._in_memory: dict[str | None, Sequence[Document]] = {}
        self._work_is_there = False
        self._is_working = False
        self._troubles: set[Hashable] = set()  # what was warned of and has not passed
        self._refused: set[Path] = set()
        self._was_shown = False
        self._is_full = False
        # A daemon: a server that never answers must not keep the process alive.
        threading.Thread(target=self._work, name="label-studio", daemon=True).start()

    def hand_over(self, documents: Sequence[Document], *, model_version: str | None) -> None:
        """Have documents shown as a model version (None: as gold), in place of what waits under its name."""
        with self._changed:
            self._in_memory.pop(model_version, None)
            if not self._keep(documents, model_version):
                self._in_memory[model_version] = documents
                if len(self._in_memory) > _MOST_IN_MEMORY:
                    self._give_up(next(iter(self._in_memory)))
            self._work_is_there = True
            self._changed.notify_all()

    def finish(self, *, patience: float) -> None:
        """Wait until all has been sent or tried, at most ``patience`` seconds, and say what is left in the outbox."""
        with self._changed:
            if patience > 0 and not self._is_idle():
                count = len(waiting(self._outbox)) + len(self._in_memory)
                self._say(f"Label Studio: {count} push{'' if count == 1 else 'es'} left, waiting up to {patience:g} s")
            with suppress(KeyboardInterrupt):  # who does not want to wait; the run itself is at its end
                self._changed.wait_for(self._is_idle, timeout=patience)
            for model_version in list(self._in_memory):
                self._give_up(model_version)
        left = len(waiting(self._outbox))
        if left:
            _log.warning(
                "Label Studio does not show all yet (model versions that wait: %d): python -m kazu_distill.review push "
                "outbox=%s sends the rest, and Label Studio's import dialog takes its files.",
                left,
                self._outbox,
            )

    def _is_idle(self) -> bool:
        return not (self._work_is_there or self._is_working)

    def _keep(self, documents: Sequence[Document], model_version: str | None) -> bool:
        """Put a version into the outbox; where that fails, say so once."""
        try:
            keep(self._outbox, documents, model_version=model_version, title=self._title)
        except (OSError, KazuDistillError, orjson.JSONEncodeError) as error:
            if not self._is_full:
                _log.warning("%s: what Label Studio is to show cannot be kept there (%s)", self._outbox, error)
            self._is_full = True
            return False
        return True

    def _give_up(self, model_version: str | None) -> None:
        """Take a version out of the memory, into the outbox if that can be written now."""
        if not self._keep(self._in_memory.pop(model_version), model_version):
            what = model_version or "gold"
            _log.warning('Label Studio: "%s" could be neither shown nor kept in %s', what, self._outbox)

    def _work(self) -> None:
        while True:
            with self._changed:
                self._is_working = False
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._work_is_there)
                self._work_is_there, self._is_working = False, True
            try:
                self._send()
            except Exception as error:  # noqa: BLE001 (a library's or the disk's; the run and later pushes go on)
                self._warn(error, f"Label Studio: a push failed ({type(error).__name__}: {error})")

    def _send(self) -> None:
        """Send what waits, first on the disk, then in memory."""
        sent = send_outbox(self._project, self._outbox, passing_over=self._refused)
        for path, error in sent.left.items():
            reason = str(error).rstrip(".")
            self._warn(error, f"{reason}. Training goes on, and what was to be shown is kept in {self._outbox}.")
            if not isinstance(error, LabelStudioError) or concerns_content(error):
                self._refused.add(path)  # the next try would come to the same
        shown = [*sent.shown.values(), *self._send_from_memory()]
        if shown and not self._was_shown:
            self._was_shown = True
            self._on_shown(shown[0])
        if shown and not sent.left and self._troubles:
            self._troubles.clear()
            self._say("Label Studio: pushes succeed again")

    def _send_from_memory(self) -> list[Pushed]:
        """Try each once: the memory is no place to keep things in."""
        with self._changed:
            in_memory = list(self._in_memory.items())
        shown = []
        for model_version, documents in in_memory:
            pushed = None
            try:
                pushed = push_as(self._project, documents, model_version)
            except LabelStudioError as error:
                self._warn(error, f"{str(error).rstrip('.')}. Training goes on.")
            with self._changed:
                if self._in_memory.get(model_version) is not documents:
                    continue  # there is a newer one, or the run came to its end
                if pushed:
                    del self._in_memory[model_version]
                else:
                    self._give_up(model_version)
            shown += [pushed] if pushed else []
        return shown

    def _warn(self, error: Exception, message: str) -> None:
        """Warn of a kind of error, unless that has been done since all was well."""
        _log.debug("the error's origin", exc_info=error)
        kind = _kind(error)
        if kind not in self._troubles:
            self._troubles.add(kind)
            _log.warning("%s", message)


def _kind(error: Exception) -> Hashable:
    """What failures have in common that need one warning: the origin and its status, else the message's wording."""
    cause = error.__cause__
    if cause is None:
        return type(error), _VARYING.sub("", str(error))
    return type(error), type(cause), getattr(cause, "status_code", None)
