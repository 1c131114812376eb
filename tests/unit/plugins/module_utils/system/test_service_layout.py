# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What services of a host say of themselves, in files as packages bring them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import families
from ansible_collections.windflow.platform.plugins.module_utils.system import service_layout

pytestmark = pytest.mark.fault(82)
DEBIAN = """\
user www-data;
include /etc/nginx/modules-enabled/*.conf;
http {
    include {root}/mime.types;
    include {root}/conf.d/*.conf;
    include {root}/sites-enabled/*;
}
"""
NGINX_ORG = """\
user  nginx;
worker_processes  auto;
http {
    include       {root}/mime.types;
    #include {root}/sites-enabled/*;
    include {root}/conf.d/*.conf;
}
"""
UNIX = "[unix_http_server]\nfile=/run/supervisor.sock\n"
INET = "[inet_http_server]\nport=127.0.0.1:9001\n"


@pytest.mark.parametrize(
    ("text", "user", "folder"),
    [
        (DEBIAN, "www-data", "sites-enabled"),
        (NGINX_ORG, "nginx", "conf.d"),
        ("http { include conf.d/*.conf; }\n", "", "conf.d"),
        ("user a b;\nhttp { include 'http.d/*.conf'; }\n", "a", "http.d"),
        ("http { include {root}/../{name}/vhosts.d/*.conf ; }\n", "", "vhosts.d"),
    ],
)
def test_sites_go_where_nginx_looks_for_them(tmp_path, text, user, folder):
    (tmp_path / "nginx.conf").write_text(text.replace("{root}", str(tmp_path)).replace("{name}", tmp_path.name))
    found = service_layout.nginx(str(tmp_path / "nginx.conf"))
    assert (found["user"], found["enabled_dir"], found["problem"]) == (user, str(tmp_path / folder), "")
    table = service_layout.adapted(families.load_all()["debian"], {"nginx": found})["nginx"]
    assert table["enabled_dir"] == found["enabled_dir"] and table["user"] == (user or "www-data")
    assert table["available_dir"] == str(tmp_path / folder.replace("enabled", "available"))


def test_an_nginx_that_includes_none_of_them_is_named_and_one_that_is_not_there_is_not(tmp_path):
    assert service_layout.nginx(str(tmp_path / "nginx.conf")) == {}
    (tmp_path / "nginx.conf").write_text("http { server { listen 80; } }\n")
    assert "includes none of" in service_layout.nginx(str(tmp_path / "nginx.conf"))["problem"]


@pytest.mark.parametrize(
    ("text", "folder", "ext", "problem"),
    [
        (UNIX + "[include]\nfiles = /etc/supervisor/conf.d/*.conf\n", "/etc/supervisor/conf.d", "conf", ""),
        (UNIX + "[include]\nfiles = supervisord.d/*.ini\n", "{root}/supervisord.d", "ini", ""),
        (UNIX + "[include]\nfiles = %(here)s/a/*/x.conf %(here)s/b/*.ini ; both\n", "{root}/b", "ini", ""),
        (INET + "[include]\nfiles = conf.d/*.conf\n", "{root}/conf.d", "conf", ""),
        (UNIX, "", "", "no [include]"),
        (UNIX + "[include]\nfiles = one.conf\n", "", "", "[include] with files = one.conf"),
        ("[include]\nfiles = conf.d/*.conf\n", "", "", "neither [unix_http_server] nor"),
        (UNIX + "password = {SHA}82ab876d\n[include]\nfiles = conf.d/*.conf\n", "", "", "that cannot be sent"),
        ("no section\n", "", "", "cannot be read"),
    ],
)
def test_programs_go_where_supervisor_looks_for_them_or_what_is_wrong_is_named(tmp_path, text, folder, ext, problem):
    (tmp_path / "supervisord.conf").write_text(text)
    found = service_layout.supervisor(str(tmp_path / "supervisord.conf"))
    assert problem in found["problem"] and bool(problem) == bool(found["problem"])
    if not problem:
        assert (found["program_dir"], found["program_ext"]) == (folder.replace("{root}", str(tmp_path)), ext)


