"""One thread that has a model: it gathers questions and answers them in batches."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from kazu_distill.base_llm.generation import Generated, Generator, Question, Stopped
from kazu_distill.errors import KazuDistillError
from kazu_distill.llm.protocol import LLMError, NotAsked, Refused, Sampling

_log = logging.getLogger(__name__)
_PATIENCE_S = 0.02  # without a further question, before those that are there are answered
_LEAVING_S = 5.0  # for the token that is being computed


@dataclass(frozen=True, slots=True)
class _Asked:
    question: Question
    answer: Future[Generated] = field(default_factory=Future)


class Worker:
    """Answers questions as they come; several at once, those of like length together.

    What waits longest is in the next batch, so that none waits for ever.

    Args:
        load: gives the model, which is loaded when the first question comes.
        sampling: of all answers.
        name: of the model, for messages.
    """

    def __init__(self, *, load: Callable[[], Generator], sampling: Sampling, name: str) -> None:
        self._load = load
        self._sampling = sampling
        self._name = name
        self._asked: queue.SimpleQueue[_Asked | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._over: LLMError | None = None  # why nothing is answered any more
        self._generator: Generator | None = None
        self._loading = False
        # A daemon, because nothing ends the loading of weights: whoever leaves does not wait for it.
        self._thread = threading.Thread(target=self._run, name="kazu-distill-llm", daemon=True)

    def ask(self, question: Question) -> Future[Generated]:
        """A question's answer to come.

        Raises (the future, too):
            LLMError: the model cannot be loaded, or not be asked, or the worker was closed.
        """
        asked = _Asked(question)
        with self._lock:
            if self._over is not None:
                raise self._over
            self._asked.put(asked)
            if not self._thread.is_alive():
                self._loading = True
                self._thread.start()
        return asked.answer

    def close(self) -> None:
        """End between two tokens; who waits for an answer gets none."""
        self._end(NotAsked(f"{self._name} was closed"))
        generator = self._generator  # once, because the thread drops it when it ends
        if generator is not None:
            generator.stopped.set()
        if self._thread.is_alive() and not self._loading:
            self._thread.join(_LEAVING_S)

    def _run(self) -> None:
        waiting: list[_Asked] = []
        try:
            try:
                self._generator = self._load()
            finally:
                self._loading = False
            while self._gather(waiting):
                self._answer_some(waiting, self._generator)
        except Stopped:
            self._fail(waiting)
        except Exception as error:  # noqa: BLE001 — whatever it is, those who wait must hear of it
            if not isinstance(error, KazuDistillError):
                _log.info("%s cannot be asked", self._name, exc_info=error)
            self._end(_fatal(self._name, error))
            self._fail(waiting)
        finally:
            self._generator = None  # and its memory

    def _gather(self, waiting: list[_Asked]) -> bool:
        """Wait for questions, and a moment for more of them; False when there will be none."""
        while True:
            try:
                asked = self._asked.get(timeout=_PATIENCE_S if waiting else None)
            except queue.Empty:
                return True
            if asked is None:
                self._fail(waiting)
                return False
            waiting.append(asked)

    def _answer_some(self, waiting: list[_Asked], generator: Generator) -> None:
        """Answer the batch that the first of those who wait is in."""
        waiting[:] = [asked for asked in waiting if not asked.answer.cancelled()]
        if not waiting:
            return
        batches = generator.batches([asked.question for asked in waiting], self._sampling)
        places = set(next(batch for batch in batches if 0 in batch))
        batch = [asked for place, asked in enumerate(waiting) if place in places]
        for asked, generated in zip(
            batch, generator.answer([asked.question for asked in batch], self._sampling), strict=True
        ):
            if asked.answer.set_running_or_notify_cancel():
                asked.answer.set_result(generated)
        waiting[:] = [asked for place, asked in enumerate(waiting) if place not in places]

    def _end(self, error: LLMError) -> None:
        with self._lock:
            self._over = self._over or error
        self._asked.put(None)

    def _fail(self, waiting: list[_Asked]) -> None:
        """Tell all who wait, and those who have come meanwhile; since it is over, nobody comes after them."""
        while not self._asked.empty():
            asked = self._asked.get_nowait()
            if asked is not None:
                waiting.append(asked)
        for asked in waiting:
            if asked.answer.set_running_or_notify_cancel():
                asked.answer.set_exception(self._over)
        waiting.clear()


def _fatal(name: str, error: Exception) -> LLMError:
    """What is wrong with a model is so for every question."""
    if isinstance(error, LLMError):
        return error
    if isinstance(error, KazuDistillError):
        return Refused(str(error))
    said = " ".join(str(error).split())[:300]
    return Refused(f"{name} cannot be asked: {type(error).__name__}: {said}")
