# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rendered files, read by Supervisor's own reader and served by a real nginx."""

from __future__ import annotations

import re
import shlex
import socket
import subprocess
import threading
from types import SimpleNamespace

import pytest
from supervisor.options import ServerOptions, UnhosedConfigParser

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch import nginx
from ansible_collections.windflow.platform.plugins.module_utils.text import encoders, render

RELEASE = "20261123T010000Z-00000001"


@pytest.fixture
def values(tmp_path):
    """What a plan gives the templates."""

    def make(**changes):
        found = {
            "plugin": "demo",
            "release": RELEASE,
            "version": "1.0.0",
            "environment": "production",
            "replicas": 2,
            "user": "nobody",
            "group": "nogroup",
            "release_dir": "/opt/demo/releases/" + RELEASE,
            "app_dir": "/opt/demo/releases/%s/app" % RELEASE,
            "venv_dir": "/opt/demo/releases/%s/venv" % RELEASE,
            "run_dir": "/opt/demo/run",
            "log_dir": str(tmp_path),
            "data_dir": "/var/lib/demo",
            "shared_dir": "/opt/demo/shared",
            "config_path": "/opt/demo/releases/%s/config.yaml" % RELEASE,
            "wsgi": "app:application",
            "asgi": "",
            "command": [],
            "workers": 4,
            "timeout": 60,
            "sockets": ["/opt/demo/run/%s-%d.sock" % (RELEASE, number) for number in range(2)],
            "host_port": 8080,
            "bind": "",
            "allowed_hosts": ["example.com"],
            "client_max_body_size": "10m",
            "ipv6": True,
            "access_log": "/var/log/nginx/demo.access.log",
            "error_log": "/var/log/nginx/demo.error.log",
        }
        return {**found, **changes}

    return make


def processes(text):
    """The processes that Supervisor would start for a program file."""
    parser = UnhosedConfigParser()
    parser.read_string(text)
    options = ServerOptions()
    options.here = "/"
    (section,) = parser.sections()
    return options.processes_from_section(parser, section, section.split(":", 1)[1])


def test_program_has_one_hardened_process_for_each_replica(values):
    found = processes(render.program_file(values()))
    assert [process.name for process in found] == ["windflow-demo-%s-%d" % (RELEASE, number) for number in range(2)]
    for number, process in enumerate(found):
        assert shlex.split(process.command) == [
            "/opt/demo/releases/%s/venv/bin/gunicorn" % RELEASE,
            "--bind=unix:/opt/demo/run/%s-%d.sock" % (RELEASE, number),
            "--workers=4",
            "--timeout=60",
            "--graceful-timeout=60",
            "--worker-tmp-dir=/dev/shm",
            "--name=windflow-demo-" + RELEASE,
            "app:application",
        ]
        assert process.uid == 65534 and process.umask == 0o007
        assert process.stopasgroup and process.killasgroup and process.stopwaitsecs > 60
        assert process.stdout_logfile_maxbytes and process.stdout_logfile_backups
        # Supervisor waits 1, 2, 3, … seconds between them: a day at least.
        assert process.autorestart and sum(range(process.startretries)) > 86400
        assert process.environment["WINDFLOW_INSTANCE"] == str(number)


def test_environment_of_a_program_holds_no_configuration(values):
    process = processes(render.program_file(values(secret_key="canary", config={"a": "canary"})))[0]
    assert set(process.environment) - {"HOME", "LANG", "PATH"} == {
        name for name in process.environment if name.startswith("WINDFLOW_")
    }
    assert "canary" not in str(process.environment)


def test_programs_of_the_virtual_environment_come_first(values):
    path = processes(render.program_file(values()))[0].environment["PATH"].split(":")
    assert path[0] == "/opt/demo/releases/%s/venv/bin" % RELEASE
    assert "/usr/bin" in path


def test_asgi_application_gets_uvicorns_worker(values):
    command = processes(render.program_file(values(wsgi="", asgi="app:app")))[0].command
    assert shlex.split(command)[-2:] == ["--worker-class=uvicorn_worker.UvicornWorker", "app:app"]


def test_placeholders_of_a_command_are_filled_in(values):
    command = ["serve", "--uds", "{socket}", "--root={app}", "{venv}", "{workers}/{timeout}", "{{x}}", "100%", "a ;b"]
    argv = shlex.split(processes(render.program_file(values(command=command)))[1].command)
    base = "/opt/demo/releases/" + RELEASE
    assert argv == [
        base + "/venv/bin/serve",
        "--uds",
        "/opt/demo/run/%s-1.sock" % RELEASE,
        "--root=%s/app" % base,
        base + "/venv",
        "4/60",
        "{x}",
        "100%",
        "a ;b",
    ]


