# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose a directory is. Of the real file system, and as root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.record import ownership, store
from ansible_collections.windflow.platform.plugins.module_utils.system import places

NOTHING = {"account": [], "directories": []}


@pytest.fixture
def host(tmp_path):
    """A part of the file system in which all is root's, with the records of two plugins."""
    other = store.empty("other")
    place = {key: str(tmp_path / "other" / key) for key in ("install_dir", "data_dir", "log_dir")}
    other["revisions"].append({"revision": 1, "state": "deployed", "release": "r", "host": place})
    other.update(sequence=1, current=1)
    store.save(other, str(tmp_path / "state"))
    os.chmod(tmp_path, 0o755)
    return tmp_path


def look(host, directories, made=None, user="web"):
    """What is found of one directory or several, {path: owner}."""
    wanted = {str(host / name) if not name.startswith("/") else name: owner for name, owner in directories.items()}
    return places.look("web", wanted, user, made or NOTHING, str(host / "state"))


def found(host, path, owner="web", made=(), adopt=(), key="app.data_dir"):
    """Codes and the reason of the first finding about one directory."""
    path = str(path) if str(path).startswith("/") else str(host / path)
    looked = places.look("web", {path: owner}, "web", {**NOTHING, "directories": list(made)}, str(host / "state"))
    problems = places.findings("web", looked, list(made), adopt, "web", {path: key})
    return [problem.code for problem in problems], problems[0].got if problems else ""


def test_what_is_not_there_is_free(host):
    assert found(host, "new") == ([], "") and found(host, "new/below/it") == ([], "")


def test_directories_that_plugins_have_by_their_names_are_side_by_side(host):
    ownership.note_made("other", "directories", ["/etc/windflow/other"], str(host / "state"))
    looked = look(host, {"/etc/windflow": "root", "/etc/windflow/web": "root", "/var/log/windflow/web": "root"})
    assert places.findings("web", looked, [], (), "web", {}) == []


def test_what_is_roots_and_empty_is_free_and_what_is_somebodys_is_not(host):
    (host / "empty").mkdir()
    assert found(host, "empty") == ([], "")
    os.chown(host / "empty", 1500, 1500)
    assert found(host, "empty") == (["E2033"], "it is empty and belongs to 1500")
    (host / "full").mkdir()
    (host / "full" / "letter").write_text("")
    assert found(host, "full") == (["E2033"], "it is not empty and belongs to root")
    assert found(host, "full", adopt=["directories"]) == ([], "")
    assert found(host, "full", adopt=["account"])[0] == ["E2033"]
    assert found(host, "full", made=[str(host / "full")]) == ([], "")
    # What lies in it was made by the application.
    (host / "full" / "part").mkdir()
    (host / "full" / "part" / "x").write_text("")
    assert found(host, "full/part", made=[str(host / "full")]) == ([], "")


@pytest.mark.fault(56)
@pytest.mark.parametrize("adopt", [(), ("directories",)])
@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/usr/local/sbin", "the system's"),
        ("/usr/local/sbin/web", "the system's"),
        ("/var/spool/cron/crontabs", "the system's"),
        ("/var/log", "the system's"),
        ("/etc/web", "the system's"),
        ("/root/web", "the home of root"),
        ("/var/log/windflow/other", "in /var/log/windflow, which is the platform's"),
        ("/var/log/windflow", "the platform's"),
        ("/var/log/windflow/web", "the platform's"),
        ("/var/log/windflow/web/logs", "in /var/log/windflow, which is the platform's"),
    ],
)
def test_places_of_the_system_and_of_the_platform_are_never_an_applications(host, path, why, adopt):
    assert found(host, path, adopt=adopt) == (["E2034"], why)


@pytest.mark.fault(56)
@pytest.mark.parametrize("adopt", [(), ("directories",)])
@pytest.mark.parametrize("place", ["install_dir", "data_dir", "log_dir"])
@pytest.mark.parametrize("where", ["other/%s", "other/%s/below", "other", "linked/%s", "linked/%s/below", "linked"])
def test_another_plugins_directories_are_not_either_equal_nested_or_through_a_link(host, place, where, adopt):
    (host / "other" / place).mkdir(parents=True)
    (host / "linked").symlink_to(host / "other")
    path = where % place if "%" in where else where
    expected = "E2034" if path == "linked" else "E2033"
    code, why = found(host, path, adopt=adopt)
    assert code == [expected] and ("of the plugin other" in why or path == "linked")


