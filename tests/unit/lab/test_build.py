# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import tarfile

import pytest

UNIT = {"/usr/lib/systemd/system/web.service": "[Service]\nExecStart=/usr/bin/web\n"}


@pytest.fixture
def deb(tmp_path):
    """An unpacked Debian package."""
    root = tmp_path / "debian" / "web"
    for path, content in {
        "usr/sbin/web": b"\x7fELF\0nobody\0the user nobody\0",
        "usr/lib/web/tool": b"#!/usr/bin/python3 -u\nprint()\n",
        "usr/lib/web/other": b"#!/usr/bin/python3.9\n",
        "usr/lib/web/extra/big.so": b"",
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    return root


@pytest.fixture
def stage(build, deb, tmp_path):
    def make(manager: str = "dnf4", table: dict | None = None, **entry):
        entry.setdefault("debian", ["web"])
        return build.stage(f"web-{manager}", entry, {"manager": manager, **(table or {})}, tmp_path, {"web": "1.2"})

    return make


def test_files_lie_where_the_family_has_them_and_the_rest_stays_behind(stage):
    package = stage(take={"/usr/sbin/web": "/usr/bin/web", "/usr/lib/web/*": "/usr/libexec/"}, leave=["extra"])
    found = {str(path.relative_to(package.tree)) for path in package.tree.rglob("*") if path.is_file()}
    assert found == {"usr/bin/web", "usr/libexec/tool", "usr/libexec/other"}
    assert package.version == "1.2"


def test_path_that_debian_has_no_more_ends_the_build_with_its_name(stage):
    with pytest.raises(SystemExit, match="web-dnf4: no file of web is /usr/sbin/gone"):
        stage(take={"/usr/sbin/gone": "/usr/bin/gone"})


def test_constant_is_replaced_whole_and_the_program_keeps_its_size(stage, deb):
    package = stage(
        take={"/usr/sbin/web": "/usr/sbin/web"}, patch=[{"file": "/usr/sbin/web", "text": ["nobody", "web"]}]
    )
    assert (package.tree / "usr/sbin/web").read_bytes() == b"\x7fELF\0web\0\0\0\0the user nobody\0"


def test_constant_that_does_not_fit_is_refused(stage):
    with pytest.raises(SystemExit, match="cannot put b'everybody' in place of b'nobody'"):
        stage(take={"/usr/sbin/web": "/w"}, patch=[{"file": "/w", "text": ["nobody", "everybody"]}])


def test_scripts_run_with_the_family_s_python(stage):
    package = stage(table={"python": "/usr/bin/python3.11"}, take={"/usr/lib/web/*": "/usr/bin/"})
    assert (package.tree / "usr/bin/tool").read_text() == "#!/usr/bin/python3.11 -u\nprint()\n"
    assert (package.tree / "usr/bin/other").read_text() == "#!/usr/bin/python3.9\n"


def test_removed_rpm_stops_its_service_and_pacman_lets_it_run(stage, tmp_path):
    assert "disable --now web.service" in stage(files=UNIT).scripts["before_removal"]
    assert "before_removal" not in stage("pacman", debian=[], files={**UNIT, "/more": ""}).scripts


def test_account_has_the_number_that_the_family_gives(stage):
    script = stage(users=[{"name": "pg", "uid": 26, "home": "/var/lib/pg", "shell": "/bin/bash"}]).scripts["before"]
    assert "useradd -r -u 26 -g pg -d /var/lib/pg -s /bin/bash" in script
    assert "groupadd -r -g 26 pg" in script


def test_rpm_keeps_changed_configuration_and_owns_directories_as_said(build, stage):
    package = stage(files={"/etc/web.conf": "x\n"}, directories={"/var/log/web": "web:root 0711"})
    assert build.rpm_files(package) == ['%config(noreplace) "/etc/web.conf"', "%attr(0711,web,root) %dir /var/log/web"]


def test_archive_of_pacman_has_scripts_configuration_and_numbers_of_owners(build, stage, tmp_path):
    package = stage("pacman", files={"/etc/web.conf": "x\n", **UNIT}, directories={"/var/log/web": "http:log 0750"})
    index = build.pacman_archive(package, tmp_path / "repository", {"root": 0, "http": 33, "log": 19})
    with tarfile.open(tmp_path / "repository" / index["FILENAME"][0]) as archive:
        assert "backup = etc/web.conf\n" in archive.extractfile(".PKGINFO").read().decode()
        assert "post_install() {\nsystemctl daemon-reload" in archive.extractfile(".INSTALL").read().decode()
        log = archive.getmember("var/log/web")
        assert (log.uid, log.gid, log.mode) == (33, 19, 0o750)
        assert archive.getmember("etc/web.conf").uid == 0


def test_programs_are_merged_without_links_to_themselves(build, tmp_path):
    for name in ("bin", "sbin"):
        (tmp_path / "usr" / name).mkdir(parents=True)
    (tmp_path / "usr/bin/tool").write_text("real")
    (tmp_path / "usr/sbin/tool").symlink_to("../bin/tool")
    (tmp_path / "usr/sbin/daemon").write_text("daemon")
    build.merge_programs(tmp_path / "usr")
    assert (tmp_path / "usr/sbin").readlink().name == "bin"
    assert (tmp_path / "usr/bin/tool").read_text() == "real"
    assert (tmp_path / "usr/sbin/daemon").read_text() == "daemon"


def test_debian_s_accounts_go_and_those_in_use_stay(build, tmp_path):
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/bash\nwww-data:x:33:33::/:/x\ndeploy:x:1000:1000::/:/x\n")
    (tmp_path / "group").write_text("root:x:0:\nwww-data:x:33:\ndeploy:x:1000:\n")
    (tmp_path / "shadow").write_text("root:*:1::::::\nwww-data:*:1::::::\ndeploy:secret:1::::::\n")
    (tmp_path / "gshadow").write_text("root:*::\nwww-data:!::\ndeploy:!::\n")
    own = {"passwd": ["http:x:33:33::/srv/http:/usr/bin/nologin"], "group": ["http:x:33:"]}
    build.accounts({"accounts": own}, tmp_path)
    assert [line.split(":")[0] for line in (tmp_path / "passwd").read_text().splitlines()] == ["root", "http", "deploy"]
    assert (tmp_path / "shadow").read_text().splitlines()[1:] == ["http:*:19000:0:99999:7:::", "deploy:secret:1::::::"]
    assert (tmp_path / "gshadow").read_text().splitlines()[1] == "http:!::"