@pytest.mark.parametrize("argument", ["{socket.__class__}", "{nothing}", "{socket!r}", "\x00", "a\nb"])
def test_command_that_asks_for_more_is_rejected(values, argument):
    with pytest.raises(WindflowError):
        render.program_file(values(command=["/bin/x", argument]))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("user", "root\ncommand=/bin/sh"),
        ("log_dir", "/var/log/a%b"),
        ("log_dir", "/var/log/a;b"),
        ("app_dir", "/opt/a\nuser=root"),
        ("version", "1.0\n[program:evil]"),
        ("environment", 'x",EVIL="1'),
        ("data_dir", "/a'b"),
    ],
)
def test_value_that_would_change_the_program_file_is_rejected(values, key, value):
    with pytest.raises(WindflowError):
        render.program_file(values(**{key: value}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("allowed_hosts", ["a; return 200"]),
        ("allowed_hosts", ["a\n}"]),
        ("client_max_body_size", "1m; include /etc/passwd"),
        ("access_log", "/a b"),
        ("sockets", ["/run/x.sock; evil"]),
        ("version", "1.0\ninclude /etc/passwd;"),
        ("timeout", "1; evil"),
    ],
)
def test_value_that_would_change_the_site_is_rejected(values, key, value):
    with pytest.raises(WindflowError):
        render.site_file(values(**{key: value}))


def test_values_are_never_templates(values):
    text = render.site_file(values(error_log="/x", plugin="{{1337*7331}}"))
    assert "{{1337*7331}}" in text and "9801547" not in text


def test_name_that_a_template_does_not_know_is_an_error(tmp_path):
    (tmp_path / "x.j2").write_text("{{ missing }}")
    with pytest.raises(Exception, match="missing"):
        render.render(tmp_path / "x.j2", {})


def test_longest_plugin_name_and_host_names_fit_nginx(machine):
    """nginx has tables with short rows for names; none of ours may need larger ones."""
    names = ["h" * 63 + ".example.com", "*." + "w" * 63 + ".example.com"]
    names += ["n" * length + ".example.com" for length in range(15, 50)]
    plugin = "p" * 64
    release = machine.make_release(RELEASE, plugin=plugin, allowed_hosts=names, ipv6=True)
    path = str(machine.root / "nginx/sites-enabled" / ("windflow-%s.conf" % plugin))
    nginx.test({path: (release / "nginx.conf").read_text()}, str(machine.nginx_conf))