@pytest.mark.fault(56)
def test_somebodys_home_is_not_and_neither_is_what_lies_in_it(host, monkeypatch):
    lines = "root:x:0:0::/root:/bin/sh\nann:x:1500:1500::%s/ann:/bin/sh\nftp:x:99:99::%s/ftp:/bin/false\n"
    (host / "passwd").write_text(lines % (host, host))
    homes = places.homes_of_others
    monkeypatch.setattr(places, "homes_of_others", lambda users: homes(users, str(host / "passwd")))
    for name in ("ann", "ftp"):
        (host / name).mkdir()
    assert found(host, "ann") == (["E2034"], "the home of ann")
    assert found(host, "ann/app") == (["E2034"], "the home of ann")
    assert found(host, "ftp") == (["E2034"], "the home of ftp")
    # Below a service's home there is room for others: /var/www is one.
    assert found(host, "ftp/app") == ([], "")
    looked = places.look("web", {str(host / "ann"): "ann"}, "ann", NOTHING, str(host / "state"))
    assert looked[str(host / "ann")]["never"] == ""


@pytest.mark.fault(56)
@pytest.mark.parametrize(("uid", "mode"), [(1500, 0o755), (0, 0o777)])
def test_what_lies_where_somebody_could_exchange_it_is_not(host, uid, mode):
    (host / "open").mkdir()
    os.chown(host / "open", uid, uid)
    os.chmod(host / "open", mode)
    assert found(host, "open/app")[0] == ["E2034"]
    os.chmod(host / "open", 0o1777)
    assert found(host, "open/app")[0] == ([] if uid == 0 else ["E2034"])


@pytest.mark.fault(56)
def test_a_place_of_roots_is_not_in_one_that_the_application_writes_to(host):
    data, install = str(host / "data"), str(host / "data" / "install")
    wanted = {data: "web", install: "root"}
    looked = look(host, wanted)
    assert looked[install]["never"] == ""
    (host / "data").mkdir()
    looked = look(host, wanted)
    assert looked[install]["never"] == "in %s, which the application can change" % data


@pytest.mark.fault(56)
@pytest.mark.parametrize("where", ["", "/releases", "/releases/x", "/venvs", "/run", "/current"])
def test_the_application_does_not_write_where_the_platform_does(host, where):
    install = str(host / "app")
    wanted = {install: "root", install + where: "web"}
    looked = places.look("web", wanted, "web", NOTHING, str(host / "state"))
    keys = {install: "app.install_dir", install + where: "app.data_dir"}
    if not where:
        keys = {install: "app.data_dir"}
        looked = {install: looked[install]}
        keys = {install: "app.data_dir", str(host / "app2"): "app.install_dir"}
        looked[str(host / "app2")] = looked[install]
    problems = places.findings("web", looked, [], (), "web", keys)
    assert [problem.code for problem in problems] == ["E2033"]


@pytest.mark.fault(57)
def test_links_of_roots_are_followed_and_others_are_refused(host):
    (host / "disk" / "srv").mkdir(parents=True)
    (host / "srv").symlink_to("disk/srv")
    assert found(host, "srv/app") == ([], "")
    assert look(host, {"srv/app": "web"})[str(host / "srv/app")]["real"] == str(host / "disk/srv/app")
    os.chown(host / "srv", 1500, 1500, follow_symlinks=False)
    code, why = found(host, "srv/app")
    assert code == ["E2034"] and why == "behind the link %s, which is not root's" % (host / "srv")
    # One of root's that somebody else has put there is none.
    os.chown(host / "srv", 0, 0, follow_symlinks=False)
    os.chmod(host, 0o777)
    assert found(host, "srv/app")[0] == ["E2034"]


@pytest.mark.fault(57)
def test_a_link_a_file_and_a_ring_of_links_are_no_directories(host):
    (host / "there").mkdir()
    (host / "link").symlink_to("there")
    (host / "file").write_text("")
    (host / "ring").symlink_to("ring")
    assert found(host, "link") == (["E2034"], "a link, not a directory")
    assert found(host, "file") == (["E2034"], "a file, not a directory")
    assert found(host, "ring/app")[0] == ["E2034"]
    assert found(host, "file/app") == (["E2034"], "below %s, which is no directory" % (host / "file"))


def test_an_empty_directory_of_a_package_is_not_free(host, monkeypatch):
    assert places.package_of("/usr/share/doc") and not places.package_of(str(host))
    (host / "spool").mkdir()
    monkeypatch.setattr(places, "package_of", lambda path: "cron")
    assert found(host, "spool") == (["E2034"], "one that came with the package cron")
    assert found(host, "spool", made=[str(host / "spool")]) == ([], "")


