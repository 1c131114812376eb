# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
import signal
import sys
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.text.limits import fail_if_any, time_limit


def spin(seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        pass


@pytest.mark.fault(8)
def test_a_regular_expression_that_never_ends_is_stopped():
    start = time.monotonic()
    with pytest.raises(WindflowError) as caught, time_limit(0.3, "matching"):
        re.search("(a+)+$", "a" * 60 + "b")
    assert time.monotonic() - start < 1
    assert caught.value.code == "E1017"
    assert "at most 0.3 s for matching" in str(caught.value)


def test_what_is_stopped_may_take_its_time_to_clean_up():
    with pytest.raises(WindflowError) as caught, time_limit(0.2, "hoarding"):
        try:
            spin(3)
        finally:
            spin(0)
    assert caught.value.code == "E1017"
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert time_limit._active == []


def test_a_limit_that_runs_out_while_it_is_left_is_left_all_the_same():
    """Many short pieces of work end at about the time of a tick; each must end in a result or a coded error."""
    for _round in range(30):
        try:
            with time_limit(0.0195, "working"):
                spin(0.0195)
        except WindflowError as error:
            assert error.code == "E1017"
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        assert time_limit._active == []


def test_memory_growth_is_stopped():
    with pytest.raises(WindflowError) as caught, time_limit(20, "hoarding", megabytes=50):
        hoard = []
        while True:
            hoard.append(bytearray(100000))
    assert caught.value.code == "E1018"


def test_endless_recursion_becomes_a_coded_error():
    def again():
        again()

    with pytest.raises(WindflowError) as caught, time_limit(5, "recursing", "some.json"):
        again()
    assert (caught.value.code, caught.value.problems[0].file) == ("E1018", "some.json")


def test_a_memory_error_becomes_a_coded_error():
    with pytest.raises(WindflowError) as caught, time_limit(5, "allocating"):
        raise MemoryError
    assert caught.value.code == "E1018"


def test_other_errors_pass_through():
    with pytest.raises(KeyError), time_limit(5, "looking"):
        raise KeyError("x")


def test_the_limit_is_gone_afterwards():
    with time_limit(0.2, "a short thing"):
        pass
    spin(0.3)
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


@pytest.mark.parametrize(("outer", "inner"), [(0.2, 5), (5, 0.2)])
def test_of_nested_limits_the_stricter_one_wins(outer, inner):
    start = time.monotonic()
    with pytest.raises(WindflowError), time_limit(outer, "outer"), time_limit(inner, "inner"):
        spin(3)
    assert time.monotonic() - start < 1


def test_the_outer_limit_goes_on_after_an_inner_one():
    with pytest.raises(WindflowError) as caught, time_limit(0.3, "outer"):
        with time_limit(5, "inner"):
            spin(0.1)
        spin(3)
    assert "outer" in str(caught.value)


def test_another_timer_and_its_handler_are_put_back_with_what_they_have_left():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda *_: rung.append(time.monotonic()))
    try:
        start = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, 0.5)
        with time_limit(5, "something"):
            spin(0.2)
        assert 0.1 < signal.getitimer(signal.ITIMER_REAL)[0] <= 0.31
        spin(0.5)
        assert len(rung) == 1
        assert 0.4 < rung[0] - start < 0.8
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def test_what_a_finalizer_cannot_raise_in_an_endless_recursion_is_not_printed_and_anything_else_is(monkeypatch):
    class Last:
        def __init__(self, error):
            self.error = error

        def __del__(self):
            raise self.error

    told = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: told.append(found.exc_type))
    before = sys.unraisablehook
    with time_limit(5, "something"):
        for error in (RecursionError(), ValueError()):
            Last(error)
    assert told == [ValueError] and sys.unraisablehook is before


def test_at_most_a_hundred_findings_are_shown_and_the_others_counted():
    problems = [Problem("E1000", "x", file="f", line=number) for number in range(1, 131)]
    with pytest.raises(WindflowError) as caught:
        fail_if_any(list(reversed(problems)))
    assert [problem.line for problem in caught.value.problems] == list(range(1, 101))
    assert str(caught.value).endswith("And 30 more. Nothing was changed.")


def test_no_findings_are_no_error():
    fail_if_any([])
