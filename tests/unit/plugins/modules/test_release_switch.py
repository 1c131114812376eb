# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch, with a real nginx, a real supervisord and real applications under gunicorn."""

from __future__ import annotations

import json
import os
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from unittest import mock

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.windflow.platform.plugins.module_utils.errors import Problem, WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import nofollow
from ansible_collections.windflow.platform.plugins.module_utils.record import store
from ansible_collections.windflow.platform.plugins.module_utils.switch.supervisor import Supervisor
from ansible_collections.windflow.platform.plugins.modules import release_switch

pytestmark = pytest.mark.system

HEALTHY = 'def answer(path, environ):\n    return "200 OK", b"well"\n'
FIRST = "20261123T010000Z-00000001"
SECOND = "20261123T020000Z-00000002"
THIRD = "20261123T030000Z-00000003"

SICK = 'def answer(path, environ):\n    return "500 Internal Server Error", b"the database is away"\n'
CRASHING = 'raise RuntimeError("no such table: items")\n'


@pytest.fixture
def switch(machine, capsys):
    """Runs the module in this process and returns what it prints, with the warnings of this run.

    ansible-core itself sends a warning elsewhere once another test of the process has imported the controller."""

    def run(release="", check=False, diff=False, **changes):
        arguments = machine.options(release, **changes)
        arguments.update(_ansible_check_mode=check, _ansible_diff=diff)
        warned = []
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)}
        try:
            with (
                patch_module_args(arguments),
                mock.patch.object(release_switch.AnsibleModule, "warn", lambda module, text: warned.append(text)),
                pytest.raises(SystemExit),
            ):
                release_switch.main()
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return {**json.loads(capsys.readouterr().out), "warnings": warned}

    return run


@pytest.fixture
def first(machine, switch):
    """The first release serves."""
    machine.make_release(FIRST)
    result = switch(FIRST)
    assert not result.get("failed"), result
    return result


def test_first_release_answers_through_nginx(machine, first):
    assert first["changed"] and first["status"] == 200 and first["previous"] == ""
    assert first["url"] == "http://example.test:%d/" % machine.port
    assert machine.get().body == "0 example.test"
    assert machine.current() == FIRST
    assert os.readlink(machine.install_dir / "current") == "releases/" + FIRST
    copy = machine.root / "etc/config.yaml"
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640 and copy.read_text() == "secret_key: canary-%s\n" % FIRST


def test_second_call_changes_nothing(machine, switch, first):
    started = machine.supervisor().processes()[0]["pid"]
    again = switch(FIRST)
    assert again["changed"] is False and again["changes"] == []
    assert switch(FIRST, check=True)["changed"] is False
    assert machine.supervisor().processes()[0]["pid"] == started


@pytest.mark.fault(48)
def test_upgrade_under_load_loses_no_request(machine, switch, first):
    machine.make_release(SECOND, replicas=2)
    with machine.load() as load:
        result = switch(SECOND, replicas=2)
    assert result["changed"] and result["previous"] == FIRST, result
    assert load.result["failed"] == {}
    assert load.result["gap"] - load.result["late"] <= 0.1
    assert set(load.result["releases"]) == {FIRST, SECOND}
    assert result["stopped"] == ["windflow-demo-" + FIRST] and machine.programs() == ["windflow-demo-" + SECOND]
    assert {machine.get().body[0] for _number in range(8)} == {"0", "1"}
    assert sorted(path.name for path in (machine.install_dir / "run").iterdir()) == [
        SECOND + "-0.sock",
        SECOND + "-1.sock",
    ]
    assert [path.name for path in (machine.root / "conf.d").iterdir()] == ["windflow-demo-%s.conf" % SECOND]


