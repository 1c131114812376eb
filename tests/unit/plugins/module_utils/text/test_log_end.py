# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.windflow.platform.plugins.module_utils.text.log_end import SHOWN, log_end

BEGIN = "Traceback (most recent call last):"


def frame(path, number, source):
    return ['  File "%s", line %d, in <module>' % (path, number), "    %s" % source, "    ~~~~^^"]


def theirs(number):
    return frame("/opt/x/venvs/1/lib/python3.13/site-packages/gunicorn/arbiter.py", number, "self.run()")


# As gunicorn 27 ends where an application cannot be imported, over 40 lines.
HALTED = [
    "[INFO] Booting worker with pid: 7",
    "[ERROR] Exception in worker process",
    BEGIN,
    *(line for number in range(10) for line in theirs(number)),
    *frame("/opt/x/releases/1/app/run.py", 4, "from isso import make_app"),
    *frame("/opt/x/venvs/1/lib/python3.13/site-packages/isso/__init__.py", 28, "import pkg_resources"),
    "ModuleNotFoundError: No module named 'pkg_resources'",
    "[INFO] Worker exiting (pid: 7)",
    BEGIN,
    *theirs(270),
    *theirs(683),
    "gunicorn.errors.HaltServer: <HaltServer 'Worker failed to boot.' 3>",
    "",
    "During handling of the above exception, another exception occurred:",
    "",
    BEGIN,
    *frame("/opt/x/releases/1/venv/bin/gunicorn", 8, "sys.exit(run())"),
    *(line for number in range(10) for line in theirs(number)),
    "gunicorn.errors.HaltServer: <HaltServer 'Worker failed to boot.' 3>",
]


def test_the_reason_of_the_application_is_shown_before_its_server_gives_up():
    found = log_end(HALTED)
    assert len(found) <= SHOWN
    assert "ModuleNotFoundError: No module named 'pkg_resources'" in found
    assert '  File "/opt/x/releases/1/app/run.py", line 4, in <module>' in found
    assert found[-1] == HALTED[-1]


def test_what_fits_is_shown_as_it_is():
    lines = HALTED[-SHOWN:]
    assert log_end(lines) == lines


def test_other_lines_are_the_last_ones():
    lines = ["  indented %d" % number for number in range(50)]
    assert log_end(lines) == lines[-SHOWN:]
    assert log_end([]) == []


def test_a_traceback_that_is_cut_off_keeps_its_last_frame():
    lines = ["x"] * SHOWN + [BEGIN, *theirs(1), *theirs(2)]
    assert log_end(lines)[-3:] == [BEGIN, *theirs(2)[:2]]
