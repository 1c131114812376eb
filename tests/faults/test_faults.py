# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults of the host, the network and the fleet. Each test begins and ends with version 1.0.0 in service."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import time

import pytest

from .conftest import NAME

STATE = "/var/lib/windflow/template"
FULL_OF_BYTES, FULL_OF_INODES = "size=$((bytes + (3 << 20)))", "nr_inodes=$((inodes + 99))"
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


@contextlib.contextmanager
def little_room(host, place, options):
    """A file system of its own over a directory, with what is in it; ``$bytes`` and ``$inodes`` are what that needs.

    Afterwards the directory has what the file system had.
    """
    kept = "/root/kept"
    host.privileged(
        f"set -e; rm -rf {kept}; cp -a {place} {kept}; inodes=$(find {kept} | wc -l)"
        f"; bytes=$(du -s --block-size=1 {kept} | cut -f1)"
        f'; mount -t tmpfs -o "mode=$(stat -c %a {place}),{options}" tmpfs {place}; cp -a {kept}/. {place}/'
    )
    try:
        yield
    finally:
        host.privileged(
            f"set -e; rm -rf {kept}; cp -a {place} {kept}; umount {place}; find {place} -mindepth 1 -delete"
            f"; cp -a {kept}/. {place}/; rm -rf {kept}"
        )


def fill(host, place):
    host.ssh(f"cat /dev/zero > {place}/filler 2>/dev/null || true; df {place}")


@pytest.mark.fault(24)
def test_a_disk_without_inodes_fails_the_run_and_the_old_release_serves(host):
    newer = host.plugin("1.4.1")
    releases = "/opt/template/releases"
    with little_room(host, releases, "nr_inodes=$((inodes + 6))"):
        before = host.ssh(f"ls {releases}")
        output = host.deploy(newer, code=2)
        assert "E4022" in output and "No space left on device" in output and "df -i" in output
        assert host.version() == "1.0.0" and host.ssh(f"ls {releases}") == before
        assert host.record()["revisions"][-1]["state"] == "failed"
    host.deploy(newer)
    assert host.version() == "1.4.1"


@pytest.mark.fault(25)
@pytest.mark.parametrize("version, room", [("1.4.2", FULL_OF_BYTES), ("1.4.3", FULL_OF_INODES)])
def test_a_disk_that_is_full_in_pip_leaves_no_environment(host, version, room):
    newer = host.plugin(version)
    requirements = newer / "build" / "requirements.txt"
    requirements.write_text(requirements.read_text(encoding="utf-8") + f"# of {version}\n", encoding="utf-8")
    environments = "/opt/template/venvs"
    with little_room(host, environments, room):
        before = host.ssh(f"ls -A {environments}")
        output = host.deploy(newer, code=2)
        assert "E4063" in output and "No space left on device" in output
        assert host.version() == "1.0.0" and host.ssh(f"ls -A {environments}") == before
        assert host.record()["revisions"][-1]["state"] == "failed"
    host.deploy(newer)
    assert host.version() == version and "nothing to do" in host.deploy(newer)


@pytest.mark.fault(26)
def test_a_disk_that_is_full_at_the_record_lets_no_run_begin(host):
    newer = host.plugin("1.4.4")
    releases = host.ssh("ls /opt/template/releases")
    with little_room(host, STATE, "size=$((bytes + (2 << 20)))"):
        fill(host, STATE)
        before = host.record()
        output = host.deploy(newer, code=2)
        assert "E5004" in output and "No space left on device" in output and f"{STATE}/record.json" in output
        assert "the lease of run" not in output and "without an answer" not in output
        assert host.record() == before and host.version() == "1.0.0"
        assert host.ssh("ls /opt/template/releases") == releases
        host.ssh(f"rm {STATE}/filler")
        host.deploy(newer)
    assert host.version() == "1.4.4" and "nothing to do" in host.deploy(newer)


@pytest.mark.fault(26)
def test_a_disk_that_is_filled_behind_the_switch_brings_the_old_release_back_and_that_is_recorded(host):
    fills = ("hooks/post-deploy.sh", "set -eu", f"cat /dev/zero > {STATE}/filler 2>/dev/null; set -eu")
    privileged = ("plugin.yml", "path: hooks/post-deploy.sh", "path: hooks/post-deploy.sh\n    privileged: true")
    newer = host.plugin("1.4.5", *fills, *privileged)
    with little_room(host, STATE, "size=$((bytes + (2 << 20)))"):
        output = host.deploy(newer, code=2)
        assert "No space left on device" in output and ".tree.json" in output and "serves again" in output
        assert "without an answer" not in output
        record = host.record()
        assert host.version() == "1.0.0" and record["lease"] is None
        assert (record["revisions"][-1]["version"], record["revisions"][-1]["state"]) == ("1.4.5", "failed")
        assert ".reserve" not in host.ssh(f"ls -A {STATE}")
        host.ssh(f"rm {STATE}/filler")
    host.deploy(host.plugin("1.4.6"))
    assert host.version() == "1.4.6"


