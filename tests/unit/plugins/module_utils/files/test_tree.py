# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import tree


@pytest.fixture
def app(tmp_path):
    root = tmp_path / "app"
    (root / "pkg" / "empty").mkdir(parents=True)
    (root / "app.py").write_text("print(1)\n")
    (root / "pkg" / "mod.py").write_text("x = 1\n")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o755)
    (root / "latest.py").symlink_to("pkg/mod.py")
    return root


def found(root, recorded, exclude=()):
    return [(item["path"], item["attribute"]) for item in tree.drift(str(root), recorded, exclude)]


def recorded(root, exclude=()):
    """As it comes back from the record."""
    return json.loads(json.dumps(tree.manifest(str(root), exclude)))


def test_manifest_has_every_entry_with_kind_mode_and_digest(app):
    entries = tree.manifest(str(app))
    assert set(entries) == {".", "app.py", "run.sh", "latest.py", "pkg", "pkg/mod.py", "pkg/empty"}
    assert entries["pkg"][:3] == ["d", (app / "pkg").stat().st_mode & 0o7777, ""]
    assert entries["latest.py"][0] == "l" and entries["latest.py"][2] == "pkg/mod.py"
    info = (app / "run.sh").stat()
    assert entries["run.sh"][:2] == ["f", 0o755]
    assert entries["run.sh"][3:] == [10, info.st_mtime_ns, info.st_ctime_ns, info.st_ino, info.st_uid, info.st_gid]


def test_an_untouched_tree_has_no_drift(app):
    assert found(app, recorded(app)) == []


def test_an_untouched_tree_is_not_read(app, monkeypatch):
    before = recorded(app)
    monkeypatch.setattr(tree, "file_digest", lambda path: pytest.fail("read " + path))
    assert found(app, before) == []


def test_a_changed_time_alone_is_no_drift(app):
    before = recorded(app)
    os.utime(app / "app.py", (1, 1))
    os.utime(app / "pkg", (1, 1))
    os.utime(app / "latest.py", (1, 1), follow_symlinks=False)
    assert found(app, before) == []


def test_a_copy_with_the_same_content_is_no_drift(app):
    before = recorded(app)
    content = (app / "app.py").read_bytes()
    (app / "app.py").unlink()
    (app / "app.py").write_bytes(content)
    assert found(app, before) == []


def test_content_of_the_same_size_with_the_time_set_back_is_found(app):
    before = recorded(app)
    info = (app / "app.py").stat()
    (app / "app.py").write_text("print(2)\n")
    os.utime(app / "app.py", ns=(info.st_atime_ns, info.st_mtime_ns))
    assert found(app, before) == [("app.py", "content")]


def test_mode_owner_missing_added_and_kind_are_found(app):
    before = recorded(app)
    (app / "run.sh").chmod(0o777)
    (app / "app.py").unlink()
    (app / "new.py").write_text("")
    (app / "latest.py").unlink()
    (app / "latest.py").write_text("")
    assert found(app, before) == [("app.py", "missing"), ("latest.py", "kind"), ("new.py", "added"), ("run.sh", "mode")]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_a_changed_owner_is_found(app):
    before = recorded(app)
    os.chown(app / "app.py", 1, 1)
    finding = tree.drift(str(app), before)[0]
    assert (finding["attribute"], finding["expected"], finding["found"]) == ("owner", "0:0", "1:1")


def test_a_link_that_points_elsewhere_is_found(app):
    before = recorded(app)
    (app / "latest.py").unlink()
    (app / "latest.py").symlink_to("app.py")
    assert tree.drift(str(app), before) == [
        {"path": "latest.py", "attribute": "content", "expected": "pkg/mod.py", "found": "app.py"}
    ]


def test_of_a_missing_or_added_directory_only_the_directory_is_named(app):
    before = recorded(app)
    (app / "pkg").rename(app / "other")
    assert found(app, before) == [("other", "added"), ("pkg", "missing")]


