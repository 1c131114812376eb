# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

TOOL = Path(__file__).resolve().parents[2] / "tools" / "load.py"


class Handler(http.server.BaseHTTPRequestHandler):
    """Every tenth request fails, so that a generator that hides failures is caught."""

    seen = 0

    def do_GET(self):
        type(self).seen += 1
        status = 503 if self.path == "/failing" and type(self).seen % 10 == 0 else 200
        self.send_response(status)
        self.send_header("X-Windflow-Release", "first")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        listening.daemon_threads = True
        thread = threading.Thread(target=listening.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{listening.server_address[1]}"
        listening.shutdown()
        thread.join()


def run(*arguments: str) -> dict:
    command = [sys.executable, str(TOOL), *arguments, "--rate", "50", "--seconds", "1"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


def test_answers_are_counted_by_release(server):
    seen = run(server + "/")
    assert 40 <= seen["total"] <= 51
    assert seen["failed"] == 0
    assert seen["releases"] == {"first": seen["total"]}
    assert 0 < seen["longest_gap"] < 1


def test_bad_answers_are_failures(server):
    seen = run(server + "/failing")
    assert seen["failures"] == {"503": seen["failed"]}
    assert seen["failed"] >= 3


def test_refused_connections_are_failures(server):
    # Port 1 is privileged and nothing of this machine listens there.
    seen = run("http://127.0.0.1:1/")
    assert seen["failed"] == seen["total"] > 0
    assert seen["releases"] == {}


def test_a_file_ends_the_load_only_once_enough_requests_have_begun(server, tmp_path):
    (tmp_path / "done").touch()
    command = [sys.executable, str(TOOL), server + "/", "--rate", "100", "--until", str(tmp_path / "done")]
    least = [[], ["--least", "200"]]
    seen = [
        json.loads(subprocess.run(command + more, check=True, capture_output=True, timeout=60).stdout) for more in least
    ]
    assert seen[0]["total"] < 200 <= seen[1]["total"] and seen[1]["failed"] == 0
