# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""nginx: the staged test, the reload and the end of old workers, with a real nginx."""

from __future__ import annotations

import os
import socket
import stat
import tempfile
import time

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch import nginx


@pytest.fixture
def conf(machine):
    return str(machine.nginx_conf)


def site(machine, body, port=None):
    return "server { listen %d; location / { %s } }\n" % (port or machine.port, body)


def enabled(machine, name="demo.conf"):
    return str(machine.root / "nginx/sites-enabled" / name)


def test_good_site_passes_and_nothing_is_installed(machine, conf, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    nginx.test({enabled(machine): site(machine, "return 204;")}, conf)
    assert os.listdir(machine.root / "nginx/sites-enabled") == []
    assert os.listdir(tmp_path) == []


def test_bad_site_is_named_as_if_it_were_in_place(machine, conf):
    with pytest.raises(WindflowError) as caught:
        nginx.test({enabled(machine): "bogus;\n"}, conf)
    assert caught.value.code == "E4035" and enabled(machine) + ":1" in str(caught.value)


def test_site_is_tested_together_with_the_others(machine, conf):
    (machine.root / "nginx/sites-enabled/other.conf").write_text("server { listen %d default_server; }" % machine.port)
    with pytest.raises(WindflowError) as caught:
        nginx.test({enabled(machine): "server { listen %d default_server; }" % machine.port}, conf)
    assert "duplicate default server" in str(caught.value)
    other = str(machine.root / "nginx/sites-enabled/other.conf")
    nginx.test({enabled(machine): "server { listen %d default_server; }" % machine.port, other: None}, conf)


def test_staged_tree_is_private_and_holds_no_keys(machine, conf, tmp_path):
    key = machine.root / "nginx/site.key"
    key.write_text("canary")
    (machine.root / "nginx/sites-available/a.conf").write_text("# a")
    os.symlink(str(machine.root / "nginx/sites-available/a.conf"), enabled(machine, "a.conf"))
    os.symlink("/nonexistent", enabled(machine, "dangling.conf"))
    staged = nginx.stage(conf, {enabled(machine): "# new"}, str(tmp_path))
    text = open(staged).read()
    assert "include %s/sites-enabled/*" % tmp_path in text and "include %s/nginx" % machine.root not in text
    assert (tmp_path / "site.key").is_symlink()
    assert sorted(os.listdir(tmp_path / "sites-enabled")) == ["a.conf", "demo.conf"]
    assert stat.S_IMODE(os.stat(tmp_path / "sites-enabled").st_mode) == 0o700


@pytest.mark.parametrize(
    "included", ["{alias}/sites-enabled/*", "{root}/conf.d/../sites-enabled/*", "../nginx/sites-enabled/*"]
)
def test_a_directory_is_known_by_each_of_its_names(machine, conf, included):
    """As on a host whose nginx.conf includes its sites by another path than the one that the site is installed at."""
    root = machine.root / "nginx"
    (machine.root / "alias").symlink_to("nginx")
    (root / "conf.d").mkdir()
    path = included.format(alias=machine.root / "alias", root=root)
    text = machine.nginx_conf.read_text()
    machine.nginx_conf.write_text(text.replace("%s/sites-enabled/*" % root, path))
    assert path in machine.nginx_conf.read_text()
    nginx.test({enabled(machine): site(machine, "return 204;")}, conf)
    with pytest.raises(WindflowError) as caught:
        nginx.test({enabled(machine): "bogus;\n"}, conf)
    assert caught.value.code == "E4035"


def test_a_directory_that_is_a_link_is_tested_too_and_nothing_is_written_where_it_leads(machine, conf):
    root, sites = machine.root / "nginx", machine.root / "sites"
    (root / "sites-enabled").rename(sites)
    (root / "sites-enabled").symlink_to(sites)
    (root / "loop").symlink_to(".")
    (sites / "other.conf").write_text("server { listen %d default_server; }" % machine.port)
    with pytest.raises(WindflowError) as caught:
        nginx.test({enabled(machine): "server { listen %d default_server; }" % machine.port}, conf)
    assert "duplicate default server" in str(caught.value)
    nginx.test({enabled(machine): site(machine, "return 204;")}, conf)
    nginx.test({str(sites / "demo.conf"): site(machine, "return 204;")}, conf)
    assert os.listdir(sites) == ["other.conf"]


def test_site_that_nginx_would_not_read_is_refused(machine, conf):
    (machine.root / "nginx/unread").mkdir()
    with pytest.raises(WindflowError) as caught:
        nginx.test({str(machine.root / "nginx/unread/demo.conf"): site(machine, "return 204;")}, conf)
    assert caught.value.code == "E4034"


def test_site_outside_the_configuration_is_refused(machine, conf):
    with pytest.raises(WindflowError) as caught:
        nginx.test({"/elsewhere/x.conf": ""}, conf)
    assert caught.value.code == "E4034"


def test_missing_program_is_told(conf):
    with pytest.raises(WindflowError) as caught:
        nginx.test({}, conf, "/nonexistent/nginx")
    assert caught.value.code == "E4036"


def test_master_is_found_by_its_pid_file(machine, conf, tmp_path):
    pid = nginx.master(conf)
    assert pid == machine.processes[0].pid and len(nginx.workers(pid)) == 2
    assert nginx.master(str(tmp_path / "absent.conf")) in (0, nginx.master())
    (machine.root / "nginx.pid").write_text(str(os.getpid()))
    assert nginx.master(conf) == 0


def test_after_a_reload_only_new_workers_take_connections(machine, conf):
    master = nginx.master(conf)
    for number in range(3):
        open(enabled(machine), "w").write(site(machine, "return 200 %d;" % number))
        before = set(nginx.workers(master))
        nginx.reload(master, conf)
        assert {machine.get().body for _number in range(20)} == {str(number)}
        assert not before & {pid for pid, shutting in nginx.workers(master).items() if not shutting}


def test_port_of_another_process_is_told(machine, conf):
    with socket.create_server(("0.0.0.0", 0)) as taken:
        open(enabled(machine), "w").write(site(machine, "return 200;", taken.getsockname()[1]))
        with pytest.raises(WindflowError) as caught:
            nginx.reload(nginx.master(conf), conf)
    assert caught.value.code == "E4037" and "bind()" in str(caught.value)


def test_old_worker_is_waited_for_while_it_answers_but_not_for_ever(machine, conf):
    slow = socket.create_server(("127.0.0.1", 0))
    open(enabled(machine), "w").write(site(machine, "proxy_pass http://127.0.0.1:%d;" % slow.getsockname()[1]))
    master = nginx.master(conf)
    nginx.reload(master, conf)
    with socket.create_connection(("127.0.0.1", machine.port)) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        upstream = slow.accept()[0]
        old = nginx.reload(master, conf)
        assert old and nginx.drain(master, old, 0.2)
        upstream.recv(65536)
        upstream.sendall(b"HTTP/1.0 200 OK\r\n\r\nlate")
        upstream.close()
        started = time.monotonic()
        assert nginx.drain(master, old, 10) == [] and time.monotonic() - started < 2
        assert client.recv(65536).endswith(b"late")
    slow.close()


def test_tail_shows_only_what_came_later(tmp_path):
    log = tmp_path / "log"
    log.write_text("old\n")
    size = log.stat().st_size
    with log.open("a") as stream:
        stream.write("new 1\nnew 2\n")
    assert nginx.tail(str(log), size, 20) == ["new 1", "new 2"]
    assert nginx.tail(str(log), size, 1) == ["new 2"]
    log.write_text("r\n")
    assert nginx.tail(str(log), size, 20) == ["r"]
    assert nginx.tail(str(tmp_path / "absent"), 0, 20) == []
    (tmp_path / "link").symlink_to("log")
    assert nginx.tail(str(tmp_path / "link"), 0, 20) == []