def test_the_ports_that_nginx_wants_are_known_with_their_files(tmp_path):
    (tmp_path / "sites-enabled").mkdir()
    (tmp_path / "sites-enabled" / "default").write_text("server {\n  listen 80 default_server;\n  listen [::]:80;\n}\n")
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.conf").write_text(
        "server {\n  #listen 81;\n  listen 127.0.0.1:8443 ssl;\n  listen unix:/x;\n  listen localhost;\n}\n"
    )
    found = service_layout.listened_ports(str(tmp_path / "nginx.conf"))
    default, other = str(tmp_path / "sites-enabled/default"), str(tmp_path / "conf.d/a.conf")
    assert found == {80: [default, other], 8443: [other]}


@pytest.mark.parametrize(
    "text",
    [
        "server { listen 8104 default_server; return 200; }\n",
        "server {\n  server_name a; listen  8104;\n}\n",
        "server {\n  listen\n    8104;\n}\n",
        "server {listen [::]:8104;}\n",
        "server {\n  location /a#b { }\n  listen '8104';\n}\n",
        "server { # ours\n  listen 8104; # as agreed\n}\n",
    ],
)
def test_a_port_is_found_however_its_directive_is_written(tmp_path, text):
    (tmp_path / "conf.d").mkdir()
    (tmp_path / "conf.d" / "a.conf").write_text(text)
    found = service_layout.listened_ports(str(tmp_path / "nginx.conf"))
    assert found == {8104: [str(tmp_path / "conf.d/a.conf")]}


def test_a_comment_and_a_word_within_another_are_no_directive(tmp_path):
    (tmp_path / "nginx.conf").write_text("a 1; # listen 81;\n#listen 82;\nfoo_listen 83;\nx \\\n;\n")
    assert service_layout.listened_ports(str(tmp_path / "nginx.conf")) == {}


def test_files_are_found_wherever_includes_lead_and_in_a_circle_once(tmp_path):
    (tmp_path / "elsewhere" / "more").mkdir(parents=True)
    conf, first, second = (str(tmp_path / name) for name in ("nginx.conf", "elsewhere/a.vhost", "elsewhere/more/b"))
    Path(conf).write_text("http { include elsewhere/*.vhost; }\n")
    Path(first).write_text("server { listen 8104; include elsewhere/more/*; }\n")
    Path(second).write_text("listen 8105; include %s;\n" % conf)
    assert service_layout.listened_ports(conf) == {8104: [first], 8105: [second]}
    assert service_layout.sites_on(8105, "windflow-mine.conf", conf) == [second]


def test_sites_on_a_port_are_those_of_others_that_nginx_reads(tmp_path):
    listening = "server {\n  listen 8080;\n}\n"
    for name in ("conf.d/b.conf", "conf.d/a.conf", "conf.d/c.conf.off", "sites-enabled/windflow-mine.conf"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(listening)
    (tmp_path / "nginx.conf").write_text("http {\n%s}\n" % listening)
    (tmp_path / "sites-enabled" / "other").write_text("server {\n  listen 18080;\n  # listen 8080;\n}\n")
    found = service_layout.sites_on(8080, "windflow-mine.conf", str(tmp_path / "nginx.conf"))
    assert found == [str(tmp_path / "conf.d/a.conf"), str(tmp_path / "conf.d/b.conf")]


@pytest.mark.parametrize(
    ("listen", "counts"),
    [
        ("8080", False),
        ("[::]:8080 ssl", False),
        ("*:8080 backlog=5", False),
        ("8080 default_server", True),
        ("[::]:8080 ssl default", True),
        ("127.0.0.1:8080", True),
        ("127.0.0.1:8081 default_server", False),
    ],
)
def test_a_server_in_nginx_conf_counts_where_no_default_server_can_stand_beside_it(tmp_path, listen, counts):
    conf = tmp_path / "nginx.conf"
    conf.write_text("http { server { server_name _; listen %s; } }\n" % listen)
    assert service_layout.sites_on(8080, "windflow-mine.conf", str(conf)) == ([str(conf)] if counts else [])
