# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probes of real sockets whose other side behaves well, badly or not at all."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.switch import probe


@pytest.fixture
def serve(tmp_path):
    """Starts a server on a unix socket; ``behave(connection, number)`` is called for each connection."""
    listeners = []

    def start(behave, name="s"):
        path = str(tmp_path / name)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(path)
        listener.listen()
        listeners.append(listener)

        def run():
            number = 0
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection:
                    try:
                        behave(connection, number)
                    except OSError:
                        pass
                number += 1

        threading.Thread(target=run, daemon=True).start()
        return path

    yield start
    for listener in listeners:
        listener.close()


def answering(*answers):
    """A server that gives these answers in turn, the last one for ever."""

    def behave(connection, number):
        connection.recv(65536)
        connection.sendall(answers[min(number, len(answers) - 1)])

    return behave


OK = b"HTTP/1.0 200 OK\r\nX-Windflow-Release: r1\r\nContent-Length: 2\r\n\r\nok"
SICK = b"HTTP/1.0 503 Service Unavailable\r\n\r\nno database"


def test_answer_has_status_headers_and_body(serve):
    answer = probe.get(serve(answering(OK)), "/healthz")
    assert (answer.status, answer.headers["x-windflow-release"], answer.body) == (200, "r1", "ok")


def test_tcp_is_asked_with_the_given_host():
    seen = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run():
            connection = listener.accept()[0]
            seen.append(connection.recv(65536))
            connection.sendall(OK)
            connection.close()

        threading.Thread(target=run, daemon=True).start()
        assert probe.get(listener.getsockname(), "/x", "example.com").status == 200
    assert seen[0].startswith(b"GET /x HTTP/1.0\r\nHost: example.com\r\n")


def test_keep_alive_connection_is_not_waited_for(serve):
    def behave(connection, _number):
        connection.recv(65536)
        connection.sendall(OK)
        time.sleep(3)

    started = time.monotonic()
    assert probe.get(serve(behave), "/").body == "ok"
    assert time.monotonic() - started < 1


def test_answer_that_drips_ends_at_the_deadline(serve):
    def behave(connection, _number):
        connection.recv(65536)
        for _number in range(100):
            connection.sendall(b"x")
            time.sleep(0.05)

    started = time.monotonic()
    answer = probe.get(serve(behave), "/", seconds=0.4)
    assert answer.status == 0 and time.monotonic() - started < 1


def test_endless_answer_is_cut(serve):
    def behave(connection, _number):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    assert len(probe.get(serve(behave), "/").body) <= 4 * probe.BODY_CHARACTERS


@pytest.mark.parametrize(
    ("answer", "error"),
    [(b"", "closed without an answer"), (b"SSH-2.0-x\r\n", "no HTTP answer"), (b"HTTP/1.0 x\r\n\r\n", "no HTTP")],
)
def test_what_is_no_answer_is_said(serve, answer, error):
    got = probe.get(serve(answering(answer)), "/")
    assert got.status == 0 and error in str(got)


def test_missing_socket_is_said(tmp_path):
    answer = probe.get(str(tmp_path / "absent"), "/")
    assert not answer.connected and "no such file" in str(answer)


def test_waiting_ends_when_every_target_is_healthy(serve):
    targets = [serve(answering(SICK, SICK, OK), "a"), serve(answering(OK), "b")]
    health = probe.wait_healthy(targets, "/", limit=10)
    assert health.healthy and health.seconds < 3


def test_socket_that_comes_late_is_found_at_once(serve, tmp_path):
    threading.Timer(0.5, serve, (answering(OK), "late")).start()
    health = probe.wait_healthy([str(tmp_path / "late")], "/", limit=10)
    assert health.healthy and health.seconds < 0.7


def test_last_status_and_body_are_kept_when_time_runs_out(serve):
    health = probe.wait_healthy([serve(answering(OK), "a"), serve(answering(SICK), "b")], "/", limit=0.5)
    assert not health.healthy and health.target.endswith("b") and 0.5 <= health.seconds < 1.5
    assert "503" in str(health.answer) and "no database" in str(health.answer)


def test_waiting_ends_early_for_a_reason(serve):
    health = probe.wait_healthy([serve(answering(SICK))], "/", limit=30, stop=lambda: "it fell over")
    assert not health.healthy and health.stopped == "it fell over" and health.seconds < 1


def test_hanging_server_does_not_stretch_the_limit(serve):
    health = probe.wait_healthy([serve(lambda connection, number: time.sleep(5))], "/", limit=0.5)
    assert not health.healthy and health.seconds < 1
