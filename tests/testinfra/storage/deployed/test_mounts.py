# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with an NFS volume, right after the deploy and after a restart."""

from __future__ import annotations


def test_the_export_is_mounted_once_and_softly(app):
    lines = [line.split() for line in app.host.file("/proc/self/mounts").content_string.splitlines()]
    (mount,) = [line for line in lines if line[1] == "/mnt/nfs-data"]
    assert mount[0].endswith(":/exports/data") and mount[2].startswith("nfs")
    assert {"soft", "timeo=50", "retrans=2"} <= set(mount[3].split(","))


def test_fstab_has_one_line_that_keeps_no_start_waiting(app):
    lines = [line.split() for line in app.host.file("/etc/fstab").content_string.splitlines() if "nfs" in line]
    assert [line[1] for line in lines] == ["/mnt/nfs-data"]
    assert {"nofail", "_netdev", "bg"} <= set(lines[0][3].split(","))


def test_volumes_belong_to_the_application(app):
    for path in ("/mnt/nfs-data", "/var/lib/app/data"):
        directory = app.host.file(path)
        assert (directory.user, directory.group) == ("app", "app"), path


def test_what_the_application_writes_is_on_the_server(app):
    app.host.check_output("runuser -u app -- sh -c %s", "date > /mnt/nfs-data/written")
    assert app.host.check_output("stat -f -c %T /mnt/nfs-data").startswith("nfs")


def test_the_application_runs_behind_its_wait(app):
    assert set(app.settled_programs().values()) == {"RUNNING"}
    assert app.host.check_output("pgrep -u app -f gunicorn")
