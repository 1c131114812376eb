# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import nofollow, paths


def planned(entry, predict=False):
    return paths.plan(paths.parse([entry]), predict)[0]


def changes(entry, predict=False):
    return [(item["attribute"], item["before"], item["after"]) for item in planned(entry, predict)["changes"]]


def test_inspect_tells_state_mode_owner_and_content(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o640)
    (tmp_path / "l").symlink_to("f")
    found = nofollow.inspect(str(tmp_path / "f"))
    assert (found["state"], found["mode"]) == ("file", "0640")
    assert found["sha256"] == "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert nofollow.inspect(str(tmp_path / "l"))["target"] == "f"
    assert nofollow.inspect(str(tmp_path))["state"] == "directory"
    assert nofollow.inspect(str(tmp_path / "none" / "below")) == {"state": "absent"}


def test_inspect_of_a_directory_does_not_depend_on_what_is_in_it(tmp_path):
    before = nofollow.inspect(str(tmp_path))
    (tmp_path / "sub").mkdir()
    (tmp_path / "f").write_text("x")
    assert nofollow.inspect(str(tmp_path)) == before


def test_a_new_entry_is_one_change(tmp_path):
    assert changes({"path": str(tmp_path / "f"), "content": "x", "mode": "0600"}) == [("state", "absent", "file")]


def test_what_is_as_it_should_be_is_no_change(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o640)
    entry = {"path": str(tmp_path / "f"), "content": "x", "mode": "0640", "owner": str(os.geteuid())}
    assert changes(entry) == []


def test_every_attribute_that_differs_is_a_change(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o600)
    found = changes({"path": str(tmp_path / "f"), "content": "y", "mode": "0640", "owner": "12345", "group": "12345"})
    assert [attribute for attribute, _before, _after in found] == ["content", "mode", "owner", "group"]
    assert found[1] == ("mode", "0600", "0640")
    assert found[0][2] == "sha256:a1fce4363854ff888cff4b8e7875d600c2682390412a8cf79b37d0b11148b0fa"


def test_the_content_of_a_source_is_compared(tmp_path):
    (tmp_path / "from").write_text("x")
    (tmp_path / "f").write_text("x")
    assert changes({"path": str(tmp_path / "f"), "source": str(tmp_path / "from")}) == []
    (tmp_path / "from").write_text("y")
    assert [item[0] for item in changes({"path": str(tmp_path / "f"), "source": str(tmp_path / "from")})] == ["content"]


def test_a_secret_is_in_no_change_and_no_diff(tmp_path):
    (tmp_path / "f").write_text("old canary")
    step = planned({"path": str(tmp_path / "f"), "secret_content": "new canary", "mode": "0600"})
    shown = repr((step["changes"], paths.diffs([step])))
    assert "canary" not in shown
    assert "sha256" not in shown
    assert "content" in shown


def test_the_diff_has_the_text_and_the_attributes(tmp_path):
    (tmp_path / "f").write_text("a\n")
    (tmp_path / "f").chmod(0o600)
    attributes, content = paths.diffs([planned({"path": str(tmp_path / "f"), "content": "b\n", "mode": "0644"})])
    assert (attributes["before"], attributes["after"]) == ({"mode": "0600"}, {"mode": "0644"})
    assert (content["before"], content["after"]) == ("a\n", "b\n")


def test_a_user_a_source_and_a_parent_that_do_not_exist_yet_are_predicted(tmp_path):
    entry = {"path": str(tmp_path / "new" / "f"), "source": str(tmp_path / "none"), "owner": "no-such-user-yet"}
    assert changes(entry, predict=True) == [("state", "absent", "file")]
    with pytest.raises(WindflowError) as caught:
        planned(entry)
    assert sorted(problem.code for problem in caught.value.problems) == ["E4011", "E4012", "E4016"]


def test_a_group_that_does_not_exist_yet_is_predicted_for_an_existing_file(tmp_path):
    (tmp_path / "f").write_text("x")
    found = changes({"path": str(tmp_path / "f"), "content": "x", "group": "no-such-group-yet"}, predict=True)
    assert [(item[0], item[2]) for item in found] == [("group", "no-such-group-yet")]


