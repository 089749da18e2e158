import threading
import time
from typing import NoReturn

from enigmacli.doctor import side_by_side


def _fail() -> NoReturn:
    raise ValueError("broken")


def test_a_task_that_fails_costs_no_other_its_answer() -> None:
    got = side_by_side.run({"good": lambda: 1, "bad": _fail}, 10)

    assert got.found == {"good": 1}
    assert got.faults == {"bad": "broken"}


def test_a_task_that_hangs_is_given_up() -> None:
    ever = threading.Event()
    began = time.monotonic()

    got = side_by_side.run({"good": lambda: True, "hangs": ever.wait}, 0.2)

    assert got.faults == {"hangs": "it did not end within 0.2 s"}
    assert time.monotonic() - began < 10
    ever.set()


def test_an_error_without_words_is_named_by_its_class() -> None:
    def fail() -> NoReturn:
        raise KeyError

    assert side_by_side.run({"bad": fail}, 10).faults == {"bad": "KeyError"}