def assert_first_serves(machine):
    """Nothing of any other release is left in service."""
    assert machine.serving() == FIRST and machine.current() == FIRST
    assert machine.programs() == ["windflow-demo-" + FIRST]
    assert [path.name for path in (machine.root / "conf.d").iterdir()] == ["windflow-demo-%s.conf" % FIRST]
    assert [path.name for path in (machine.install_dir / "run").iterdir()] == [FIRST + "-0.sock"]
    assert FIRST in (machine.root / "nginx/sites-enabled/windflow-demo.conf").read_text()
    assert "canary-" + FIRST in (machine.root / "etc/config.yaml").read_text()


@pytest.mark.fault(35)
def test_sick_release_is_taken_away_while_the_old_one_serves(machine, switch, first):
    machine.make_release(SECOND, SICK)
    with machine.load() as load:
        result = switch(SECOND, health_timeout=2)
    assert result["failed"] and result["code"] == "E4040" and result["probe_status"] == 500
    assert "the database is away" in result["msg"] and "RUNNING" in result["msg"]
    assert "Release %s still serves." % FIRST in result["msg"]
    assert load.result["failed"] == {} and set(load.result["releases"]) == {FIRST}
    assert_first_serves(machine)


@pytest.mark.fault(37)
def test_crashing_release_ends_the_wait_early_and_shows_its_log(machine, switch, first):
    machine.make_release(SECOND, CRASHING)
    started = time.monotonic()
    result = switch(SECOND, health_timeout=30)
    assert time.monotonic() - started < 10
    assert result["code"] == "E4040" and any("no such table: items" in line for line in result["log"])
    assert "no such table: items" in result["msg"] and len(result["log"]) <= 21
    assert_first_serves(machine)


@pytest.mark.fault(20)
def test_a_run_that_has_lost_its_lease_switches_nothing(machine, switch, first, monkeypatch, tmp_path):
    place = str(tmp_path)
    monkeypatch.setattr(store.renew, "__defaults__", (*store.renew.__defaults__[:-1], place))
    machine.make_release(SECOND)
    store.save(store.begin(store.empty("demo"), "other", "bob", "deploy", time.time(), {}), place)
    result = switch(SECOND, run="mine")
    assert result["code"] == "E5002" and "bob" in result["msg"] and "Release %s still serves." % FIRST in result["msg"]
    assert_first_serves(machine)
    assert not switch(SECOND, run="other").get("failed") and machine.serving() == SECOND
    assert store.load("demo", place)["lease"]["step"] == "switch"


def test_log_tail_hides_the_secrets_of_the_release(machine, switch, first):
    directory = machine.make_release(SECOND, 'raise RuntimeError("key is %s" % "swordfish-77")\n')
    (directory / "secrets.json").write_text('["swordfish-77"]')
    result = switch(SECOND)
    assert "key is ********" in result["msg"] and "swordfish-77" not in json.dumps(result)


def test_site_that_nginx_rejects_is_never_installed(machine, switch, first):
    directory = machine.make_release(SECOND)
    (directory / "nginx.conf").write_text("server { listen %d; bogus on; }\n" % machine.port)
    result = switch(SECOND)
    assert result["code"] == "E4035" and "bogus" in result["msg"]
    assert_first_serves(machine)


@pytest.mark.fault(45)
def test_port_of_another_process_leaves_the_old_site(machine, switch, first):
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        machine.make_release(SECOND, host_port=taken.getsockname()[1])
        result = switch(SECOND, port=taken.getsockname()[1])
    assert result["code"] == "E4037" and "bind()" in result["msg"]
    assert_first_serves(machine)


def test_answer_of_another_release_through_nginx_puts_the_old_site_back(machine, switch, first):
    directory = machine.make_release(SECOND)
    site = (directory / "nginx.conf").read_text()
    (directory / "nginx.conf").write_text(site.replace(SECOND + "-0.sock", FIRST + "-0.sock"))
    with machine.load() as load:
        result = switch(SECOND, health_timeout=2)
    assert result["code"] == "E4043" and FIRST in result["msg"]
    assert load.result["failed"] == {}
    assert_first_serves(machine)


