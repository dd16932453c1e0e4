"""The thread that answers: how it ends."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future

import pytest

from kazu_distill.base_llm.generation import Generated, Generator, Question
from kazu_distill.base_llm.worker import Worker
from kazu_distill.llm.protocol import NotAsked, Refused, Sampling

QUESTION = Question([1, 2, 3], {}, 0)


def worker(load: Callable[[], Generator]) -> Worker:
    return Worker(load=load, sampling=Sampling(0, None, 10), name="tiny")


def never() -> Generator:
    raise AssertionError("nobody asked for it")


def llm_threads() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "kazu-distill-llm"]


def linger(_: Future[Generated]) -> None:
    """Keep the thread that tells of an answer from ending."""
    time.sleep(0.3)


def test_a_thread_that_failed_has_ended_when_the_worker_is_closed() -> None:
    watched = threading.Event()

    def fails() -> Generator:
        assert watched.wait(30)
        raise Refused("no such model")

    one = worker(fails)
    answer = one.ask(QUESTION)
    answer.add_done_callback(linger)
    watched.set()
    with pytest.raises(Refused, match="no such model"):
        answer.result(timeout=10)
    one.close()
    assert not llm_threads()


def test_closing_does_not_wait_for_weights_that_are_being_loaded() -> None:
    go_on, begun = threading.Event(), threading.Event()

    def slow() -> Generator:
        begun.set()
        assert go_on.wait(30)
        raise Refused("too late")

    one = worker(slow)
    answer = one.ask(QUESTION)
    assert begun.wait(10)
    [thread] = llm_threads()
    one.close()
    assert thread.is_alive()
    go_on.set()
    with pytest.raises(NotAsked, match="tiny was closed"):
        answer.result(timeout=10)
    thread.join(10)
    assert not thread.is_alive()


def test_closing_one_that_was_never_asked_does_nothing() -> None:
    one = worker(never)
    one.close()
    with pytest.raises(NotAsked, match="tiny was closed"):
        one.ask(QUESTION)
    assert not llm_threads()