def test_a_parent_that_is_listed_before_need_not_exist(tmp_path):
    entries = [{"path": str(tmp_path / "d"), "state": "directory"}, {"path": str(tmp_path / "d" / "f"), "content": ""}]
    assert len(paths.plan(paths.parse(entries))) == 2
    with pytest.raises(WindflowError, match="E4012"):
        paths.plan(paths.parse(entries[::-1]))


@pytest.mark.parametrize(
    ("entry", "fault"),
    [
        ({"path": "relative", "content": ""}, "an absolute path"),
        ({"path": "/tmp/../etc/x", "content": ""}, "an absolute path"),
        ({"path": "/tmp/x/", "content": ""}, "an absolute path"),
        ({"path": "//tmp/x", "content": ""}, "an absolute path"),
        ({"path": "/", "state": "directory"}, "an absolute path"),
        ({"path": "/tmp/a\nb", "content": ""}, "names without control characters"),
        ({"path": "/tmp/x"}, "one of content, secret_content and source, got none"),
        ({"path": "/tmp/x", "content": "", "source": "/tmp/y"}, "got content, source"),
        ({"path": "/tmp/x", "state": "link"}, "the target of the link"),
        ({"path": "/tmp/x", "state": "directory", "content": ""}, "no content for a directory"),
        ({"path": "/tmp/x", "content": "", "target": "y"}, "a target for links only"),
        ({"path": "/tmp/x", "content": "", "mode": "420"}, 'got 420. Fix: quote it: "0644"'),
        ({"path": "/tmp/x", "content": "", "mode": "0888"}, "a mode in octal"),
        ({"path": "/tmp/x", "content": "", "mode": "u+x"}, "a mode in octal"),
        ({"path": "/tmp/x", "state": "link", "target": "y", "mode": "0644"}, "one for a link"),
        ({"path": "/tmp/x", "content": "", "secret": True}, "in secret_content"),
        ({"path": "/tmp/x", "content": "", "colour": "red"}, "a key that is known, got colour"),
        ({"path": "/tmp/x", "state": "hardlink"}, "state to be one of"),
    ],
)
def test_a_malformed_entry_is_refused(entry, fault):
    with pytest.raises(WindflowError, match=r"^E4010 entries\[0\]: ") as caught:
        paths.parse([entry])
    assert fault in str(caught.value)


def test_all_malformed_entries_are_reported_at_once():
    with pytest.raises(WindflowError) as caught:
        paths.parse(
            [{"path": "x", "content": ""}, {"path": "/tmp/x", "content": ""}, {"path": "/tmp/x", "content": ""}]
        )
    assert [problem.path for problem in caught.value.problems] == ["entries[0]", "entries[2]"]


@pytest.mark.parametrize(
    ("wanted", "there"),
    [("file", "directory"), ("link", "directory"), ("directory", "file"), ("directory", "link"), ("file", "pipe")],
)
def test_a_directory_and_another_kind_never_replace_each_other(tmp_path, wanted, there):
    path = tmp_path / "x"
    if there == "directory":
        path.mkdir()
    elif there == "file":
        path.write_text("")
    elif there == "link":
        path.symlink_to(tmp_path)
    else:
        os.mkfifo(path)
    more = {"file": {"content": ""}, "link": {"target": "y"}, "directory": {"mode": "0755"}}[wanted]
    with pytest.raises(WindflowError, match="E4013"):
        planned({"path": str(path), "state": wanted, **more})


def test_a_top_level_directory_is_never_removed():
    with pytest.raises(WindflowError, match="E4013"):
        planned({"path": "/etc", "state": "absent"})


def test_parents_are_the_directories_above_that_are_not_named(tmp_path):
    entries = [
        {"path": "/a/b/c/d", "state": "directory"},
        {"path": "/a/b", "state": "directory"},
        {"path": "/x/y", "state": "absent"},
    ]
    assert paths.parents(entries) == [{"path": path, "state": "directory"} for path in ("/a", "/a/b/c")]


def test_nothing_that_is_to_be_absent_is_kept(tmp_path):
    with pytest.raises(WindflowError, match="E4010.*keep_existing"):
        paths.parse([{"path": str(tmp_path), "state": "absent", "keep_existing": True}])