def test_failed_first_install_leaves_nothing(machine, switch):
    machine.make_release(FIRST, SICK)
    result = switch(FIRST, health_timeout=1)
    assert result["failed"] and "No release was there before." in result["msg"]
    assert machine.programs() == []
    for name in ("conf.d", "nginx/sites-available", "nginx/sites-enabled", "etc", "opt/run"):
        assert list((machine.root / name).iterdir()) == []
    assert not os.path.lexists(machine.install_dir / "current")


def test_failure_at_the_last_step_puts_the_site_back(machine, switch, first):
    machine.make_release(SECOND)
    with machine.load() as load:
        result = switch(SECOND, config_copy={"path": str(machine.root / "absent/config.yaml")})
    assert result["code"] == "E4046" and "What had been changed was put back." in result["msg"]
    assert load.result["failed"] == {}
    assert_first_serves(machine)


def test_directory_in_the_place_of_current_is_named(machine, switch):
    machine.make_release(FIRST)
    (machine.install_dir / "current").mkdir()
    result = switch(FIRST)
    assert result["code"] == "E4046" and str(machine.install_dir / "current") in result["msg"]
    assert machine.programs() == []


@pytest.mark.fault(22)
def test_terminated_switch_is_undone(machine, switch, first):
    machine.make_release(SECOND, SICK)
    timer = threading.Timer(2, os.kill, (os.getpid(), signal.SIGTERM))
    timer.start()
    result = switch(SECOND, health_timeout=30)
    assert result["code"] == "E4045" and not result["changed"] and result["changes"] == []
    assert_first_serves(machine)


RUNNER = """\
import json, sys
from ansible.module_utils.testing import patch_module_args
from ansible_collections.windflow.platform.plugins.modules import release_switch
with patch_module_args(json.loads(sys.argv[1])):
    release_switch.main()
"""


def test_failure_to_stop_the_old_release_says_that_the_new_one_serves(machine, switch, first, monkeypatch):
    machine.make_release(SECOND)
    monkeypatch.setattr(Supervisor, "remove", stuck)
    result = switch(SECOND)
    assert result["code"] == "E4033" and result["changed"] and "Release %s serves" % SECOND in result["msg"]
    monkeypatch.undo()
    assert machine.serving() == machine.current() == SECOND
    assert switch(SECOND)["stopped"] == ["windflow-demo-" + FIRST]


def stuck(self, groups, limit):
    raise WindflowError(Problem("E4033", "%s to stop" % groups))


