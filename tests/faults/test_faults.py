# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the host, the network and the fleet. Each test begins and ends with version 1.0.0 in service."""

from __future__ import annotations

import json
import re
import subprocess

import pytest

from .conftest import NAME

FAILING_HOOK = ("hooks/post-deploy.sh", "set -eu", "echo the hook does not like it; exit 3")


@pytest.fixture(autouse=True)
def first_version(host):
    """Version 1.0.0 serves before and after each test."""
    older = host.plugin("1.0.0")
    host.deploy(older, allow_downgrade=True)
    yield
    host.deploy(older, allow_downgrade=True)
    assert host.version() == "1.0.0"


def with_hosts(host, **others):
    """An inventory with more hosts, those first whose names sort first."""
    data = json.loads(host.inventory.read_text(encoding="utf-8"))
    own = data["all"]["hosts"]
    for name, changes in others.items():
        own[name] = {**own[NAME], **changes}
    path = host.scratch / "others.json"
    path.write_text(json.dumps({"all": {"hosts": dict(sorted(own.items()))}}), encoding="utf-8")
    return path


def sequence(host):
    return host.record()["sequence"]


@pytest.mark.fault(18)
def test_a_changed_host_key_stops_before_anything_is_changed(host, tmp_path):
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    variables = json.loads(host.inventory.read_text(encoding="utf-8"))["all"]["hosts"][NAME]
    known = tmp_path / "known_hosts"
    algorithm, public = key.with_suffix(".pub").read_text(encoding="utf-8").split()[:2]
    known.write_text(f"[127.0.0.1]:{variables['ansible_port']} {algorithm} {public}\n", encoding="utf-8")
    arguments = re.sub(r"UserKnownHostsFile=\S+", f"UserKnownHostsFile={known}", variables["ansible_ssh_common_args"])
    before = sequence(host)
    # Another path of the control socket: an open connection would not be asked for its key.
    extra = {"ansible_ssh_common_args": arguments, "ansible_control_path_dir": str(tmp_path)}
    output = host.deploy(host.plugin("1.1.0"), code=4, **extra)
    assert "UNREACHABLE" in output and "host key" in output.lower()
    assert sequence(host) == before and host.version() == "1.0.0"


@pytest.mark.fault(28)
def test_an_unreachable_host_is_reported_and_the_others_are_deployed(host):
    inventory = with_hosts(host, lost1={"ansible_port": 1}, lost2={"ansible_port": 1})
    variables = {"plugin": str(host.plugin("1.1.0")), "target": "host"}
    output = host.run("deploy.yml", variables, 4, inventory)
    assert all(re.search(r"fatal: \[%s\]: UNREACHABLE" % name, output) for name in ("lost1", "lost2"))
    assert host.version() == "1.1.0"


@pytest.mark.fault(29)
def test_after_a_batch_that_failed_no_other_is_begun(host):
    inventory = with_hosts(host, a_lost={"ansible_port": 1})
    before = sequence(host)
    variables = {"plugin": str(host.plugin("1.1.0")), "target": "host", "windflow_serial": 1}
    output = host.run("deploy.yml", variables, 4, inventory)
    assert "a_lost" in output and sequence(host) == before and host.version() == "1.0.0"


@pytest.mark.fault(24)
def test_a_disk_that_is_full_fails_the_run_and_the_old_release_serves(host):
    newer = host.plugin("1.4.0")
    with open(newer / "build" / "app" / "large.bin", "wb") as stream, open("/dev/urandom", "rb") as chance:
        stream.write(chance.read(12 << 20))
    releases = "/opt/template/releases"
    host.privileged(
        f"set -e; cp -a {releases} /root/kept; size=$(du -sm /root/kept | cut -f1)"
        f"; mount -t tmpfs -o mode=755,size=$((size + 3))m tmpfs {releases}; cp -a /root/kept/. {releases}/"
    )
    try:
        before = set(host.ssh(f"ls {releases}").split())
        output = host.deploy(newer, code=2)
        assert "No space left on device" in output
        assert host.version() == "1.0.0" and set(host.ssh(f"ls {releases}").split()) == before
        last = host.record()["revisions"][-1]
        assert (last["version"], last["state"]) == ("1.4.0", "failed")
    finally:
        host.privileged(f"umount {releases}; rm -rf /root/kept")
    host.deploy(newer)
    assert host.version() == "1.4.0"


