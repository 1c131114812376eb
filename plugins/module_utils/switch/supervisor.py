# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Supervisor's XML-RPC over its unix socket, or its port where it has none: configuration, groups, states."""

from __future__ import annotations

import base64
import configparser
import http.client
import os
import socket
import time
import xmlrpc.client

from ..errors import Problem, WindflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

SOCKET = "/var/run/supervisor.sock"
CALL_SECONDS = 15.0
POLL_SECONDS = 0.03

# Supervisor's fault codes.
BAD_NAME, ALREADY_STARTED, NOT_RUNNING, ALREADY_ADDED, STILL_RUNNING = 10, 60, 70, 90, 91

RUNNING_STATES = ("STARTING", "RUNNING")
STOPPED_STATES = ("STOPPED", "EXITED", "FATAL", "UNKNOWN")


class _Connection(http.client.HTTPConnection):
    def __init__(self, place: str | tuple[str, int]) -> None:
        super().__init__("localhost", timeout=CALL_SECONDS)
        self.place = place

    def connect(self) -> None:
        if isinstance(self.place, tuple):
            self.sock = socket.create_connection(self.place, self.timeout)
            return
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.place)


class _Transport(xmlrpc.client.Transport):
    def __init__(self, place: str | tuple[str, int], headers: list[tuple[str, str]]) -> None:
        super().__init__(headers=headers)
        self.place = place

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        # One connection for all calls, as in the parent class.
        known = self._connection[1] if self._connection and self._connection[0] == host else None
        connection = known or _Connection(self.place)
        self._connection = (host, connection)
        return connection


def server_section(conf: str) -> tuple[str | tuple[str, int], str, str]:
    """(place, user, password) from ``[unix_http_server]``, or else ``[inet_http_server]``; the last two may be empty.
    The place is the path of a socket, or (address, port)."""
    # As in Supervisor's own reader: duplicates allowed, no interpolation.
    parser = configparser.RawConfigParser(inline_comment_prefixes=(";", "#"), strict=False)
    try:
        parser.read(conf)
    except configparser.Error as error:
        raise WindflowError(
            Problem.plain(
                "E4030", "the configuration of Supervisor cannot be read", str(error), "correct the file", conf
            )
        ) from None
    section: Mapping[str, str] = {}
    place: str | tuple[str, int]
    if parser.has_section("unix_http_server") or not parser.has_section("inet_http_server"):
        section = parser["unix_http_server"] if parser.has_section("unix_http_server") else {}
        place = section.get("file", SOCKET).strip().replace("%(here)s", os.path.dirname(os.path.abspath(conf)))
    else:
        section = parser["inet_http_server"]
        place = tcp_place(section.get("port", ""), conf)
    return place, section.get("username", ""), section.get("password", "")


def tcp_place(text: str, conf: str) -> tuple[str, int]:
    """(address, port) of ``127.0.0.1:9001``, ``*:9001`` or ``9001``."""
    address, _colon, port = text.strip().rpartition(":")
    if not port.isdigit():
        expected = "a port in [inet_http_server] of Supervisor"
        raise WindflowError(Problem("E4030", expected, repr(text), "correct the file", conf))
    return "127.0.0.1" if address in ("", "*", "0.0.0.0") else address.strip("[]"), int(port)