@pytest.mark.fault(21)
@pytest.mark.parametrize("moment", ["program started", "site installed"])
def test_killed_switch_is_completed_by_the_next(machine, switch, first, moment):
    machine.make_release(SECOND, SICK if moment == "program started" else HEALTHY)
    site = machine.root / "nginx/sites-available/windflow-demo.conf"
    reached = {
        "program started": lambda: "windflow-demo-" + SECOND in machine.programs(),
        "site installed": lambda: SECOND in site.read_text(),
    }
    argv = [sys.executable, "-c", RUNNER, json.dumps(machine.options(SECOND))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with machine.load() as load:
        with subprocess.Popen(argv, stdout=subprocess.DEVNULL, env=environment) as process:
            machine.wait(reached[moment])
            process.kill()
        machine.make_release(THIRD)
        result = switch(THIRD)
    assert result["changed"] and load.result["failed"] == {}
    assert machine.serving() == machine.current() == THIRD and machine.programs() == ["windflow-demo-" + THIRD]
    assert [path.name for path in (machine.root / "conf.d").iterdir()] == ["windflow-demo-%s.conf" % THIRD]


@pytest.mark.fault(47)
def test_site_edited_by_hand_is_kept_as_a_backup_and_overwritten(machine, switch, first):
    site = machine.root / "nginx/sites-available/windflow-demo.conf"
    site.write_text(site.read_text() + "# by hand\n")
    predicted = switch(FIRST, check=True, diff=True)
    result = switch(FIRST)
    assert predicted["changed"] and "# by hand" in predicted["diff"][0]["before"]
    assert result["changed"] and predicted["changes"] == result["changes"] == [str(site)]
    assert "# by hand" not in site.read_text() and machine.serving() == FIRST
    (backup,) = result["backups"]
    assert "# by hand" in open(backup).read() and stat.S_IMODE(os.stat(backup).st_mode) == 0o600


def test_check_mode_names_what_a_switch_changes_and_does_nothing(machine, switch, first):
    machine.make_release(SECOND)
    predicted = switch(SECOND, check=True, diff=True)
    assert predicted["changed"] and "canary" not in json.dumps(predicted)
    assert_first_serves(machine)
    result = switch(SECOND)
    assert set(predicted["changes"]) <= set(result["changes"])
    written = {path for path in result["changes"] if path.startswith("/")}
    assert written == set(predicted["changes"])


def test_check_mode_before_the_release_was_made_predicts_a_change(machine, switch):
    assert switch(FIRST, check=True)["changed"] is True


def test_plugin_whose_name_begins_the_same_is_left_alone(machine, switch, first):
    machine.make_release(SECOND, plugin="demo-two")
    other = machine.root / "conf.d" / ("windflow-demo-two-%s.conf" % SECOND)
    other.write_text((machine.install_dir / "releases" / SECOND / "supervisor.conf").read_text())
    supervisor = machine.supervisor()
    supervisor.reload()
    supervisor.start("windflow-demo-two-" + SECOND)
    machine.make_release(THIRD)
    assert switch(THIRD)["stopped"] == ["windflow-demo-" + FIRST]
    switch(state="absent")
    assert machine.programs() == ["windflow-demo-two-" + SECOND] and other.exists()


def test_without_health_path_a_release_must_stay_up(machine, switch, first):
    machine.make_release(SECOND)
    result = switch(SECOND, health="", settle=2)
    assert result["status"] == 200 and 1 <= result["timings"]["health"] <= 5
    machine.make_release(THIRD, CRASHING)
    # It ends as soon as Python has started, which a busy machine may not do within seconds.
    assert switch(THIRD, health="", settle=60)["code"] == "E4041"
    assert machine.serving() == SECOND


def test_absent_takes_everything_out_of_service(machine, switch, first):
    log = machine.log_dir / "windflow-demo-0.log"
    predicted = switch(check=True, state="absent")
    result = switch(state="absent")
    assert predicted["changed"] and result["changed"] and result["stopped"] == ["windflow-demo-" + FIRST]
    assert machine.programs() == [] and machine.get().status == 0
    for name in ("conf.d", "nginx/sites-available", "nginx/sites-enabled", "etc", "opt/run"):
        assert list((machine.root / name).iterdir()) == []
    assert not os.path.lexists(machine.install_dir / "current")
    assert log.exists() and (machine.install_dir / "releases" / FIRST).is_dir()
    assert switch(state="absent")["changed"] is False


def plant(machine, release, number=0):
    """A directory with a socket's name, and a link that leads out of it, as the application may make it."""
    planted = machine.install_dir / "run" / ("%s-%d.sock" % (release, number))
    if os.path.lexists(planted):
        planted.unlink()
    (planted / "deep").mkdir(parents=True)
    (planted / "deep" / "link").symlink_to(machine.root / "conf.d")


@pytest.mark.fault(61)
def test_a_directory_with_a_sockets_name_stops_neither_a_switch_nor_a_removal(machine, switch, first):
    plant(machine, SECOND)
    plant(machine, FIRST, 7)
    machine.make_release(SECOND)
    result = switch(SECOND)
    assert result["status"] == 200 and machine.current() == SECOND, result
    assert [path.name for path in (machine.install_dir / "run").iterdir()] == [SECOND + "-0.sock"]
    plant(machine, SECOND)
    plant(machine, FIRST)
    assert switch(state="absent")["changed"] and list((machine.install_dir / "run").iterdir()) == []
    assert (machine.root / "conf.d").is_dir()


@pytest.mark.fault(17)
def test_a_link_in_the_place_of_a_log_is_not_followed(machine, switch, first):
    victim = machine.root / "victim"
    victim.write_text("untouched")
    log = machine.log_dir / "windflow-demo-1.log"
    for path, make in ((log, os.symlink), (log.with_suffix(".log.1"), os.link)):
        make(victim, path)
    machine.make_release(SECOND, replicas=2)
    assert switch(SECOND, replicas=2)["status"] == 200
    assert victim.read_text() == "untouched" and not log.is_symlink()


@pytest.mark.fault(61)
def test_what_cannot_be_removed_in_a_sockets_place_is_told_and_stops_nobody(machine, switch, first, monkeypatch):
    def refuse(path):
        raise OSError(1, "Operation not permitted", path)

    plant(machine, FIRST, 7)
    monkeypatch.setattr(nofollow, "remove", refuse)
    machine.make_release(SECOND)
    result = switch(SECOND)
    assert result["status"] == 200 and machine.current() == SECOND and "%s-7.sock" % FIRST in str(result["warnings"])


def test_a_site_that_nginx_would_not_read_is_never_installed(machine, switch):
    text = machine.nginx_conf.read_text(encoding="utf-8")
    includes = [line for line in text.splitlines(True) if "sites-enabled" in line]
    assert len(includes) == 1
    machine.nginx_conf.write_text(text.replace(includes[0], ""), encoding="utf-8")
    machine.make_release(FIRST)
    result = switch(FIRST)
    assert result["code"] == "E4034" and "in the section http of %s" % machine.nginx_conf in result["msg"]
    assert machine.programs() == [] and os.listdir(machine.root / "nginx/sites-enabled") == []


def test_a_program_that_supervisor_does_not_read_is_named_with_its_configuration(machine, switch):
    text = machine.supervisor_conf.read_text(encoding="utf-8")
    assert "conf.d/*.conf" in text
    machine.supervisor_conf.write_text(text.replace("conf.d/*.conf", "conf.d/*.ini"), encoding="utf-8")
    machine.make_release(FIRST)
    result = switch(FIRST, supervisor_conf=str(machine.supervisor_conf))
    assert result["code"] == "E4032" and "[include] of %s" % machine.supervisor_conf in result["msg"]
    assert machine.programs() == []


def test_stopped_services_are_named(machine, switch):
    machine.make_release(FIRST)
    assert switch(FIRST, supervisor_socket="/nonexistent.sock")["code"] == "E4031"
    other = machine.root / "nginx/other.conf"
    other.write_text("pid %s;\n" % (machine.root / "no.pid"), encoding="utf-8")
    result = switch(FIRST, nginx_conf=str(other))
    assert result["code"] == "E4042" and machine.programs() == []


def test_socket_is_reached_by_nginx_and_by_nobody_else(machine, first):
    path = str(machine.install_dir / "run" / (FIRST + "-0.sock"))
    connect = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"
    for user, reaches in (("www-data", True), ("games", False)):
        done = subprocess.run(
            ["setpriv", "--reuid", user, "--regid", user, "--clear-groups", "/usr/bin/python3", "-c", connect, path],
            check=False,
            capture_output=True,
            text=True,
        )
        assert (done.returncode == 0) is reaches, done.stderr


WRITING = """\
def answer(path, environ):
    open(os.path.join(os.environ["WINDFLOW_DATA_DIR"], "written"), "w").close()
    return "200 OK", "\\n".join("%s=%s" % item for item in os.environ.items() if item[0][:3] in ("WIN", "HOM")).encode()
"""


def test_application_runs_confined_and_knows_only_what_it_should(machine, switch):
    machine.make_release(FIRST, WRITING)
    assert switch(FIRST)["changed"]
    answer = machine.get()
    written = os.stat(machine.root / "data/written")
    assert stat.S_IMODE(written.st_mode) == 0o660 and written.st_uid == 65534
    environment = dict(line.split("=", 1) for line in answer.body.splitlines())
    release_dir = str(machine.install_dir / "releases" / FIRST)
    assert environment == {
        "HOME": str(machine.root / "data"),
        "WINDFLOW_CONFIG": release_dir + "/config.yaml",
        "WINDFLOW_PLUGIN": "demo",
        "WINDFLOW_VERSION": "1.0.0",
        "WINDFLOW_RELEASE": FIRST,
        "WINDFLOW_ENVIRONMENT": "production",
        "WINDFLOW_INSTANCE": "0",
        "WINDFLOW_DATA_DIR": str(machine.root / "data"),
        "WINDFLOW_LOG_DIR": str(machine.log_dir),
        "WINDFLOW_SHARED_DIR": str(machine.install_dir / "shared"),
    }


def test_application_that_is_killed_comes_back_by_itself(machine, first):
    killed = machine.supervisor().processes()[0]["pid"]
    os.killpg(killed, signal.SIGKILL)
    machine.wait(lambda: machine.supervisor().processes()[0]["pid"] not in (0, killed))
    machine.wait(lambda: machine.get().status == 200)


ASGI = """\
async def app(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"x-windflow-release", RELEASE.encode()), (b"content-length", b"4")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"asgi"})
"""


def test_asgi_application_is_served(machine, switch):
    machine.make_release(FIRST, ASGI, wsgi="", asgi="app:app")
    assert switch(FIRST)["status"] == 200
    assert machine.get().body == "asgi"


@pytest.mark.parametrize(
    "changes",
    [
        {"release": "../x"},
        {"port": -1},
        {"replicas": 0},
        {"health": "x y"},
        {"host_header": "a\r\nb"},
        {"plugin": "../x"},
    ],
)
def test_arguments_that_lead_astray_are_rejected(machine, switch, changes):
    arguments = {"release": FIRST, **changes}
    assert switch(**arguments)["code"] == "E4044"


# A server that makes its socket with nothing but bind.
PLAIN_SERVER = """\
import http.server, os, socketserver, sys
{first}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"well")
    def address_string(self):
        return "x"
    def log_message(self, *words):
        pass
if os.path.exists(sys.argv[1]):
    os.unlink(sys.argv[1])
socketserver.ThreadingUnixStreamServer(sys.argv[1], Handler).serve_forever()
"""
PLAIN_COMMAND = ["/usr/bin/python3", "{app}/serve.py", "{socket}"]


def make_plain_release(machine, release, first="pass"):
    directory = machine.make_release(release, command=PLAIN_COMMAND)
    (directory / "app/serve.py").write_text(PLAIN_SERVER.format(first=first))


@pytest.mark.fault(76)
def test_a_socket_made_under_the_given_umask_is_nginxs_to_use(machine, switch):
    make_plain_release(machine, FIRST)
    result = switch(FIRST, health="/")
    assert result.get("status") == 200, result
    assert machine.get().body == "well"


@pytest.mark.fault(76)
def test_a_socket_that_is_closed_to_nginx_is_named(machine, switch):
    make_plain_release(machine, FIRST, "os.umask(0o077)")
    result = switch(FIRST, health="/", health_timeout=1)
    assert result["failed"] and result["code"] == "E4043"
    assert "%s-0.sock has mode 0700" % FIRST in result["msg"] and "0660" in result["msg"]


@pytest.mark.fault(76)
def test_a_program_that_serves_nothing_has_no_site_and_takes_that_of_the_release_before_away(machine, switch, first):
    directory = machine.make_release(SECOND, command=["/bin/sleep", "1000"])
    (directory / "nginx.conf").unlink()
    result = switch(SECOND, health="", port=0, settle=1)
    assert not result.get("failed") and result["url"] == "" and result["status"] == 0, result
    assert machine.programs() == ["windflow-demo-" + SECOND] and machine.current() == SECOND
    assert list((machine.root / "nginx/sites-enabled").iterdir()) == []
    assert machine.get().status == 0
    assert switch(SECOND, health="", port=0, settle=1)["changed"] is False
