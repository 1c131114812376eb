# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host with SELinux says, by a store of policies of the test's own."""

from __future__ import annotations

import bz2

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.run import managed
from ansible_collections.windflow.platform.plugins.module_utils.system import selinux

TEXT = selinux.module_text("/opt/shop-1.2/run")


@pytest.fixture
def store(tmp_path, monkeypatch):
    """The directory of the active policy; SELinux is enforcing."""
    monkeypatch.setattr(selinux, "ENFORCE", str(tmp_path / "enforce"))
    monkeypatch.setattr(selinux, "CONFIG", str(tmp_path / "config"))
    monkeypatch.setattr(selinux, "STORE", str(tmp_path))
    monkeypatch.setattr(selinux, "OWN_LABEL", str(tmp_path / "label"))
    (tmp_path / "label").write_text("unconfined_u:unconfined_r:unconfined_t:s0-s0:c0.c1023\0")
    (tmp_path / "enforce").write_text("1")
    (tmp_path / "config").write_text("# a comment\nSELINUX=enforcing\nSELINUXTYPE=mcs\n")
    active = tmp_path / "mcs/active"
    (active / "modules/400/windflow_shop_1").mkdir(parents=True)
    return active


def test_without_selinux_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(selinux, "ENFORCE", "/nonexistent")
    found = selinux.inspect("shop-1", "/opt/shop-1.2/run", 8099)
    assert found == {"mode": "", "module": "", "labelled": True, "overruled": "", "port": True}


def test_a_kernel_with_selinux_and_without_a_policy_needs_nothing(store, tmp_path):
    (tmp_path / "enforce").write_text("0")
    assert selinux.mode() == "permissive"
    (tmp_path / "label").write_text("kernel\0")
    assert selinux.mode() == ""


@pytest.mark.parametrize("stored", [TEXT.encode(), bz2.compress(TEXT.encode())])
def test_the_module_that_is_loaded_is_compared_with_the_one_that_is_wanted(store, stored):
    assert selinux.inspect("shop-1", "", 0)["module"] == ""
    (store / "modules/400/windflow_shop_1/cil").write_bytes(stored)
    found = selinux.inspect("shop-1", "", 0)
    assert found["mode"] == "enforcing" and found["module"] == selinux.digest(TEXT)


@pytest.mark.parametrize(("port", "known"), [(0, True), (8080, True), (8081, True), (8095, True), (8099, False)])
def test_a_port_of_a_web_server_and_one_that_was_labelled_are_open_to_nginx(store, port, known):
    (store / "ports.local").write_text(
        "# by libsemanage\nportcon tcp 8081 system_u:object_r:http_port_t:s0\n"
        "portcon tcp 8090-8096 system_u:object_r:http_cache_port_t:s0\n"
        "portcon udp 8099 system_u:object_r:http_port_t:s0\nportcon tcp 8099 system_u:object_r:ntop_port_t:s0\n"
    )
    assert selinux.inspect("shop-1", "", port)["port"] is known


def test_a_directory_without_the_label_is_named(store, tmp_path):
    assert selinux.inspect("shop-1", str(tmp_path), 0)["labelled"] is False


HOMES = """
#
# Home Context for user user_u
/home/[^/]+\t-d\tunconfined_u:object_r:user_home_dir_t:s0-s0
/home/[^/]+\t-l\tunconfined_u:object_r:user_home_dir_t:s0
/home/[^/]+/.+\tunconfined_u:object_r:user_home_t:s0
/home/[^/]+/.+\t--\tunconfined_u:object_r:user_file_t:s0
/home/[^/]+/broken(\tunconfined_u:object_r:other_t:s0
"""


@pytest.mark.parametrize(
    ("path", "local", "given"),
    [
        ("/opt/shop/run", "", ""),
        ("/home/shop/run", "", "user_home_t"),
        ("/home/shop", "", "user_home_dir_t"),
        ("/home/shop/run", "/home/shop/run(/.*)?    system_u:object_r:httpd_var_run_t:s0\n", ""),
        ("/home/shop/run", "/home/shop/run(/.*)? -- system_u:object_r:httpd_var_run_t:s0\n", "user_home_t"),
        ("/srv/shop/run", "/srv/shop(/.*)?    system_u:object_r:public_content_t:s0\n", "public_content_t"),
        ("/srv/shop/run", "/srv/shop(/.*)?    <<none>>\n", ""),
        ("", "", ""),
    ],
)
def test_a_label_that_comes_after_those_of_modules_is_named(store, path, local, given):
    (store / "file_contexts.homedirs").write_text(HOMES)
    (store / "file_contexts.local").write_text(local)
    assert selinux.inspect("shop-1", path, 0)["overruled"] == given


def test_a_dot_in_a_path_is_no_pattern():
    assert '"/opt/shop\\-1\\.2/run(/.*)?"' in TEXT or '"/opt/shop-1\\.2/run(/.*)?"' in TEXT


def test_what_is_gone_is_drift_and_without_selinux_nothing_is():
    kept = {"selinux": {"name": "windflow_shop", "module": "a", "directory": "/opt/shop/run", "port": 8099}}
    gone = {"mode": "enforcing", "module": "", "labelled": False, "port": False}
    found = [(item["resource"], item["found"]) for item in managed.selinux_drift(kept, gone)]
    assert found == [
        ("SELinux module windflow_shop", "missing"),
        ("SELinux label of /opt/shop/run", "another"),
        ("SELinux label of port 8099", "missing"),
    ]
    assert managed.selinux_drift(kept, {"mode": "", "module": "", "labelled": True, "port": True}) == []
