# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import errno
import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.system import virtualenv

pytestmark = pytest.mark.system

PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


# An account without rights, as root builds environments with; nothing else where the tests are not root's.
BUILDER = "nobody"
# A project whose build is code of its own and needs no other package.
PROJECT = """\
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "evilpkg"
version = "1.0"
"""
BACKEND = """\
import os, zipfile
def build_wheel(directory, settings=None, metadata=None):
    here = os.getcwd()
    {attack}
    name = "evilpkg-1.0-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(directory, name), "w") as wheel:
        wheel.writestr("evilpkg.py", "VALUE = 1\\n")
        about = "evilpkg-1.0.dist-info/"
        wheel.writestr(about + "METADATA", "Metadata-Version: 2.1\\nName: evilpkg\\nVersion: 1.0\\n")
        wheel.writestr(about + "WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr(about + "RECORD", "")
    return name
"""


@pytest.fixture
def area():
    """A directory that every account can reach; pytest's own cannot be."""
    path = Path(tempfile.mkdtemp(prefix="windflow-test-", dir="/tmp"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def wheels():
    """An index of two packages, so that the tests reach no other."""
    where = Path(tempfile.mkdtemp(prefix="windflow-test-", dir="/tmp"))
    where.chmod(0o755)
    for name in ("canarypkg", "otherpkg"):
        information = "%s-1.0.dist-info/" % name
        with zipfile.ZipFile(where / (name + "-1.0-py3-none-any.whl"), "w") as wheel:
            wheel.writestr(name + ".py", "VALUE = 42\n")
            wheel.writestr(information + "METADATA", "Metadata-Version: 2.1\nName: %s\nVersion: 1.0\n" % name)
            wheel.writestr(information + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            wheel.writestr(information + "entry_points.txt", "[console_scripts]\nrun%s = %s:VALUE\n" % (name, name))
            wheel.writestr(information + "RECORD", "")
    yield where
    shutil.rmtree(where)


def recipe(text="", **options):
    return virtualenv.Recipe(PYTHON, text, **{"user": BUILDER, "timeout": 120, **options})


@pytest.fixture
def make(area, wheels):
    path = str(area / "venvs" / "name")

    def build(requirements="", arguments=(), **options):
        extra = ["--no-index", "--find-links", str(wheels), *arguments]
        made = recipe(requirements, extra_args=extra, **options)
        virtualenv.check_path(path)
        virtualenv.build(path, made)
        return made.marker()

    build.path = path
    return build


@pytest.fixture
def attack(area, make):
    """Installs a project whose build runs some code first; the result is what it wrote to ``said``."""
    said = area / "said"
    said.mkdir()
    said.chmod(0o777)

    def install(code, project="project", **options):
        folder = area / "requirements" / project
        folder.mkdir(parents=True)
        (folder / "pyproject.toml").write_text(PROJECT)
        lines = code.format(said=said, venv=make.path).splitlines()
        (folder / "backend.py").write_text(BACKEND.replace("{attack}", "\n    ".join(lines)))
        (folder.parent / "requirements.txt").write_text("./%s\n" % project)
        make(file=str(folder.parent / "requirements.txt"), root=str(folder.parent), **options)
        return said

    return install


def test_a_complete_environment_has_its_packages_compiled_and_no_pip(make):
    marker = make("canarypkg==1.0\n")
    assert virtualenv.is_complete(make.path, marker)
    assert virtualenv.installed(make.path) == ["canarypkg-1.0"]
    out = subprocess.check_output([make.path + "/bin/python", "-c", "import canarypkg; print(canarypkg.__cached__)"])
    assert os.path.exists(out.decode().strip())
    assert os.access(make.path + "/bin/runcanarypkg", os.X_OK)
    assert [name for name in os.listdir(make.path) if name.startswith(".")] == [".windflow-complete"]
    assert os.listdir(os.path.dirname(make.path)) == ["name"]


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
        recipe("canarypkg").marker(),
        virtualenv.Recipe("/usr/bin/python9").marker(),
        recipe(extra_args=["--pre"]).marker(),
        recipe(only_binary=True).marker(),
        recipe(only_binary=True, source_packages=["canarypkg"]).marker(),
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


@pytest.mark.parametrize(
    ("said", "compiling"),
    [
        ("error: command '/usr/bin/x86_64-linux-gnu-gcc' failed: No such file or directory", True),
        ("x.c:3:10: fatal error: Python.h: No such file or directory", True),
        ("Error: pg_config executable not found.", True),
        ("error: can't find Rust compiler", True),
        ("ERROR: Could not find a version that satisfies the requirement accord", False),
        ("THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", False),
    ],
)
def test_a_compiler_or_its_headers_that_are_missing_have_a_remedy_of_their_own(area, said, compiling):
    with pytest.raises(WindflowError) as caught:
        virtualenv._run(
            ["sh", "-c", 'echo "$1"; exit 1', "sh", said], {"TMPDIR": str(area)}, str(area), recipe(), None, "E4063"
        )
    assert caught.value.code == "E4063" and said in str(caught.value)
    assert ("host.packages" in caught.value.problems[0].remedy) == compiling


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


def test_a_command_that_takes_too_long_is_ended_and_nothing_left(area):
    slow = area / "python"
    slow.write_text("#!/bin/sh\nsleep 60 &\necho $! > $TMPDIR/../../../said/child\nsleep 60\n")
    slow.chmod(0o755)
    (area / "said").mkdir()
    (area / "said").chmod(0o777)
    with pytest.raises(WindflowError, match="no end within 1 s"):
        virtualenv.build(str(area / "venvs" / "v"), virtualenv.Recipe(str(slow), user=BUILDER, timeout=1))
    assert os.listdir(area / "venvs") == []
    assert not is_running(area / "said/child")


def test_a_command_that_fails_on_a_full_disk_names_the_space(area, monkeypatch):
    monkeypatch.setattr(virtualenv.shutil, "disk_usage", lambda path: SimpleNamespace(free=3 << 20))
    failing = area / "python"
    failing.write_text("#!/bin/sh\nexit 120\n")
    failing.chmod(0o755)
    with pytest.raises(WindflowError, match=r"exit code 120, with 3 MB free on its file system.*free some space"):
        virtualenv.build(str(area / "venvs" / "v"), virtualenv.Recipe(str(failing), user=BUILDER))


def test_a_command_that_was_killed_may_have_lacked_memory(area):
    killed = area / "python"
    killed.write_text("#!/bin/sh\nkill -9 $$\n")
    killed.chmod(0o755)
    with pytest.raises(WindflowError, match=r"(?s)ended by signal 9.*free some memory"):
        virtualenv.build(str(area / "venvs" / "v"), virtualenv.Recipe(str(killed), user=BUILDER))
    assert os.listdir(area / "venvs") == []


def test_an_interpreter_that_does_not_exist_is_an_error_and_leaves_nothing(area):
    with pytest.raises(WindflowError, match="E4062"):
        virtualenv.build(str(area / "v"), virtualenv.Recipe("/nonexistent/python", user=BUILDER))
    assert os.listdir(area) == []


def test_a_read_only_file_system_is_not_taken_for_a_full_one(area, monkeypatch):
    def refuse(path, *_rest):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    monkeypatch.setattr(virtualenv, "_make", refuse)
    with pytest.raises(WindflowError, match=r"E4062: .*Read-only file system\. Fix: mount the file system writable"):
        virtualenv.build(str(area / "v"), virtualenv.Recipe("/nonexistent/python", user=BUILDER))


def options(path, **given):
    """The options of the module with their defaults."""
    defaults = {name: option.get("default") for name, option in virtualenv.ARGUMENTS.items()}
    return {**defaults, "path": path, "python": PYTHON, "user": BUILDER, "check": False, **given}


def test_an_environment_is_waited_for_by_the_task_that_comes_next(area, wheels):
    arguments = ["--no-index", "--find-links", str(wheels)]
    given = options(str(area / "venvs" / "v"), requirements_content="canarypkg==1.0\n", extra_args=arguments)
    begun = virtualenv.run({**given, "wait": False})
    assert (begun["changed"], begun["packages"]) == (True, [])
    made = virtualenv.run(given)
    assert (made["changed"], made["packages"]) == (False, ["canarypkg-1.0"])
    assert virtualenv.run({**given, "wait": False}) == made
    assert os.listdir(area / "venvs") == ["v"]


def test_the_task_that_waits_fails_with_what_pip_said(area, wheels):
    arguments = ["--no-index", "--find-links", str(wheels)]
    given = options(str(area / "venvs" / "v"), requirements_content="missingpkg==1.0\n", extra_args=arguments)
    assert virtualenv.run({**given, "wait": False})["changed"]
    with pytest.raises(WindflowError, match="No matching distribution found for missingpkg==1.0") as caught:
        virtualenv.run(given)
    assert caught.value.code == "E4063"
    assert os.listdir(area / "venvs") == []


def test_nothing_is_begun_in_check_mode_or_over_what_is_no_environment(area):
    given = options(str(area / "v"), requirements_content="", check=True, wait=False)
    assert virtualenv.run(given)["changed"]
    assert os.listdir(area) == []
    (area / "v").mkdir()
    (area / "v" / "precious").touch()
    for check in (True, False):
        with pytest.raises(WindflowError, match="E4061"):
            virtualenv.run({**given, "check": check})
    assert os.listdir(area) == ["v"]


def is_running(file):
    """Whether the process whose number is in a file is more than an entry waiting to be reaped."""
    done = subprocess.run(["ps", "-o", "stat=", "-p", file.read_text().strip()], capture_output=True, check=False)
    return done.stdout.strip()[:1] not in (b"", b"Z")


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
    with_hashes = virtualenv.install_command(
        "/v", "/w/pip.whl", "/r.txt", True, recipe(extra_args=["--pre"], cache_dir="/cache")
    )
    assert with_hashes[:3] == ["/v/bin/python", "/w/pip.whl/pip", "install"]
    assert with_hashes[-6:] == ["--cache-dir", "/cache", "--require-hashes", "--pre", "-r", "/r.txt"]
    without = virtualenv.install_command("/v", "", "/r.txt", False, recipe())
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


@pytest.mark.parametrize("name", ["HOME", "PIP_CONFIG_FILE", "PIP_NO_BINARY", "PIP_EDITABLE", "AWS_SECRET", "PIP_LOG"])
def test_pip_runs_with_a_home_of_its_own_and_sees_nothing_else(name):
    kept = virtualenv.environment("/v", {name: "/x"})
    assert (kept.get(name) == "/x") is (name == "PIP_CONFIG_FILE")
    assert kept["HOME"] == kept["TMPDIR"] == "/v/.windflow-tmp"


@pytest.mark.fault(70)
def test_code_that_runs_while_a_package_is_installed_has_no_rights(attack, make):
    said = attack(
        "open('{said}/who', 'w').write('%d %s' % (os.geteuid(), os.getgroups()))\n"
        "for place in ('/root/windflow-proof', '/etc/windflow-proof', '{venv}/../windflow-proof'):\n"
        "    try:\n"
        "        open(place, 'w')\n"
        "        open('{said}/proof', 'w')\n"
        "    except OSError:\n"
        "        pass"
    )
    account = pwd.getpwnam(BUILDER)
    assert (said / "who").read_text() == "%d [%d]" % (account.pw_uid, account.pw_gid)
    assert not (said / "proof").exists()
    assert virtualenv.installed(make.path) == ["evilpkg-1.0"]


@pytest.mark.fault(70)
def test_what_was_built_cannot_be_changed_by_what_built_it(attack, make):
    """Neither a process that left its session, nor an open file, nor a second name leads into the environment."""
    said = attack(
        "import glob\n"
        "place = glob.glob('{venv}/lib/python3*/site-packages')[0]\n"
        "stream = open(place + '/opened.py', 'w')\n"
        "stream.write('VALUE = 1')\n"
        "stream.flush()\n"
        "os.chmod(place + '/opened.py', 0o6777)\n"
        "os.link(place + '/opened.py', '{said}/second-name.py')\n"
        "open('{venv}/.windflow-complete', 'w').write('forged')\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork() == 0:\n"
        "        open('{said}/left', 'w').write(str(os.getpid()))\n"
        # pip would wait for whoever has its pipes open, and the process would be gone by itself.
        "        os.closerange(0, 256)\n"
        "        import time\n"
        "        time.sleep(20)\n"
        "        open('{said}/late', 'w').close()\n"
        "    os._exit(0)"
    )
    deadline = time.monotonic() + 5
    while not (said / "left").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not is_running(said / "left") and not (said / "late").exists()
    (opened,) = Path(make.path).glob("lib/python3*/site-packages/opened.py")
    (said / "second-name.py").write_text("VALUE = 2")
    assert opened.read_text() == "VALUE = 1"
    for directory, _directories, files in os.walk(make.path):
        for name in [".", *files]:
            info = os.lstat(os.path.join(directory, name))
            assert info.st_uid == os.geteuid(), name
            assert stat.S_ISLNK(info.st_mode) or stat.S_IMODE(info.st_mode) in (0o755, 0o644), name


@pytest.mark.fault(70)
@pytest.mark.parametrize(
    "code",
    [
        "os.symlink('{said}', '{venv}/share')",
        "os.symlink('/tmp/windflow-not-there-yet', '{venv}/share')",
        "os.symlink('lib/../../../said', '{venv}/share')",
        "os.mkfifo('{venv}/share')",
        "os.makedirs('{venv}/' + '/'.join('d' * 70))",
    ],
)
def test_an_environment_that_leads_out_is_refused_and_removed(attack, make, code):
    with pytest.raises(WindflowError, match="E4062"):
        attack(code)
    assert os.listdir(os.path.dirname(make.path)) == []


def test_an_environment_that_an_account_calls_complete_is_not(make):
    marker = make("")
    os.chown(os.path.join(make.path, virtualenv.MARKER), 65534, 65534)
    assert not virtualenv.is_complete(make.path, marker)


def test_a_project_of_the_plugins_own_is_built_in_production_too(attack, make):
    attack("pass", only_binary=True)
    assert virtualenv.installed(make.path) == ["evilpkg-1.0"]


def test_an_application_is_installed_as_it_lies_in_the_release_with_its_links(area, make):
    source = area / "app"
    (source / "files").mkdir(parents=True)
    (source / "files" / "x.txt").write_text("x")
    (source / "linked").symlink_to("files")
    (source / "pyproject.toml").write_text(PROJECT)
    (source / "backend.py").write_text(BACKEND.replace("{attack}", "open('linked/x.txt').close()"))
    root = area / "requirements"
    (root / "build" / "app").mkdir(parents=True)
    file = root / "build" / "app" / "requirements.txt"
    file.write_text("./.\n")
    options = {"file": str(file), "root": str(root), "application": str(source), "application_at": "build/app"}
    first = make(**options)
    assert virtualenv.installed(make.path) == ["evilpkg-1.0"]
    (source / "linked").unlink()
    (source / "linked").symlink_to("pyproject.toml")
    assert recipe(extra_args=[], **options).digest() not in first


@pytest.fixture
def archive(area, wheels):
    """A directory of packages with one that there is only as source."""
    where = area / "index"
    shutil.copytree(wheels, where)
    project = area / "evilpkg-1.0"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT)
    (project / "backend.py").write_text(BACKEND.replace("{attack}", "pass"))
    (project / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: evilpkg\nVersion: 1.0\n")
    subprocess.run(["tar", "-czf", where / "evilpkg-1.0.tar.gz", "-C", area, project.name], check=True)
    return ["--find-links", str(where)]


@pytest.mark.fault(71)
def test_a_package_that_has_no_wheel_is_named_with_what_to_write(make, archive):
    with pytest.raises(WindflowError) as caught:
        make("canarypkg\nevilpkg==1.0\n", archive, only_binary=True)
    assert caught.value.code == "E4064"
    assert "no wheel of evilpkg" in str(caught.value) and "app.source_packages: [evilpkg]" in str(caught.value)
    assert os.listdir(os.path.dirname(make.path)) == []


def test_a_package_that_is_named_is_built_from_source(make, archive):
    make("canarypkg\nevilpkg==1.0\n", archive, only_binary=True, source_packages=["evilpkg"])
    assert virtualenv.installed(make.path) == ["canarypkg-1.0", "evilpkg-1.0"]