def test_it_is_said_what_becomes_of_what_is_adopted(host):
    (host / "full").mkdir(mode=0o700)
    path = str(host / "full")
    entries = [{"path": path, "owner": "web", "group": "web", "mode": "0750"}, {"path": str(host)}]
    said = places.adopted("web", look(host, {path: "web"}), [], entries)
    assert said == [
        "directory %s is root:root 0700 and becomes web:web 0750; it stays at a purge, with what is in it" % path
    ]
    assert not places.adopted("web", look(host, {path: "web"}), [path], entries)


def entry(path, owner="0"):
    return {"path": str(path), "state": "directory", "owner": owner}


def made(host):
    return ownership.made_resources(store.load("web", str(host / "state")))["directories"]


def take(host, *paths, adopt=False, check=False):
    places.take("web", [entry(path) for path in paths], adopt, check, str(host / "state"))
    return made(host)


def test_what_is_made_is_noted_before_and_what_is_adopted_is_not(host):
    (host / "empty").mkdir()
    (host / "full").mkdir()
    (host / "full" / "letter").write_text("")
    assert take(host, host / "new", check=True) == []
    assert take(host, host / "new", host / "empty") == [str(host / "empty"), str(host / "new")]
    assert take(host, host / "full", adopt=True) == [str(host / "empty"), str(host / "new")]
    with pytest.raises(WindflowError) as caught:
        take(host, host / "full", host / "more")
    assert caught.value.code == "E2033" and str(host / "more") not in made(host)


def test_one_that_is_empty_and_adopted_stays(host):
    (host / "mounted").mkdir()
    assert take(host, host / "mounted", adopt=True) == []


def remove(host, wanted=None, check=False):
    return places.remove("web", wanted, check, str(host / "state"))


@pytest.mark.fault(58)
def test_a_purge_takes_what_was_made_and_nothing_else(host):
    for name in ("mine", "theirs"):
        (host / name / "deep").mkdir(parents=True)
        (host / name / "deep" / "file").write_text("")
    ownership.note_made("web", "directories", [str(host / "mine"), str(host / "gone")], str(host / "state"))
    assert remove(host, check=True) == ([str(host / "mine")], [])
    assert remove(host, [str(host / "theirs")]) == (
        [],
        ["The directory %s stays: windflow has not made it." % (host / "theirs")],
    )
    assert remove(host) == ([str(host / "mine")], [])
    assert (host / "theirs" / "deep" / "file").exists() and not (host / "mine").exists() and made(host) == []
    assert remove(host) == ([], [])


@pytest.mark.fault(58)
def test_it_says_that_what_was_adopted_stays(host):
    (host / "adopted").mkdir()
    kept = store.empty("web")
    kept["revisions"].append({"revision": 1, "state": "removed", "host": {"data_dir": str(host / "adopted")}})
    store.save(dict(kept, sequence=1), str(host / "state"))
    assert remove(host) == ([], ["The directory %s stays: windflow has not made it." % (host / "adopted")])


@pytest.mark.fault(58)
def test_not_even_where_a_record_of_before_says_so(host):
    paths = ["/usr/local/sbin", "/root", str(host / "other" / "data_dir")]
    (host / "other" / "data_dir").mkdir(parents=True)
    ownership.note_made("web", "directories", paths, str(host / "state"))
    removed, stays = remove(host)
    assert removed == [] and len(stays) == 3 and made(host) == sorted(paths)


@pytest.mark.fault(58)
def test_a_purge_that_cannot_end_says_what_is_left_and_can_be_run_again(host):
    (host / "first").mkdir()
    (host / "held" / "below").mkdir(parents=True)
    os.chown(host / "held", 1500, 1500)
    (host / "held" / "link").symlink_to(host / "first")
    os.chown(host / "held" / "link", 1500, 1500, follow_symlinks=False)
    wanted = [str(host / "first"), str(host / "held" / "link" / "x")]
    ownership.note_made("web", "directories", wanted, str(host / "state"))
    with pytest.raises(WindflowError) as caught:
        remove(host)
    assert caught.value.code == "E4058" and "Removed: %s" % wanted[0] in str(caught.value)
    assert made(host) == wanted[1:]
    (host / "held" / "link").unlink()
    assert remove(host) == ([], []) and made(host) == []


def test_what_the_record_does_not_say_is_not_read_as_a_path(host):
    assert not places.is_made("/opt/webs", ["/opt/web"]) and places.is_made("/opt/web/x", ["/opt/web"])
    assert Path(places.resolve(str(host / "a/../b"))[0]).name == "b"