def test_a_directory_replaced_by_a_link_is_one_finding(app):
    before = recorded(app)
    (app / "pkg").rename(app.parent / "pkg")
    (app / "pkg").symlink_to(app.parent / "pkg")
    assert found(app, before) == [("pkg", "kind")]


def test_a_missing_root_is_found(app):
    before = recorded(app)
    app.rename(app.parent / "gone")
    assert found(app, before) == [(".", "missing")]


def test_excluded_names_and_paths_are_no_drift(app):
    before = recorded(app)
    (app / "pkg" / "__pycache__").mkdir()
    (app / "pkg" / "__pycache__" / "mod.pyc").write_text("")
    (app / "pkg" / "empty" / "cache.db").write_text("")
    (app / "pkg" / "mod.py").unlink()
    exclude = ("__pycache__", "pkg/empty/*", "pkg/mod.py")
    assert found(app, before, exclude) == []
    assert found(app, before) == [
        ("pkg/__pycache__", "added"),
        ("pkg/empty/cache.db", "added"),
        ("pkg/mod.py", "missing"),
    ]


def test_source_digest_lists_files_and_links_by_content(app):
    digest, listing = tree.source_digest(str(app))
    assert [(path, mode) for path, mode, _digest in listing] == [
        ("app.py", 0o644),
        ("latest.py", 0o777),
        ("pkg/mod.py", 0o644),
        ("run.sh", 0o755),
    ]
    assert listing[1][2] == "link:pkg/mod.py"
    assert len(digest) == 64


def test_source_digest_ignores_times_caches_and_editor_files(app):
    before = tree.source_digest(str(app))
    os.utime(app / "app.py", (1, 1))
    (app / "app.py").chmod(0o664)
    for name in ("__pycache__", ".git", "pkg/__pycache__"):
        (app / name).mkdir()
        (app / name / "x.pyc").write_text("x")
    for name in ("app.pyc", "app.py~", ".app.py.swp", "#app.py#"):
        (app / name).write_text("x")
    (app / ".#app.py").symlink_to("user@host.123")
    assert tree.source_digest(str(app)) == before


@pytest.mark.parametrize("change", ["content", "executable", "name", "link"])
def test_source_digest_depends_on(app, change):
    before = tree.source_digest(str(app))[0]
    if change == "content":
        (app / "app.py").write_text("print(2)\n")
    elif change == "executable":
        (app / "app.py").chmod(0o755)
    elif change == "name":
        (app / "app.py").rename(app / "main.py")
    else:
        (app / "latest.py").unlink()
        (app / "latest.py").symlink_to("app.py")
    assert tree.source_digest(str(app))[0] != before


def test_source_digest_through_a_link_to_the_root_is_the_same(app):
    (app.parent / "alias").symlink_to(app)
    assert tree.source_digest(str(app.parent / "alias")) == tree.source_digest(str(app))


@pytest.mark.fault(4)
@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "pkg/../../outside", "pkg/../app.py", "sub/secret"])
def test_a_link_that_may_lead_out_is_refused_and_named(app, target):
    (app.parent / "secret").write_text("x")
    if target.startswith("sub"):
        (app / "sub").symlink_to("..")
    (app / "evil").symlink_to(target)
    with pytest.raises(WindflowError, match="evil: expected a link to a place inside") as caught:
        tree.source_digest(str(app))
    assert caught.value.code == "E1081"


def test_every_entry_that_cannot_be_shipped_is_reported_at_once(app):
    os.mkfifo(app / "pipe")
    (app / "evil").symlink_to("/etc")
    with open(os.fsencode(app) + b"/caf\xe9", "w"):
        pass
    (app / "line\nbreak").write_text("")
    with pytest.raises(WindflowError) as caught:
        tree.source_digest(str(app))
    assert sorted(problem.code for problem in caught.value.problems) == ["E1081", "E1082", "E1082", "E1084"]
    assert "\n" not in "".join(problem.path for problem in caught.value.problems)


def test_a_source_that_is_no_directory_is_refused(tmp_path):
    with pytest.raises(WindflowError, match="E1080"):
        tree.source_digest(str(tmp_path / "none"))
