# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The template plugin's front as a real HAProxy, before an application that tells what it was asked."""

from __future__ import annotations

import os
import socket
import subprocess
import threading

import pytest

from .conftest import PLUGINS, free_port, wait_until

pytestmark = pytest.mark.system
CLAIMS = (
    *("X-Forwarded-For: 6.6.6.6", "X-Forwarded-Host: evil.test", "X-Forwarded-Proto: evil", "X-Forwarded-Port: 6666"),
    *("X-Forwarded-Prefix: /evil", "X_Forwarded_Prefix: /evil", "Forwarded: for=6.6.6.6;host=evil.test"),
    *("Proxy: http://evil.test", "X-Real-IP: 6.6.6.6", "X_Real_IP: 6.6.6.6", "True-Client-IP: 6.6.6.6"),
    *("X-Original-URL: /evil", "X-Rewrite-URL: /evil", "X-Client-IP: 6.6.6.6", "X-Forwarded: evil"),
)


class Echo(threading.Thread):
    """An application that keeps what it is asked."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.requests: list[str] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self) -> None:
        while True:
            try:
                connection, _address = self.listener.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(5)
                received = connection.recv(65536).decode()
                if received:
                    self.requests.append(received)
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")


@pytest.fixture
def front(tmp_path):
    application, port = Echo(), free_port()
    text = (PLUGINS / "template/compose/front/haproxy.cfg").read_text(encoding="utf-8")
    for name in ("names", "suffixes"):
        (tmp_path / name).write_text("example.test\n", encoding="utf-8")
        text = text.replace("/tmp/%s" % name, str(tmp_path / name))
    text = text.replace("bind :8080", "bind 127.0.0.1:%d" % port)
    text += "\nbackend app\n    server a 127.0.0.1:%d\n" % application.port
    (tmp_path / "haproxy.cfg").write_text(text, encoding="utf-8")
    environment = {**os.environ, "REQUEST_TIMEOUT": "5", "ANY_HOST": "0"}
    argv = ["/usr/sbin/haproxy", "-db", "-f", str(tmp_path / "haproxy.cfg")]
    with open(tmp_path / "log", "wb") as log:
        process = subprocess.Popen(argv, env=environment, stdout=log, stderr=log)

    def ask(request: str) -> str:
        with socket.create_connection(("127.0.0.1", port), 5) as connection:
            connection.sendall(request.replace("\n", "\r\n").encode())
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
        return received.decode()

    def serves() -> bool:
        try:
            return " 200 " in ask("GET / HTTP/1.0\nHost: example.test\n\n")
        except OSError:
            return False

    try:
        wait_until(serves, 10, "the front to serve")
        application.requests.clear()
        yield ask, application
    finally:
        process.terminate()
        process.wait(10)
        application.listener.close()


@pytest.mark.fault(64)
def test_a_client_cannot_say_who_it_is(front):
    ask, application = front
    ask("GET /a HTTP/1.1\nHost: example.test\nConnection: close\n%s\n\n" % "\n".join(CLAIMS))
    seen = application.requests[0].lower()
    assert "evil" not in seen and "6.6" not in seen and "6666" not in seen
    for line in ("x-real-ip: 127.0.0.1", "x-forwarded-for: 127.0.0.1", "x-forwarded-host: example.test"):
        assert seen.count(line) == 1
    assert "x-forwarded-proto: http\r\n" in seen


@pytest.mark.fault(64)
@pytest.mark.parametrize(
    ("head", "status"),
    [("Transfer-Encoding: chunked", 411), ("Transfer-Encoding: gzip, chunked", 422), ("Content-Length: 10485761", 413)],
)
def test_a_body_that_is_too_large_or_of_unknown_length_is_refused(front, head, status):
    ask, application = front
    answer = ask("POST / HTTP/1.1\nHost: example.test\nConnection: close\n%s\n\n" % head)
    assert answer.startswith("HTTP/1.1 %d " % status)
    assert application.requests == []
