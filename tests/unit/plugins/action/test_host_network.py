# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a change is confirmed: over new connections, at the new address, or not at all."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.windflow.platform.plugins.action import host_network
from ansible_collections.windflow.platform.plugins.plugin_utils import new_connection

pytestmark = pytest.mark.fault(43)


class Connection:
    """An SSH connection that only has options."""

    transport = "ssh"

    def __init__(self, host="web1.example.com", port=None, **options):
        self.options = {"host": host, "port": port, "ssh_args": "-C -o ControlPersist=60s", **options}
        self.resets = 0

    def get_option(self, name):
        return self.options.get(name)

    def set_option(self, name, value):
        self.options[name] = value

    def reset(self):
        self.resets += 1


class Host:
    """Answers of a host, and by which connection each was asked."""

    def __init__(self, monkeypatch, connection, answers, moves=("", "")):
        self.connection, self.answers, self.asked, self.now = connection, list(answers), [], 0.0
        self.said = []
        self.begun = {"changed": True, "change": "12ab", "why": ["x"], "warnings": [], "diff": {}, "moves": list(moves)}
        monkeypatch.setattr(host_network, "call", self.call)
        monkeypatch.setattr(host_network.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(host_network.time, "sleep", self.sleep)

    def sleep(self, seconds):
        self.now += seconds

    def call(self, action, entry, module, arguments, task_vars):
        args = self.connection.options["ssh_args"]
        if arguments["state"] == "confirm":
            self.said.append(arguments["settled"])
        self.asked.append((arguments["state"], args.startswith("-o ControlPath=none"), self.connection.options["host"]))
        if arguments["state"] == "apply":
            return dict(self.begun)
        if arguments["state"] == "restore":
            return {"changed": True}
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, BaseException):
            raise answer
        return answer


def run(connection, **arguments):
    action = host_network.ActionModule.__new__(host_network.ActionModule)
    action._connection = connection
    action._display = type("Display", (), {"warning": lambda self, text: None})()
    action.options = {**host_network.DEFAULTS, "seconds": 60, "address": "", **arguments}
    action.task_vars = {"inventory_hostname": "web1"}
    return action.change(action.options)


LOST = AnsibleConnectionFailure("no route to host")
SETTLED = {"changed": False, "settled": "5e77"}
DONE = {"changed": True}
RESTORED = {"failed": True, "code": "E4101", "msg": "E4101: the host undid it"}


def test_a_change_is_confirmed_over_a_connection_of_its_own(monkeypatch):
    connection = Connection()
    before = dict(connection.options)
    host = Host(monkeypatch, connection, [LOST, SETTLED, LOST, DONE])
    answer = run(connection)
    assert answer["changed"] and answer["why"] == ["x"] and "failed" not in answer and answer["connection"] == {}
    assert host.asked == [("apply", False, "web1.example.com"), *[("confirm", True, "web1.example.com")] * 4]
    assert host.said == ["", "", "5e77", "5e77"]
    assert connection.options == before and connection.resets == 2


def test_a_host_that_restored_itself_is_reached_again_and_says_so(monkeypatch):
    connection = Connection()
    host = Host(monkeypatch, connection, [LOST] * 40 + [RESTORED])
    answer = run(connection)
    assert (answer["failed"], answer["code"], answer["changed"]) == (True, "E4101", False) and host.now > 60


def test_a_host_that_is_lost_is_unreachable_and_the_error_names_the_script(monkeypatch):
    connection = Connection()
    host = Host(monkeypatch, connection, [LOST])
    with pytest.raises(AnsibleConnectionFailure, match=r"E4102: .*change-12ab/restore"):
        run(connection)
    assert host.now >= 60 + host_network.RESTORE_SECONDS


def test_a_run_that_ends_before_the_confirmation_undoes_the_change(monkeypatch):
    connection = Connection()
    host = Host(monkeypatch, connection, [KeyboardInterrupt()])
    with pytest.raises(KeyboardInterrupt):
        run(connection)
    assert host.asked[-1] == ("restore", True, "web1.example.com")


def test_an_address_that_moves_is_confirmed_at_the_new_one(monkeypatch):
    connection = Connection("10.1.0.5", 2222)
    host = Host(monkeypatch, connection, [DONE], ("10.1.0.5", "10.1.0.6"))
    answer = run(connection)
    assert host.asked[1] == ("confirm", True, "10.1.0.6")
    key = "-o HostKeyAlias=[10.1.0.5]:2222"
    assert answer["connection"] == {"ansible_host": "10.1.0.6", "ansible_ssh_extra_args": key}
    assert connection.options["host"] == "10.1.0.5"


def test_a_restore_is_looked_for_at_the_old_address(monkeypatch):
    connection = Connection("10.1.0.5")
    host = Host(monkeypatch, connection, [LOST] * 40 + [RESTORED], ("10.1.0.5", "10.1.0.6"))
    assert run(connection)["code"] == "E4101"
    assert host.asked[1][2] == "10.1.0.6" and host.asked[-1][2] == "10.1.0.5"


def test_behind_a_forwarded_port_the_host_is_asked_where_it_was_unless_told_otherwise(monkeypatch):
    moves = ("10.1.0.5", "10.1.0.6")
    host = Host(monkeypatch, connection := Connection("127.0.0.1", 2222), [DONE], moves)
    assert run(connection)["connection"] == {} and host.asked[1][2] == "127.0.0.1"
    host = Host(monkeypatch, connection := Connection("127.0.0.1", 2222), [DONE], moves)
    run(connection, address="192.0.2.9")
    assert host.asked[1][2] == "192.0.2.9"


def test_the_key_of_a_host_at_another_address_is_the_known_one():
    assert new_connection.known_key(Connection("web1")) == "-o HostKeyAlias=web1"
    assert new_connection.known_key(Connection("web1", 22)) == "-o HostKeyAlias=web1"
    # What the operator has said comes first, and ssh takes the first.
    assert new_connection.known_key(Connection("web1", ssh_common_args="-o HostKeyAlias=x")) == ""


def test_without_ssh_there_is_no_other_connection(monkeypatch):
    connection = Connection()
    connection.transport = "local"
    host = Host(monkeypatch, connection, [DONE], ("10.1.0.5", "10.1.0.6"))
    assert run(connection)["connection"] == {}
    assert host.asked[1] == ("confirm", False, "web1.example.com")