def history(record):
    return [(entry["revision"], entry["release"], entry["version"]) for entry in record["revisions"]]


@pytest.mark.fault(38)
@pytest.mark.parametrize(
    "version, damage",
    [
        ("1.7.0", f"truncate -s 1000 {STATE}/record.json"),
        ("1.7.1", f'sed -i \'s/"sequence": .*/"sequence": 1,/\' {STATE}/record.json'),
        ("1.7.2", f'sed -i \'/checksum/d; s/"current": .*/"current": "1.0.0",/\' {STATE}/record.json'),
    ],
    ids=["cut off", "edited", "edited, without its checksum"],
)
def test_a_record_that_was_damaged_is_rebuilt_and_a_newer_version_deployed(host, version, damage):
    before = host.record()
    host.ssh(damage)
    broken = host.ssh(f"cat {STATE}/record.json")
    output = host.deploy(host.plugin(version))
    assert f"{STATE}/record.json is not used" in re.sub(r"\s+", " ", output) and "E5001" not in output
    assert host.version() == version
    after = host.record()
    assert history(after)[:-1] == history(before) and after["sequence"] == before["sequence"] + 1
    states = {entry["revision"]: entry["state"] for entry in after["revisions"]}
    assert (states[before["current"]], states[after["current"]]) == ("superseded", "deployed")
    assert host.ssh(f"cat {STATE}/record.json.rejected") == broken
    again = host.deploy(host.plugin(version))
    assert "nothing to do" in again and "is not used" not in again


@pytest.mark.fault(38)
def test_a_record_without_a_copy_of_use_stops_every_playbook_with_the_file_and_the_remedy(host):
    host.ssh(f"cd {STATE}; mkdir kept; cp -a record.json* kept; for file in record.json*; do echo '{{' > $file; done")
    try:
        newer = {"plugin": str(host.plugin("1.7.3")), "target": "host"}
        for playbook, variables in (("playbooks/status.yml", {"plugin": "template"}), ("deploy.yml", newer)):
            output = host.run(playbook, variables, 2)
            assert "E5003" in output and f"{STATE}/record.json" in output and "from a backup" in output
        assert host.version() == "1.0.0"
    finally:
        host.ssh(f"cd {STATE}; rm record.json*; mv kept/* .; rmdir kept")


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
        assert "127.0.0.1" in output and "Step 7: Make the virtual environment" in output
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


DELETE = "import psycopg; psycopg.connect(autocommit=True).execute('delete from items')"
DATABASE = "PGHOST=$DB_HOST PGPORT=$DB_PORT PGDATABASE=$DB_NAME PGUSER=$DB_USER PGPASSWORD=$DB_PASSWORD"
HALF_WAY = f'{DATABASE} $WINDFLOW_RELEASE_DIR/venv/bin/python -c "{DELETE}" && exit 3; exit 4'
BACKUPS = f"{STATE}/backups/database"


def migrating(host, version, command, *replacements, options=""):
    """A version with a migration that is one line of shell."""
    declared = 'migrate: {path: hooks/migrate.sh, "on": target%s}' % options
    plugin = host.plugin(version, "plugin.yml", "hooks:", f"hooks:\n  {declared}", *replacements)
    hook = plugin / "hooks" / "migrate.sh"
    hook.write_text(f"#!/bin/sh\n{command}\n", encoding="utf-8")
    hook.chmod(0o755)
    return plugin


@pytest.mark.fault(30)
def test_a_migration_that_fails_is_not_switched_behind_and_its_backup_is_named(host):
    newer = migrating(host, "1.11.0", "echo the migration does not like it; exit 3")
    assert host.request("/items", {"name": "there before the migration"})[0] == 201
    output = host.deploy(newer, code=2)
    last = host.record()["revisions"][-1]
    backup = f"{BACKUPS}/{last['release']}.dump"
    assert "the migration does not like it" in output and backup in output and backup in last["error"]
    assert f"backup={last['release']}, windflow_hosts={NAME}" in last["error"]
    assert (last["version"], last["state"]) == ("1.11.0", "failed") and host.version() == "1.0.0"
    assert "myapp" in host.ssh(f"runuser -u postgres -- pg_restore --list < {backup}")
    migrating(host, "1.11.0", "exit 0")
    host.deploy(newer)
    assert host.version() == "1.11.0" and "there before the migration" in host.request("/items")[1]