class Supervisor:
    """A running supervisord, found by its configuration, or by the ``path`` of its socket. Every method raises
    ``WindflowError`` E4031 where it does not answer."""

    def __init__(self, conf: str, path: str = "") -> None:
        user = password = ""
        place: str | tuple[str, int] = path
        if not path:
            place, user, password = server_section(conf)
        credentials = base64.b64encode(("%s:%s" % (user, password)).encode()).decode()
        headers = [("Authorization", "Basic %s" % credentials)] if user else []
        self.conf = conf
        self.path = place if isinstance(place, str) else "%s:%d" % place
        self.proxy = xmlrpc.client.ServerProxy("http://localhost", transport=_Transport(place, headers))

    def call(
        self, name: str, *arguments: Any, accept: Collection[int] = (), remedies: Mapping[int, str] | None = None
    ) -> Any:
        """One call of ``supervisor.<name>``; a fault whose code is in ``accept`` gives None.

        ``remedies``: what to do about a fault, by its code.
        """
        try:
            return getattr(self.proxy.supervisor, name)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode in accept:
                return None
            said = "Supervisor refused %s(%s)" % (name, ", ".join(str(item) for item in arguments))
            remedy = (remedies or {}).get(fault.faultCode, "read Supervisor's own log")
            raise WindflowError(Problem.plain("E4032", said, fault.faultString, remedy)) from None
        except (OSError, http.client.HTTPException, xmlrpc.client.ProtocolError) as error:
            remedy, got = "start the service supervisor", str(error)
            if isinstance(error, xmlrpc.client.ProtocolError):
                # It runs, but wants another login. The error's own text has the address in it, no more.
                got = "status %d %s" % (error.errcode, error.errmsg)
                remedy = "read Supervisor's own log"
                if error.errcode == 401:
                    remedy = "give the user and password of %s as Supervisor was started with them" % self.conf
            raise WindflowError(
                Problem.plain("E4031", "Supervisor does not answer on %s" % self.path, got, remedy)
            ) from None

    def reload(self) -> tuple[list[str], list[str], list[str]]:
        """Reads the configuration again. Returns the groups that are (added, changed, removed) in it."""
        added, changed, removed = self.call("reloadConfig")[0]
        return added, changed, removed

    def processes(self, groups: Collection[str] | None = None) -> list[dict[str, Any]]:
        """Returns what Supervisor says of every process, or of those of some groups, in order."""
        found = [item for item in self.call("getAllProcessInfo") if groups is None or item["group"] in groups]
        return sorted(found, key=lambda item: (item["group"], len(item["name"]), item["name"]))

    def start(self, group: str) -> None:
        """Adds the group where it is not there yet, and starts what of it does not run. Does not wait."""
        included = "let the section [include] of %s name the file of the program" % self.conf
        self.call("addProcessGroup", group, accept=(ALREADY_ADDED,), remedies={BAD_NAME: included})
        if any(item["statename"] not in RUNNING_STATES for item in self.processes([group])):
            self.call("startProcessGroup", group, False)

    def remove(self, groups: Collection[str], limit: float) -> list[str]:
        """Stops groups at the same time, waits up to ``limit`` seconds, and takes them out. Returns their names."""
        present = sorted({item["group"] for item in self.processes(groups)})
        for group in present:
            self.call("stopProcessGroup", group, False, accept=(BAD_NAME,))
        deadline = time.monotonic() + limit
        # Asking makes supervisord look after its children at once; by itself it wakes once a second.
        while any(item["statename"] not in STOPPED_STATES for item in self.processes(present)):
            if time.monotonic() > deadline:
                raise WindflowError(
                    Problem.plain(
                        "E4033",
                        "%s did not stop within %d s" % (", ".join(present), limit),
                        ", ".join(describe(item) for item in self.processes(present)),
                        "end the processes, then run again",
                    ),
                    "The programs are still known to Supervisor.",
                )
            time.sleep(POLL_SECONDS)
        for group in present:
            self.call("removeProcessGroup", group, accept=(BAD_NAME,))
        return present


def describe(item: dict[str, Any]) -> str:
    """A process of ``processes`` in a few words."""
    text = "%s %s" % (item["name"], item["statename"])
    reason = item.get("spawnerr") or item.get("description") or ""
    return "%s (%s)" % (text, reason) if reason else text


def fallen(conf: str, program: str) -> str:
    """Returns which processes of a program do not run, in words; "" where all do."""
    try:
        found = Supervisor(conf=conf).processes([program])
    except WindflowError as error:
        return str(error.problems[0])
    if not found:
        return "Supervisor has no program %s" % program
    return ", ".join(describe(item) for item in found if item["statename"] not in RUNNING_STATES)
