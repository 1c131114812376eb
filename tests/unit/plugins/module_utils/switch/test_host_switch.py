# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of release_switch and its result, on a host on which no service runs."""

from __future__ import annotations

import os
import signal

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.files import atomic
from ansible_collections.windflow.platform.plugins.module_utils.switch import host_switch

RELEASE, BEFORE = "20261123T012327Z-1a2b3c4d", "20261122T012327Z-1a2b3c4d"
pytestmark = pytest.mark.usefixtures("signals")


@pytest.fixture
def run(host):
    return lambda check=False, diff=False, **changes: host_switch.run({**host(**changes), "check": check, "diff": diff})


def everything(top):
    return sorted((str(path), path.is_symlink() or path.read_bytes()) for path in top.rglob("*") if not path.is_dir())


def names(paths):
    return [os.path.basename(path) for path in paths]


def test_a_check_foresees_what_a_switch_writes_and_writes_nothing(run, tmp_path):
    before, handlers = everything(tmp_path), signal.getsignal(signal.SIGTERM)
    found = run(check=True, config_copy={"path": str(tmp_path / "etc.yaml")})
    assert found["changed"] and not found["failed"] and "diff" not in found
    site = ["windflow-shop.conf", "windflow-shop.conf"]
    assert names(found["changes"]) == ["windflow-shop-%s.conf" % RELEASE, *site, "etc.yaml", "current"]
    assert everything(tmp_path) == before and signal.getsignal(signal.SIGTERM) == handlers


def test_a_diff_shows_every_file_but_the_one_with_secrets(run, tmp_path):
    copy = tmp_path / "etc.yaml"
    copy.write_text("password: canary", encoding="utf-8")
    (tmp_path / "site_available_dir" / "windflow-shop.conf").write_text("as it was", encoding="utf-8")
    found = run(check=True, diff=True, config_copy={"path": str(copy)})
    shown = {os.path.basename(item["after_header"]): (item["before"], item["after"]) for item in found["diff"]}
    assert shown["windflow-shop-%s.conf" % RELEASE] == ("", "supervisor.conf")
    assert "etc.yaml" not in shown and "canary" not in str(found) and str(copy) in found["changes"]
    shown = [(item["before"], item["after"]) for item in found["diff"] if "site_available" in item["before_header"]]
    assert shown == [("as it was", "nginx.conf")]


def test_before_a_release_was_made_a_check_says_that_it_would_be_current(run, tmp_path):
    os.symlink("releases/%s" % BEFORE, tmp_path / "opt" / "current")
    found = run(check=True, diff=True, release="20261124T012327Z-1a2b3c4d")
    assert found["changes"] == [str(tmp_path / "opt" / "current")] and not found["failed"]
    assert [item["before"] for item in found["diff"]] == ["releases/%s" % BEFORE]


def test_a_check_of_a_removal_names_what_is_there(run, tmp_path):
    assert not run(check=True, state="absent")["changed"]
    os.symlink("releases/%s" % BEFORE, tmp_path / "opt" / "current")
    found = run(check=True, state="absent")
    assert found["changes"] == [str(tmp_path / "opt" / "current")] and os.path.islink(tmp_path / "opt" / "current")


@pytest.mark.parametrize(
    ("saved", "data", "texts"),
    [
        (atomic.Saved(), b"new", ("", "new")),
        (atomic.Saved(data=b"old"), None, ("old", "")),
        (atomic.Saved(target="releases/a"), None, ("releases/a", "")),
        (atomic.Saved(data=b"\xff"), b"\xfe", ("\ufffd", "\ufffd")),
    ],
    ids=["new", "removed", "a link", "no text"],
)
def test_a_difference_is_text_whatever_the_file_was(saved, data, texts):
    (found,) = host_switch.differences([("/etc/x", saved, data)], None)
    assert (found["before"], found["after"]) == texts and found["before_header"] == found["after_header"] == "/etc/x"


def test_a_switch_without_services_is_an_error_that_leaves_the_host_as_it_was(run, tmp_path):
    os.symlink("releases/%s" % BEFORE, tmp_path / "opt" / "current")
    before = everything(tmp_path)
    found = run()
    assert found["failed"] and not found["changed"] and found["code"] == "E4031"
    assert found["msg"].endswith("Nothing was changed. Release %s still serves." % BEFORE)
    assert everything(tmp_path) == before


def test_a_switch_or_a_removal_is_undone_by_a_signal_and_not_ended(run):
    run(state="absent")
    with pytest.raises(Exception, match="E4045"):
        os.kill(os.getpid(), signal.SIGTERM)


def test_a_run_that_has_lost_its_lease_removes_nothing(run, tmp_path, state_dir):
    os.symlink("releases/%s" % BEFORE, tmp_path / "opt" / "current")
    found = run(state="absent", run="run-1")
    assert found["failed"] and found["code"] == "E5002" and not found["changed"]
    assert os.path.islink(tmp_path / "opt" / "current")