@pytest.mark.fault(30)
def test_where_it_is_asked_for_a_migration_that_fails_is_followed_by_a_restore(host):
    newer = migrating(host, "1.11.1", HALF_WAY)
    assert host.request("/items", {"name": "deleted by the migration"})[0] == 201
    output = host.deploy(newer, code=2, restore_on_failure=True)
    assert "exit code 3" in output and "was restored from the backup" in output
    assert host.version() == "1.0.0" and "deleted by the migration" in host.request("/items")[1]


@pytest.mark.fault(30)
def test_where_the_restore_fails_too_both_errors_and_the_backup_are_told(host):
    damage = f"truncate --size=-10 {BACKUPS}/$WINDFLOW_RELEASE.dump; echo the migration does not like it; exit 3"
    newer = migrating(host, "1.11.2", damage, options=", privileged: true")
    host.deploy(newer, code=2, restore_on_failure=True)
    last = host.record()["revisions"][-1]
    assert last["error"].index("the migration does not like it") < last["error"].index("The restore failed, too: E4097")
    assert f"{BACKUPS}/{last['backup']}.dump" in last["error"] and host.version() == "1.0.0"


def newly_deployed(host):
    """What failed before is nothing that a restore goes behind any more."""
    host.deploy(host.plugin("1.0.0"), force=True)


@pytest.mark.fault(30)
def test_a_migration_that_is_tried_again_leaves_the_backup_of_before_it_which_a_restore_takes(host):
    newly_deployed(host)
    newer = migrating(host, "1.11.3", HALF_WAY)
    assert host.request("/items", {"name": "there before the first attempt"})[0] == 201
    host.deploy(newer, code=2)
    first = host.record()["revisions"][-1]["backup"]
    for _attempt in range(2):
        host.deploy(newer, code=2, keep_backups=1)
    assert "there before the first attempt" not in host.request("/items")[1]
    labels = host.ssh(f"cd {BACKUPS}; ls *.dump").replace(".dump", "").split()
    assert len(labels) == 2 and first in labels
    output = host.run("playbooks/restore.yml", {"plugin": "template"})
    assert output.index(f"{first} of 20") < output.index("TASK [Restore the database]")
    assert "there before the first attempt" in host.request("/items")[1]


@pytest.mark.fault(30)
def test_a_run_that_is_killed_in_its_migration_has_noted_its_backup(host):
    newly_deployed(host)
    process = host.start("deploy.yml", {"plugin": str(migrating(host, "1.11.4", "sleep 20")), "target": "host"})
    try:
        end = time.monotonic() + 200
        while not (host.record()["lease"] or {}).get("step") == "migration":
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.5)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
    backup = host.record()["revisions"][-1]["backup"]
    assert host.ssh(f"ls {BACKUPS}/{backup}.dump")
    host.run("playbooks/unlock.yml", {"plugin": "template"})
    assert f"{backup} of 20" in host.run("playbooks/restore.yml", {"plugin": "template"})


@pytest.mark.fault(30)
def test_a_failure_behind_a_migration_says_that_the_database_was_migrated(host):
    output = host.deploy(migrating(host, "1.11.5", "exit 0", *FAILING_HOOK), code=2)
    last = host.record()["revisions"][-1]
    assert "serves again" in output and "The database was migrated before that" in last["error"]
    assert f"{BACKUPS}/{last['backup']}.dump" in last["error"] and host.version() == "1.0.0"


@pytest.mark.fault(30)
def test_what_was_removed_has_left_data_that_are_backed_up_before_a_migration_and_can_be_restored(host):
    assert host.request("/items", {"name": "there before the removal"})[0] == 201
    host.run("playbooks/remove.yml", {"plugin": str(host.plugin("1.0.0"))})
    host.deploy(migrating(host, "1.11.6", HALF_WAY), code=2)
    record = host.record()
    last = record["revisions"][-1]
    assert record["current"] is None and f"{BACKUPS}/{last['backup']}.dump" in last["error"]
    assert f"{last['backup']} of 20" in host.run("playbooks/restore.yml", {"plugin": "template"})
    host.deploy(host.plugin("1.0.0"))
    assert "there before the removal" in host.request("/items")[1]
