# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.windflow.platform.plugins.module_utils import virtualenv
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

pytestmark = pytest.mark.system

PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


@pytest.fixture(scope="module")
def wheels(tmp_path_factory):
    """An index of two packages, so that the tests reach no other."""
    where = tmp_path_factory.mktemp("wheels")
    for name in ("canarypkg", "otherpkg"):
        information = "%s-1.0.dist-info/" % name
        with zipfile.ZipFile(where / (name + "-1.0-py3-none-any.whl"), "w") as wheel:
            wheel.writestr(name + ".py", "VALUE = 42\n")
            wheel.writestr(information + "METADATA", "Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n" % name)
            wheel.writestr(information + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(information + "entry_points.txt", "[console_scripts]\nrun%s = %s:VALUE\n" % (name, name))
            wheel.writestr(information + "RECORD", "")
    return where


@pytest.fixture
def make(tmp_path, wheels):
    path = str(tmp_path / "venvs" / "name")

    def build(requirements, timeout=120, arguments=(), file=""):
        extra = ["--no-index", "--find-links", str(wheels), *arguments]
        virtualenv.check_path(path)
        virtualenv.build(path, PYTHON, requirements, file, extra, timeout, "")
        return virtualenv.marker_text(requirements, PYTHON, extra)

    build.path = path
    return build


def test_a_complete_environment_has_its_packages_compiled_and_no_pip(make):
    marker = make("canarypkg==1.0\n")
    assert virtualenv.is_complete(make.path, marker)
    assert virtualenv.installed(make.path) == ["canarypkg-1.0"]
    out = subprocess.check_output([make.path + "/bin/python", "-c", "import canarypkg; print(canarypkg.__cached__)"])
    assert os.path.exists(out.decode().strip())
    assert os.access(make.path + "/bin/runcanarypkg", os.X_OK)
    assert sorted(name for name in os.listdir(make.path) if name.startswith(".")) == [
        ".windflow-complete",
        ".windflow-requirements.txt",
    ]


@pytest.mark.fault(60)
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_modes_do_not_depend_on_the_umask(make, umask):
    before = os.umask(umask)
    try:
        make("canarypkg==1.0\n")
    finally:
        os.umask(before)
    for directory, _directories, files in os.walk(make.path):
        for name in [".", *files]:
            info = os.lstat(os.path.join(directory, name))
            if stat.S_ISLNK(info.st_mode):
                continue
            assert info.st_mode & 0o022 == 0, name
            assert info.st_mode & 0o044 == 0o044, name
            assert (info.st_uid, info.st_gid) == (os.geteuid(), os.getegid())


@pytest.mark.parametrize("requirements", ["", "# nothing\n\n"])
def test_an_environment_without_requirements_needs_no_pip(make, requirements):
    assert virtualenv.is_complete(make.path, make(requirements))
    assert virtualenv.installed(make.path) == []


def test_other_requirements_another_interpreter_or_other_arguments_make_it_incomplete(make):
    marker = make("")
    assert virtualenv.is_complete(make.path, marker)
    for other in (
        virtualenv.marker_text("canarypkg", PYTHON, []),
        virtualenv.marker_text("", "/usr/bin/python9", []),
        virtualenv.marker_text("", PYTHON, ["--pre"]),
    ):
        assert not virtualenv.is_complete(make.path, other)


def test_an_environment_whose_interpreter_is_gone_is_incomplete(make):
    marker = make("")
    os.unlink(make.path + "/bin/python")
    assert not virtualenv.is_complete(make.path, marker)


def test_an_incomplete_environment_is_made_anew(make):
    marker = make("")
    os.unlink(make.path + "/" + virtualenv.MARKER)
    with open(make.path + "/left-over", "w"):
        pass
    assert not virtualenv.is_complete(make.path, marker)
    make("")
    assert virtualenv.is_complete(make.path, marker)
    assert not os.path.exists(make.path + "/left-over")


@pytest.mark.fault(46)
def test_a_package_that_does_not_exist_leaves_nothing_and_shows_pips_words(make):
    with pytest.raises(WindflowError, match="E4063") as caught:
        make("nosuchpackage==1\n")
    assert "No matching distribution found for nosuchpackage==1" in str(caught.value)
    assert "removed" in caught.value.outcome
    assert os.listdir(os.path.dirname(make.path)) == []


def test_a_hash_that_does_not_match_leaves_nothing(make):
    with pytest.raises(WindflowError, match="HASHES") as caught:
        make("canarypkg==1.0 --hash=sha256:%s\n" % ("0" * 64))
    assert caught.value.code == "E4063"
    assert not os.path.exists(make.path)


def test_a_hash_that_matches_is_accepted_and_then_all_must_have_one(make, wheels):
    digest = hashlib.sha256((wheels / "canarypkg-1.0-py3-none-any.whl").read_bytes()).hexdigest()
    make("canarypkg==1.0 \\\n    --hash=sha256:%s\n" % digest)
    with pytest.raises(WindflowError, match="otherpkg==1.0 --hash=sha256"):
        make("canarypkg==1.0 --hash=sha256:%s\notherpkg==1.0\n" % digest)


def test_a_command_that_takes_too_long_is_ended_and_nothing_left(tmp_path):
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nsleep 60 &\necho $! > %s/child\nsleep 60\n" % tmp_path)
    slow.chmod(0o755)
    with pytest.raises(WindflowError, match="no end within 1 s"):
        virtualenv.build(str(tmp_path / "venvs" / "v"), str(slow), "", "", [], 1, "")
    assert os.listdir(tmp_path / "venvs") == []
    status = subprocess.run(
        ["ps", "-o", "stat=", "-p", (tmp_path / "child").read_text().strip()], capture_output=True, check=False
    )
    assert status.stdout.strip() in (b"", b"Z", b"Zs")


def test_an_interpreter_that_does_not_exist_is_an_error_and_leaves_nothing(tmp_path):
    with pytest.raises(WindflowError, match="E4062"):
        virtualenv.build(str(tmp_path / "v"), "/nonexistent/python", "", "", [], 10, "")
    assert os.listdir(tmp_path) == []


def test_what_is_no_virtual_environment_is_not_removed(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "precious").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("empty")
    (tmp_path / "empty").mkdir()
    for name in ("data", "file", "link"):
        with pytest.raises(WindflowError, match="E4061"):
            virtualenv.check_path(str(tmp_path / name))
    virtualenv.check_path(str(tmp_path / "empty"))
    virtualenv.check_path(str(tmp_path / "none" / "none"))


@pytest.mark.parametrize("path", ["relative", "/", "/opt", "/opt/../x/y", "/opt/x/"])
def test_a_path_that_is_not_plain_is_refused(path):
    with pytest.raises(WindflowError, match="E4060"):
        virtualenv.check_path(path)


def test_the_newest_bundled_wheel_is_taken_and_the_interpreters_own_first(tmp_path):
    bundled = tmp_path / "ensurepip" / "_bundled"
    bundled.mkdir(parents=True)
    packaged = tmp_path / "packaged"
    packaged.mkdir()
    (packaged / "pip-99.0-py3-none-any.whl").write_text("")
    assert virtualenv.pip_wheel(str(tmp_path), str(packaged)) == str(packaged / "pip-99.0-py3-none-any.whl")
    for version in ("9.0.3", "23.2.1", "23.10"):
        (bundled / ("pip-%s-py3-none-any.whl" % version)).write_text("")
    assert virtualenv.pip_wheel(str(tmp_path), str(packaged)) == str(bundled / "pip-23.10-py3-none-any.whl")
    assert virtualenv.pip_wheel(str(tmp_path / "none"), "") == ""


def test_the_command_asks_for_hashes_only_where_a_requirement_has_one():
    with_hashes = virtualenv.install_command("/v", "/w/pip.whl", "/r.txt", True, ["--pre"], "/cache")
    assert with_hashes[:3] == ["/v/bin/python", "/w/pip.whl/pip", "install"]
    assert with_hashes[-6:] == ["--cache-dir", "/cache", "--require-hashes", "--pre", "-r", "/r.txt"]
    without = virtualenv.install_command("/v", "", "/r.txt", False, [], "")
    assert without[:4] == ["/v/bin/python", "-m", "pip", "install"]
    assert "--no-cache-dir" in without and "--require-hashes" not in without


@pytest.mark.parametrize(
    ("requirements", "hashes"),
    [
        ("a==1 --hash=sha256:x", True),
        ("a==1 \\\n    --hash=sha256:x", True),
        ("a==1", False),
        ("# --hash=", False),
        ("a==1  # not --hash=x", False),
        ("", False),
    ],
)
def test_hashes_are_seen_where_they_count(requirements, hashes):
    assert virtualenv.wants_hashes(requirements) is hashes


def test_pips_environment_keeps_index_and_proxy_and_drops_what_leads_elsewhere():
    inherited = {"PIP_INDEX_URL": "u", "HTTPS_PROXY": "p", "SSL_CERT_FILE": "c", "PIP_TARGET": "/x", "PYTHONPATH": "/y"}
    kept = virtualenv.environment("/v", inherited)
    assert {key: kept[key] for key in ("PIP_INDEX_URL", "HTTPS_PROXY", "SSL_CERT_FILE")} == {
        "PIP_INDEX_URL": "u",
        "HTTPS_PROXY": "p",
        "SSL_CERT_FILE": "c",
    }
    assert not {"PIP_TARGET", "PYTHONPATH"} & set(kept)
    assert kept["PIP_USER"] == "0"


def test_a_password_in_an_index_address_is_not_shown(make):
    with pytest.raises(WindflowError) as caught:
        make("nosuchpackage==1\n", arguments=["--retries", "0", "--find-links", "http://user:canary@127.0.0.1:9/"])
    assert "canary" not in str(caught.value)
