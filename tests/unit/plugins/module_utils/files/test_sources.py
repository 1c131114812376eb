# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a source directory is shipped, beside what git itself makes of the same patterns."""

from __future__ import annotations

import subprocess

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.files import archive, sources

NAMES = (
    *(
        "app.py",
        "run.log",
        "keep.log",
        "notes.txt",
        "!odd",
        "a b.txt",
        "cache/x.py",
        "cache/deep/y.py",
        "build/out.bin",
    ),
    *("pkg/build/out.bin", "pkg/build.py", "pkg/data/a/b/c.json", "pkg/data/c.json", "pkg/run.log", "pkg/tmp/keep/x"),
    *("node_modules/m/index.js", "web/node_modules/m/index.js", "web/dist/site.css", "web/dist/keep.css"),
)
PATTERNS = {
    ".windflowignore": "# comment\n\n*.log\n!keep.log\n/build/\ncache/*\n!cache/x.py\nnode_modules/\n"
    "pkg/data/**/c.json\n\\!odd\na\\ b.txt\nweb/dist/*\n!web/dist/keep.css\npkg/tmp/\n!pkg/tmp/keep\n",
    "pkg/.windflowignore": "!run.log\n/build.py\n",
}


@pytest.fixture
def source(tmp_path):
    for name in NAMES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


def listed(source):
    return [name for name, _mode, _digest in sources.digest(str(source))[1]]


def test_patterns_mean_what_they_mean_to_git(source):
    for name, text in PATTERNS.items():
        (source / name).write_text(text)
    git = ["git", "-C", str(source), "-c", "core.excludesFile=/dev/null"]
    subprocess.run([*git, "init", "-q"], check=True)
    command = [*git, "ls-files", "-z", "--others", "--exclude-per-directory=.windflowignore"]
    known = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\0")
    assert listed(source) == sorted(name for name in known if name and not name.endswith(".windflowignore"))


def test_what_nobody_means_is_left_out_unless_it_is_named(source):
    for name in (".git/config", ".venv/bin/python", "pkg/__pycache__/x.pyc", ".DS_Store", "pkg/.DS_Store"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("x")
    assert listed(source) == sorted(NAMES)
    (source / ".windflowignore").write_text("!/.DS_Store\n")
    assert listed(source) == sorted([*NAMES, ".DS_Store"])


def test_what_is_ignored_changes_no_digest_and_is_not_shipped(source):
    (source / ".windflowignore").write_text("*.log\n")
    before, listing = sources.digest(str(source))
    (source / "new.log").symlink_to("/etc/passwd")
    (source / ".windflowignore").write_text("# the same\n*.log\n")
    assert sources.digest(str(source)) == (before, listing)
    assert archive.pack(str(source), listing) == archive.pack(str(source), sources.digest(str(source))[1])


@pytest.mark.fault(88)
@pytest.mark.parametrize(("content", "line"), [(b"*.log\n!\n", 2), (b"\\", 1), (b"\xff\n", 0), (None, 0)])
def test_patterns_that_git_would_not_know_are_refused(source, findings, content, line):
    path = source / "pkg" / ".windflowignore"
    path.mkdir() if content is None else path.write_bytes(content)
    (problem,) = findings(sources.digest, str(source))
    assert (problem.code, problem.file, problem.line) == ("E1088", str(path), line)
