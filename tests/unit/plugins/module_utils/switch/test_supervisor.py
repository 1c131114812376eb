# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Supervisor's XML-RPC with a real supervisord."""

from __future__ import annotations

import sys
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch import supervisor


def program(machine, name, command, count=1, more=""):
    (machine.root / "conf.d" / (name + ".conf")).write_text(
        "[program:%s]\ncommand=%s\nnumprocs=%d\nprocess_name=%%(program_name)s-%%(process_num)d\nstopwaitsecs=2\n%s"
        % (name, command, count, more)
    )


def group_states(conf, group):
    """States of a group's processes; None where Supervisor does not answer."""
    try:
        return [item["statename"] for item in supervisor.Supervisor(conf=conf).processes([group])]
    except WindflowError:
        return None


def test_group_is_started_and_removed(machine):
    client = machine.supervisor()
    program(machine, "one", "/bin/sleep 100", 3)
    assert client.reload() == (["one"], [], [])
    client.start("one")
    assert [item["name"] for item in client.processes(["one"])] == ["one-0", "one-1", "one-2"]
    assert group_states(str(machine.supervisor_conf), "one") == ["STARTING"] * 3
    machine.wait(lambda: {item["statename"] for item in client.processes()} == {"RUNNING"})
    started = time.monotonic()
    assert client.remove(["one", "absent"], 5) == ["one"]
    assert time.monotonic() - started < 1 and client.processes() == []


def test_starting_again_starts_only_what_is_down(machine):
    client = machine.supervisor()
    program(machine, "one", "/bin/sleep 100", 2)
    client.reload()
    client.start("one")
    first, second = (item["pid"] for item in client.processes())
    client.call("stopProcess", "one:one-1")
    client.start("one")
    now = [item["pid"] for item in client.processes()]
    assert now[0] == first and now[1] not in (0, second)


def test_process_that_ignores_the_signal_is_killed(machine):
    client = machine.supervisor()
    program(machine, "deaf", """/bin/sh -c "trap '' TERM; while :; do sleep 0.1; done" """, more="killasgroup=true\n")
    client.reload()
    client.start("deaf")
    time.sleep(0.3)
    client.remove(["deaf"], 10)
    assert client.processes() == []


def test_broken_configuration_is_told(machine):
    program(machine, "broken", "/bin/true", more="user=no-such-user\n")
    with pytest.raises(WindflowError) as caught:
        machine.supervisor().reload()
    assert caught.value.code == "E4032" and "no-such-user" in str(caught.value)


def test_supervisor_that_does_not_run_is_told(tmp_path):
    with pytest.raises(WindflowError) as caught:
        supervisor.Supervisor("", str(tmp_path / "absent.sock")).processes()
    assert caught.value.code == "E4031"
    (tmp_path / "supervisord.conf").write_text("[unix_http_server]\nfile=%(here)s/absent.sock\n")
    assert group_states(str(tmp_path / "supervisord.conf"), "x") is None
    (tmp_path / "supervisord.conf").write_text("[unix_http_server]\nfile=%(here)s/absent.sock\n")
    assert group_states(str(tmp_path / "supervisord.conf"), "x") is None


def test_socket_and_account_come_from_the_configuration(tmp_path):
    conf = tmp_path / "supervisord.conf"
    conf.write_text("[unix_http_server]\nfile=%(here)s/s.sock ; comment\nusername=u\npassword=p%w\n")
    assert supervisor.server_section(str(conf)) == (str(tmp_path / "s.sock"), "u", "p%w")
    assert supervisor.server_section(str(tmp_path / "absent")) == (supervisor.SOCKET, "", "")


def test_states_are_described_with_their_reason():
    assert supervisor.describe({"name": "a-0", "statename": "FATAL", "spawnerr": "Exited too quickly"}) == (
        "a-0 FATAL (Exited too quickly)"
    )


@pytest.mark.system
@pytest.mark.fault(82)
def test_a_supervisor_with_a_port_and_a_password_instead_of_a_socket_is_asked_there(machine):
    port = machine.port
    conf = machine.root / "other.conf"
    text = machine.supervisor_conf.read_text().replace("supervisord.", "other.")
    server = f"[inet_http_server]\nport=127.0.0.1:{port}\nusername=u\npassword=p%w\n"
    conf.write_text(server.replace("%w", "%%w") + text.partition("chmod=0700\n")[2])
    machine.spawn([sys.executable, "-m", "supervisor.supervisord", "-c", str(conf)])
    machine.wait((machine.root / "other.pid").exists)
    conf.write_text(server + "[supervisord]\n")
    assert supervisor.Supervisor(conf=str(conf)).processes() == []
    conf.write_text(server.replace("p%w", "another"))
    with pytest.raises(WindflowError) as caught:
        supervisor.Supervisor(conf=str(conf)).processes()
    problem = caught.value.problems[0]
    assert caught.value.code == "E4031" and "401" in problem.got and str(conf) in problem.remedy
    assert "start the service" not in problem.remedy
