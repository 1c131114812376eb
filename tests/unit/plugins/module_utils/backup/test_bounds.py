# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import signal
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup import bounds
from ansible_collections.windflow.platform.plugins.module_utils.backup.bounds import Bounds
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


@pytest.fixture(autouse=True)
def handlers():
    """No test leaves a handler or a timer behind."""
    before = {number: signal.getsignal(number) for number in Bounds.SIGNALS}
    yield
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
    assert {number: signal.getsignal(number) for number in Bounds.SIGNALS} == before


def test_what_ends_in_time_is_left_alone():
    with Bounds(5):
        pass


def test_what_takes_too_long_is_ended():
    started = time.monotonic()
    with pytest.raises(WindflowError) as caught, Bounds(0.05):
        time.sleep(5)
    assert caught.value.code == "E4098" and time.monotonic() - started < 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_is_an_error_with_a_code(number):
    with pytest.raises(WindflowError) as caught, Bounds(5):
        os.kill(os.getpid(), number)
        time.sleep(5)
    assert caught.value.code == "E4045" and "signal %d" % number in str(caught.value)


def test_a_signal_waits_until_a_clean_up_is_over():
    done = []
    with pytest.raises(WindflowError) as caught, Bounds(5) as bounds:
        with bounds.shield():
            with bounds.shield():
                os.kill(os.getpid(), signal.SIGTERM)
            done.append("cleaned up")
        done.append("went on")
    assert caught.value.code == "E4045" and done == ["cleaned up"]


def test_a_clean_up_has_a_time_of_its_own_and_the_other_one_goes_on():
    done = []
    with pytest.raises(WindflowError) as caught, Bounds(0.05) as bounds:
        with bounds.shield():
            time.sleep(0.15)
            done.append("cleaned up")
        time.sleep(5)
    assert caught.value.code == "E4098" and done == ["cleaned up"]


def test_a_shield_holds_a_signal_off_until_its_end():
    reached = []
    with pytest.raises(WindflowError, match="E4045.*the signal 15"), Bounds(60) as limits:
        with limits.shield():
            os.kill(os.getpid(), signal.SIGTERM)
            reached.append(True)
        reached.append(False)
    assert reached == [True]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_clean_up_that_hangs_ends_too(monkeypatch):
    monkeypatch.setattr(bounds, "SHIELD_SECONDS", 0.2)
    with pytest.raises(WindflowError, match="E4098"), Bounds(60) as limits, limits.shield():
        time.sleep(30)
    with Bounds(60) as limits:
        with limits.shield():
            pass
        assert 50 < signal.getitimer(signal.ITIMER_REAL)[0] <= 60
    assert signal.getitimer(signal.ITIMER_REAL)[0] == 0
