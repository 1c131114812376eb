# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether what is deployed answers, with real servers."""

from __future__ import annotations

import http.server
import threading

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.switch import answering

pytestmark = pytest.mark.fault(80)


@pytest.fixture
def port():
    """A server that answers 200 at /healthz, and 502 elsewhere, as nginx does before an application that is down."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/healthz" else 502)
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def compose(port, health="/healthz", **more):
    return {"compose": {"port": port, "health": health, "host_header": "localhost", **more}}


def test_what_answers_is_well_and_what_does_not_is_named_with_its_place(port):
    assert answering.silence(compose(port)) == ""
    assert answering.silence(compose(port, address="127.0.0.1")) == ""
    assert answering.silence(compose(port, "/other")).startswith("status 502")
    assert "port %d, path /" % port in answering.silence(compose(port, ""))


def test_what_is_stopped_is_named_and_what_has_no_port_is_not_asked(port):
    unused = answering.silence(compose(1))
    assert "connection refused at port 1, path /healthz" in unused
    assert answering.silence(compose(0)) == answering.silence({}) == ""
    assert answering.silence({"host": {"program": "", "port": 0}}) == ""


@pytest.mark.system
def test_a_program_that_need_not_answer_has_to_run(machine):
    conf = str(machine.supervisor_conf)
    host = {"program": "worker", "port": 0, "health": "", "os": {"supervisor": {"conf": conf}}}
    assert answering.silence({"host": host}) == "Supervisor has no program worker"
    (machine.root / "conf.d/worker.conf").write_text("[program:worker]\ncommand=/bin/sleep 100\nautorestart=false\n")
    machine.supervisor().reload()
    machine.supervisor().start("worker")
    assert answering.silence({"host": host}) == ""
    machine.supervisor().call("stopProcess", "worker:worker")
    assert "worker STOPPED" in answering.silence({"host": host})