@pytest.mark.fault(36)
def test_where_going_back_fails_too_both_errors_are_told(host):
    current = next(item for item in host.record()["revisions"] if item["revision"] == host.record()["current"])
    host.ssh(f"echo 'raise SystemExit(7)' >> /opt/template/releases/{current['release']}/app/application.py")
    output = host.deploy(host.plugin("1.5.0", *FAILING_HOOK), code=2)
    assert "the hook does not like it" in output and "Going back failed, too" in output and "E404" in output
    assert host.version() == "1.5.0"
    assert host.record()["revisions"][-1]["state"] == "failed"


@pytest.mark.fault(36)
def test_a_first_deploy_that_fails_behind_the_switch_leaves_nothing_in_service(host):
    host.run("playbooks/remove.yml", {"plugin": str(host.plugin("1.0.0"))})
    output = host.deploy(host.plugin("1.5.0", *FAILING_HOOK), code=2)
    assert "the hook does not like it" in output and "none is now" in output
    assert host.request("/healthz")[0] == 0
    assert "windflow-template" not in host.ssh("supervisorctl status; ls /etc/nginx/sites-enabled", check=False)
    assert host.ssh("ls /opt/template/releases 2>/dev/null || true") == ""
    record = host.record()
    assert record["current"] is None and record["revisions"][-1]["state"] == "failed"


@pytest.mark.fault(41)
def test_a_removal_keeps_the_data(host):
    assert host.request("/items", {"name": "kept over a removal"})[0] == 201
    host.run("playbooks/remove.yml", {"plugin": str(host.plugin("1.0.0"))})
    assert host.request("/healthz")[0] == 0
    host.deploy(host.plugin("1.0.0"))
    assert "kept over a removal" in host.request("/items")[1]


@pytest.mark.fault(45)
def test_a_port_that_is_taken_is_named_with_its_owner_and_nothing_is_changed(host):
    host.run("playbooks/remove.yml", {"plugin": str(host.plugin("1.0.0"))})
    host.ssh("systemd-run --unit windflow-squatter python3 -m http.server 8080; sleep 1")
    try:
        output = host.deploy(host.plugin("1.0.0"), code=2)
        assert "E2009" in output and "python3" in output
    finally:
        host.ssh("systemctl stop windflow-squatter")


@pytest.mark.fault(46)
def test_a_package_index_that_cannot_be_reached_leaves_the_old_release(host):
    newer = host.plugin("1.6.0")
    requirements = newer / "build" / "requirements.txt"
    requirements.write_text(requirements.read_text(encoding="utf-8") + "# another digest\n", encoding="utf-8")
    before = host.ssh("ls /opt/template/venvs")
    host.ssh(
        "cp /etc/pip.conf /root/pip.conf 2>/dev/null; printf '[global]\\nindex-url = http://127.0.0.1:1/\\n"
        "retries = 0\\n' > /etc/pip.conf"
    )
    try:
        output = host.deploy(newer, code=2)
        assert "127.0.0.1" in output and "7 The virtual environment" in output
        assert host.version() == "1.0.0" and host.ssh("ls /opt/template/venvs") == before
    finally:
        host.ssh("rm /etc/pip.conf; mv /root/pip.conf /etc/pip.conf 2>/dev/null || true")


@pytest.mark.fault(47)
def test_a_file_edited_by_hand_is_named_and_kept_before_it_is_overwritten(host):
    site = "/etc/nginx/sites-available/windflow-template.conf"
    host.ssh(f"echo '# by hand' >> {site}")
    host.ssh("systemctl disable nginx")
    drift = host.run("playbooks/drift.yml", {"plugin": "template"})
    assert f"{site}: " in drift and "service nginx: enabled is False, was True" in drift
    host.deploy(host.plugin("1.0.0"))
    assert "# by hand" not in host.ssh(f"cat {site}")
    assert host.ssh("systemctl is-enabled nginx").strip() == "enabled"
    assert "# by hand" in host.ssh("cat /var/lib/windflow/template/backups/*")