class Application(threading.Thread):
    """A server on a unix socket that keeps the requests it gets and answers each the same."""

    def __init__(self, path, answer):
        super().__init__(daemon=True)
        self.requests = []
        self.answer = answer
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(path)
        self.listener.listen()
        self.start()

    def run(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:
                return
            with connection:
                self.requests.append(connection.recv(65536).decode())
                connection.sendall(self.answer)


@pytest.fixture
def site(machine):
    """A site in front of one application; ``ask`` sends a raw request and returns the raw answer."""
    (machine.install_dir / "run").chmod(0o755)
    (machine.install_dir / "releases" / RELEASE / "app/static").mkdir(parents=True)
    (machine.install_dir / "releases" / RELEASE / "app/static/a.css").write_text("body {}")
    (machine.install_dir / "releases" / RELEASE / "app/secret.py").write_text("canary")

    def make(answer=b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", **changes):
        values = machine.values(RELEASE, "demo", **changes)
        (path,) = values["sockets"]
        application = Application(path, answer)
        (machine.root / "nginx/sites-enabled/demo.conf").write_text(render.site_file(values))
        (machine.install_dir / "run" / (RELEASE + "-0.sock")).chmod(0o777)
        nginx.reload(nginx.master(str(machine.nginx_conf)), str(machine.nginx_conf))

        def ask(request):
            with socket.create_connection(("127.0.0.1", machine.port), 5) as connection:
                connection.sendall(request.replace("\n", "\r\n").encode())
                received = b""
                while chunk := connection.recv(65536):
                    received += chunk
            return received.decode()

        return SimpleNamespace(ask=ask, application=application, port=machine.port)

    return make


def test_unknown_host_gets_no_answer(site):
    served = site(allowed_hosts=["example.test", ".wild.test"])
    assert served.ask("GET / HTTP/1.0\nHost: example.test\n\n").startswith("HTTP/1.1 200")
    assert served.ask("GET / HTTP/1.0\nHost: a.wild.test\n\n").startswith("HTTP/1.1 200")
    assert served.ask("GET / HTTP/1.0\nHost: evil.test\n\n") == ""
    assert served.ask("GET / HTTP/1.0\n\n") == ""


@pytest.mark.parametrize("allowed", [[], ["*"], ["example.test", "*"]])
def test_any_host_is_served_where_any_is_allowed(site, allowed):
    assert site(allowed_hosts=allowed).ask("GET / HTTP/1.0\nHost: any.test\n\n").startswith("HTTP/1.1 200")


def headers(request):
    lines = request.split("\r\n\r\n")[0].split("\r\n")[1:]
    return {name.lower(): value.strip() for name, value in (line.split(":", 1) for line in lines)}


def test_client_cannot_say_who_it_is(site):
    served = site()
    served.ask(
        "GET http://example.test/ HTTP/1.1\nHost: evil.test\nConnection: close\nX-Forwarded-For: 6.6.6.6\n"
        "X-Real-IP: 6.6.6.6\nX-Forwarded-Proto: https\nX-Forwarded-Host: evil.test\nForwarded: for=6.6.6.6\n"
        "Proxy: http://evil.test\nX-Forwarded-Port: 6\nX-Forwarded-Prefix: /evil\nX_Forwarded_Prefix: /evil\n"
        "X-Original-URL: /evil\nTrue-Client-IP: 6.6.6.6\n\n"
    )
    seen = headers(served.application.requests[0])
    assert "evil" not in str(seen) and "6.6" not in str(seen) and "x-forwarded-port" not in seen
    assert seen["host"] == seen["x-forwarded-host"] == "example.test"
    assert seen["x-real-ip"] == seen["x-forwarded-for"] == "127.0.0.1" and seen["x-forwarded-proto"] == "http"
    assert "forwarded" not in seen and "proxy" not in seen and "connection" not in seen


def test_body_of_unknown_length_is_counted(site):
    served = site(client_max_body_size="1k")
    body = "".join("400\n%s\n" % ("x" * 1024) for _number in range(4)) + "0\n\n"
    answer = served.ask("POST / HTTP/1.1\nHost: example.test\nConnection: close\nTransfer-Encoding: chunked\n\n" + body)
    assert " 413 " in str(answer).splitlines()[0] and served.application.requests == []


@pytest.mark.parametrize(
    ("bind", "written"), [("", "listen 8080"), ("127.0.0.1", "listen 127.0.0.1:8080"), ("::1", "listen [::1]:8080")]
)
def test_the_site_listens_where_it_is_told_and_nowhere_else(values, bind, written):
    lines = [line.strip() for line in render.site_file(values(bind=bind, ipv6=False)).splitlines()]
    found = {line.partition(" default_server")[0].rstrip(";") for line in lines if line.startswith("listen")}
    assert found == {written}


def test_port_of_the_request_reaches_the_application(site):
    served = site()
    served.ask("GET / HTTP/1.0\nHost: example.test:8443\n\n")
    assert headers(served.application.requests[0])["host"] == "example.test:8443"


def test_upgrade_to_another_protocol_reaches_the_application(site):
    served = site()
    served.ask("GET / HTTP/1.1\nHost: example.test\nConnection: Upgrade, close\nUpgrade: websocket\n\n")
    seen = headers(served.application.requests[0])
    assert (seen["upgrade"], seen["connection"]) == ("websocket", "upgrade")


def test_protective_headers_are_added_and_the_applications_own_win(site):
    served = site(b"HTTP/1.0 404 Not Found\r\nX-Frame-Options: DENY\r\nContent-Length: 0\r\n\r\n")
    answer = served.ask("GET / HTTP/1.0\nHost: example.test\n\n")
    assert re.findall(r"(?im)^(?:x-|referrer|server)[^\r]*", answer) == [
        "Server: nginx",
        "X-Frame-Options: DENY",
        "X-Content-Type-Options: nosniff",
        "Referrer-Policy: same-origin",
    ]


def test_body_that_is_too_large_is_refused(site):
    served = site(client_max_body_size="1k")
    request = "POST / HTTP/1.0\nHost: example.test\nContent-Length: 2000\n\n" + "x" * 2000
    assert served.ask(request).startswith("HTTP/1.1 413")
    assert served.application.requests == []


def test_static_files_are_served_and_nothing_beside_them(site):
    served = site(static={"/static": "static"})
    assert served.ask("GET /static/a.css HTTP/1.0\nHost: example.test\n\n").endswith("body {}")
    assert "canary" not in served.ask("GET /static../secret.py HTTP/1.0\nHost: example.test\n\n")
    assert "canary" not in served.ask("GET /static/../secret.py HTTP/1.0\nHost: example.test\n\n")


def test_both_files_say_that_they_are_managed(values):
    for text in (render.program_file(values()), render.site_file(values())):
        assert "managed by windflow.platform" in text.splitlines()[0] and text.endswith("\n")


def test_socket_of_the_program_is_the_one_in_the_site(values):
    found = values()
    command = shlex.split(processes(render.program_file(found))[1].command)[1]
    assert "server %s max_fails" % command.partition("=")[2] in render.site_file(found)
    assert encoders.INSTANCE not in command


def test_a_program_waits_for_its_volumes_and_then_is_the_command(tmp_path):
    argv = render.after_mounts(["/", "/sys"], ["/bin/echo", "a b"])
    assert subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout == "a b\n"
    waiting = render.after_mounts(["/", str(tmp_path)], ["/bin/echo", "never"])
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        subprocess.run(waiting, capture_output=True, timeout=2, check=True)
    assert caught.value.stdout == b"waiting until %s is mounted\n" % str(tmp_path).encode()
    assert render.after_mounts([], ["/bin/echo"]) == ["/bin/echo"]
