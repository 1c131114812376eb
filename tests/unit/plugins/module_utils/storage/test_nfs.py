# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import socket
import threading

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.storage import nfs


@pytest.fixture
def server():
    """Returns (port, what it was sent) of a server that answers each connection with the same bytes."""
    listeners = []

    def start(answer):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)
        heard = []

        def serve():
            while True:
                try:
                    connection = listener.accept()[0]
                except OSError:
                    return
                with connection:
                    heard.append(connection.recv(100))
                    connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1], heard

    yield start
    for listener in listeners:
        listener.close()


def test_a_server_is_asked_a_question_of_its_own_protocol(server):
    port, heard = server(b"\x80\0\0\x18")
    assert nfs.reached("127.0.0.1", port) == "127.0.0.1"
    (call,) = heard
    # The last fragment, of 40 bytes: a call (0) of RPC 2 to the program NFS.
    assert call[:4] == b"\x80\0\0\x28" and len(call) == 44
    assert [int.from_bytes(call[at : at + 4], "big") for at in (8, 12, 16)] == [0, 2, 100003]


def test_a_server_that_accepts_and_says_nothing_has_not_answered(server):
    port, _heard = server(b"")
    with pytest.raises(OSError, match="closes the connection without an answer"):
        nfs.reached("127.0.0.1", port)


def test_a_server_that_is_away_is_silent_with_the_reason():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    found = nfs.ask("127.0.0.1", "/x", ["port=%d" % port], 20)
    assert found["state"] == "silent" and "port %d" % port in found["said"] and "refused" in found["said"]


@pytest.mark.parametrize(
    ("code", "said", "state"),
    [
        (0, "", "fine"),
        (32, "mount.nfs: access denied by server while mounting s:/x", "refused"),
        (32, "mount.nfs: mounting s:/x failed, reason given by server: No such file or directory", "refused"),
        (32, "mount: /tmp: unknown filesystem type 'nfs4'.", "unknown"),
        (32, "mount.nfs: Connection timed out", "silent"),
    ],
)
def test_what_an_attempt_to_mount_says_is_understood(code, said, state):
    assert nfs.judged(code, said)["state"] == state


def test_a_server_has_its_export_in_its_name_also_by_an_address_of_ipv6():
    assert nfs.source("2001:db8::1", "/x") == "[2001:db8::1]:/x"
    assert nfs.parts({"source": "[2001:db8::1]:/x/y"}) == ("2001:db8::1", "/x/y")


@pytest.mark.parametrize(
    ("source", "options", "same"),
    [
        ("127.0.0.1:/data", ["rw", "addr=127.0.0.1"], True),
        ("127.0.0.1:/data", ["rw", "addr=192.0.2.7"], False),
        ("127.0.0.1:/other", ["rw", "addr=127.0.0.1"], False),
        ("localhost:/data", ["rw"], True),
        ("127.0.0.1:/data", ["rw"], False),
    ],
)
def test_an_export_is_the_same_by_another_name_of_its_server(source, options, same):
    mount = {"source": source, "type": "nfs4", "options": options}
    assert nfs.is_same(mount, {"source": "localhost:/data"}) is same


def test_a_name_that_nobody_knows_has_no_address():
    assert nfs.addresses("nowhere.invalid") == []
