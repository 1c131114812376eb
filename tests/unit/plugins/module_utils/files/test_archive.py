# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import io
import os
import tarfile

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import archive, tar_reader, tree


@pytest.fixture
def app(tmp_path):
    root = tmp_path / "app"
    (root / "pkg").mkdir(parents=True)
    (root / "app.py").write_text("print(1)\n")
    (root / "pkg" / ("long" * 40 + ".txt")).write_text("long name\n")
    (root / "pkg" / "größe.txt").write_text("")
    (root / "run.sh").write_text("#!/bin/sh\n")
    (root / "run.sh").chmod(0o700)
    (root / "pkg" / "link").symlink_to("../app.py")
    (root / "far").symlink_to("pkg/" + "long" * 40 + ".txt")
    return root


@pytest.fixture
def packed(app):
    return archive.pack(str(app), tree.source_digest(str(app))[1])


def made(*members, mode="w:gz"):
    """An archive as anybody's tar writes it. A member is a TarInfo, or (TarInfo, content)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, format=tarfile.PAX_FORMAT) as file:
        for member in members:
            info, content = member if isinstance(member, tuple) else (member, b"")
            info.size = len(content)
            file.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def member(name, kind=tarfile.REGTYPE, mode=0o644, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.mode, info.linkname = kind, mode, target
    return info


def refused(data, where, **options):
    """The message with which an archive is refused; nothing may be left of it."""
    with pytest.raises(WindflowError) as caught:
        archive.unpack(data, str(where / "out"), **options)
    assert os.listdir(where) == []
    return str(caught.value)


@pytest.fixture
def where(tmp_path):
    (tmp_path / "where").mkdir()
    return tmp_path / "where"


def test_what_was_packed_is_unpacked(app, packed, where):
    manifest = archive.unpack(packed, str(where / "out"))
    assert tree.source_digest(str(where / "out")) == tree.source_digest(str(app))
    assert tree.drift(str(where / "out"), manifest) == []
    assert manifest == tree.manifest(str(where / "out"))
    assert os.listdir(where) == ["out"]


def test_packing_the_same_twice_gives_the_same_bytes(app, packed):
    os.utime(app / "app.py", (1, 1))
    assert archive.pack(str(app), tree.source_digest(str(app))[1]) == packed


def test_an_ordinary_tar_reads_what_was_packed(packed):
    with tarfile.open(fileobj=io.BytesIO(packed)) as file:
        names = {info.name: info for info in file.getmembers()}
    assert names["pkg/" + "long" * 40 + ".txt"].size == 10
    assert names["pkg/link"].linkname == "../app.py"
    assert {(info.uid, info.gid, info.mtime) for info in names.values()} == {(0, 0, 0)}


def test_extra_files_and_a_prefix(app, where):
    data = archive.pack(str(app), tree.source_digest(str(app))[1], {"config.yaml": (b"a: 1\n", 0o640)}, prefix="app/")
    manifest = archive.unpack(data, str(where / "out"), private=("config.yaml",))
    assert (where / "out" / "config.yaml").read_bytes() == b"a: 1\n"
    assert manifest["config.yaml"][tree.MODE] == 0o600
    assert manifest["app/run.sh"][tree.MODE] == 0o755


def test_a_file_that_changed_after_it_was_listed_is_refused(app):
    listing = tree.source_digest(str(app))[1]
    (app / "app.py").write_text("print(2)\n")
    with pytest.raises(WindflowError, match=r"E1085 .* app\.py"):
        archive.pack(str(app), listing)


@pytest.mark.fault(2, 16)
@pytest.mark.fault(60)
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_modes_and_owner_do_not_depend_on_the_umask_or_the_archive(where, umask):
    data = made(
        member("d", tarfile.DIRTYPE, 0o777),
        (member("d/w", mode=0o666), b"x"),
        (member("d/x", mode=0o777), b"x"),
        (member("d/p", mode=0o600), b"x"),
        (member("new/sub/f"), b""),
    )
    before = os.umask(umask)
    try:
        manifest = archive.unpack(data, str(where / "out"), private=("d/p",))
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert {name: oct(entry[tree.MODE]) for name, entry in manifest.items()} == {
        ".": "0o755",
        "d": "0o755",
        "d/w": "0o644",
        "d/x": "0o755",
        "d/p": "0o600",
        "new": "0o755",
        "new/sub": "0o755",
        "new/sub/f": "0o644",
    }
    assert {(entry[tree.UID], entry[tree.GID]) for entry in manifest.values()} == {(os.geteuid(), os.getegid())}


def test_a_setgid_parent_does_not_hand_its_group_on(where):
    if os.geteuid() != 0:
        pytest.skip("needs root to set the group")
    os.chown(where, 0, 1)
    where.chmod(0o2755)
    manifest = archive.unpack(made((member("d/f"), b"x")), str(where / "out"))
    assert {(entry[tree.MODE] & 0o7000, entry[tree.GID]) for entry in manifest.values()} == {(0, 0)}


EVIL = {
    "dotdot": (member("../evil"), "a name with .."),
    "dotdot inside": (member("a/../../evil"), "a name with .."),
    "absolute": (member("/tmp/evil"), "an absolute name"),
    "hard link": (member("evil", tarfile.LNKTYPE, target="good"), "a hard link"),
    "hard link out": (member("evil", tarfile.LNKTYPE, target="/etc/shadow"), "a hard link"),
    "absolute link": (member("evil", tarfile.SYMTYPE, target="/etc"), "an absolute link to /etc"),
    "link out": (member("evil", tarfile.SYMTYPE, target="../x"), "a link that leads out"),
    "link out below": (member("a/evil", tarfile.SYMTYPE, target="../../x"), "a link that leads out"),
    "link through a link": (member("evil", tarfile.SYMTYPE, target="a/.."), "a link with .. behind a name"),
    "empty link": (member("evil", tarfile.SYMTYPE), "an absolute link"),
    "fifo": (member("evil", tarfile.FIFOTYPE), "a FIFO"),
    "character device": (member("evil", tarfile.CHRTYPE), "a character device"),
    "block device": (member("evil", tarfile.BLKTYPE), "a block device"),
    "socket or other type": (member("evil", b"s"), "a member of unknown type"),
    "sparse": (member("evil", tarfile.GNUTYPE_SPARSE), "a sparse file"),
    "setuid": (member("evil", mode=0o4755), "a setuid, setgid or sticky bit (mode 4755)"),
    "setgid": (member("evil", mode=0o2755), "a setuid, setgid or sticky bit (mode 2755)"),
    "sticky": (member("evil", tarfile.DIRTYPE, mode=0o1777), "a setuid, setgid or sticky bit (mode 1777)"),
    "twice": (member("good"), "the same name twice"),
    "twice in other words": (member("./good"), "the same name twice"),
    "newline": (member("ev\nil"), "a control character"),
    "escape": (member("ev\x1b[2Jil"), "a control character"),
    "too long": (member("a" * 256), "a name that is too long"),
    "file below a file": (member("good/evil"), "a file or link that other members lie below"),
    "root as a file": (member("."), "the archive's root"),
}


@pytest.mark.fault(1)
@pytest.mark.parametrize("name", EVIL)
def test_an_evil_member_refuses_the_whole_archive_before_any_write(where, name):
    evil, fault = EVIL[name]
    message = refused(made((member("good"), b"x"), evil), where)
    assert fault in message
    assert "E4020 " in message
    shown = ascii(evil.name)[1:-1][:80]
    assert shown in message or "good" in message


def test_nothing_is_written_through_a_link_of_the_same_archive(where):
    data = made(member("d", tarfile.SYMTYPE, target="."), (member("d/evil"), b"x"))
    assert "a file or link that other members lie below" in refused(data, where)


def test_a_name_in_bytes_that_are_not_utf8_is_refused(where):
    data = member("ev\udce9il").tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape") + bytes(1024)
    assert "bytes that are not UTF-8" in refused(data, where)


@pytest.mark.fault(1)
def test_two_harmless_links_cannot_lead_out_together(where):
    data = made(
        member("a", tarfile.DIRTYPE),
        member("a/up", tarfile.SYMTYPE, target=".."),
        member("b", tarfile.SYMTYPE, target="a/up/../x"),
    )
    assert "a link with .. behind a name" in refused(data, where)


def test_inner_links_and_dot_names_of_an_ordinary_tar_are_accepted(where):
    data = made(
        member("./", tarfile.DIRTYPE, 0o755),
        member("./a", tarfile.DIRTYPE),
        (member("./a/f"), b"x"),
        member("./a/up", tarfile.SYMTYPE, target="../a/f"),
    )
    archive.unpack(data, str(where / "out"))
    assert (where / "out" / "a" / "up").read_bytes() == b"x"


@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_of_every_tar_format_are_read(where, format_):
    name = "/".join(["directory" * 5] * 3) + "/file"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=format_) as file:
        file.addfile(member(name), io.BytesIO())
    assert name in archive.unpack(buffer.getvalue(), str(where / "out"))


@pytest.mark.fault(1)
def test_an_extension_header_that_hides_an_evil_name_is_refused(where):
    info = member("good")
    info.pax_headers = {"path": "../evil"}
    assert "a name with .." in refused(made(info), where)


@pytest.mark.parametrize("key", ["GNU.sparse.size", "SCHILY.xattr.security.capability"])
def test_an_extension_that_is_not_known_is_refused(where, key):
    info = member("good")
    info.pax_headers = {key: "1"}
    assert "an extension header that sets " + key in refused(made(info), where)


@pytest.mark.fault(3)
def test_a_bomb_of_bytes_is_refused_by_what_it_declares(where):
    data = made((member("bomb"), bytes(50 << 20)))
    assert len(data) < 100_000
    assert "bomb: " in refused(data, where, limits={"bytes": 10 << 20})
    assert "more than 10485760 bytes" in refused(data, where, limits={"bytes": 10 << 20})


def test_a_bomb_of_many_files_is_refused_by_their_sum(where):
    data = made(*[(member("f%d" % number), bytes(1 << 20)) for number in range(20)])
    assert "f10: expected" in refused(data, where, limits={"bytes": 10 << 20})


@pytest.mark.fault(3)
def test_a_bomb_of_entries_is_refused(where):
    data = made(*[member("f%d" % number) for number in range(20)])
    assert "f10: expected" in refused(data, where, limits={"entries": 10})


@pytest.mark.fault(3)
def test_a_bomb_behind_a_small_gzip_does_not_fill_the_memory(where):
    import resource

    # A header that declares 1 TB, and a stream of zeros that would really give 300 MB.
    header = tarfile.TarInfo("bomb")
    header.size = 1 << 40
    bomb = gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(300 << 20), 1)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    message = refused(bomb, where)
    assert "bomb: expected" in message
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10


@pytest.mark.parametrize("part", [0.01, 0.2, 0.5, 0.9, 0.98])
def test_a_truncated_archive_is_refused(packed, where, part):
    assert "cut off or damaged" in refused(packed[: int(len(packed) * part)], where)


def test_members_behind_the_end_are_refused(where):
    data = made((member("f"), b"x"), mode="w") + made(member("hidden"), mode="w")
    assert "data behind its end" in refused(data, where)


def test_an_endless_padding_is_refused(where):
    data = gzip.compress(made((member("f"), b"x"), mode="w") + bytes(100 << 20))
    assert "data behind its end" in refused(data, where)


def test_an_archive_without_an_end_is_refused(where):
    data = made((member("f"), b"x" * 600), mode="w")
    assert "cut off or damaged" in refused(data[:1024], where)


@pytest.mark.parametrize("data", [b"", b"not an archive", b"\x1f\x8b nonsense", os.urandom(4096)])
def test_what_is_no_archive_is_refused(where, data):
    assert "E4020" in refused(data, where)


def test_a_damaged_header_is_refused(where):
    data = bytearray(made((member("f"), b"x"), mode="w"))
    data[0] ^= 1
    assert "wrong checksum" in refused(bytes(data), where)


def test_no_single_flipped_byte_escapes_or_crashes(where):
    data = bytearray(made((member("dir/f"), b"x" * 100), member("dir/l", tarfile.SYMTYPE, target="f"), mode="w"))
    for position in range(0, 2048, 3):
        changed = bytearray(data)
        changed[position] ^= 0xFF
        try:
            archive.unpack(bytes(changed), str(where / "out"))
        except WindflowError:
            assert os.listdir(where) == []
            continue
        for name in os.listdir(where / "out"):
            assert name == "dir"
        (where / "out").rename(where.parent / ("done%d" % position))


def test_a_file_instead_of_bytes(packed, where, tmp_path):
    (tmp_path / "a.tgz").write_bytes(packed)
    with open(tmp_path / "a.tgz", "rb") as source:
        assert "app.py" in archive.unpack(source, str(where / "out"))


def test_a_large_archive_is_streamed(packed, where, app, monkeypatch):
    monkeypatch.setattr(tar_reader, "IN_MEMORY", 10)
    archive.unpack(packed, str(where / "out"))
    assert tree.source_digest(str(where / "out")) == tree.source_digest(str(app))


def test_an_existing_destination_is_left_alone(packed, where):
    (where / "out").mkdir()
    with pytest.raises(WindflowError, match="E4021"):
        archive.unpack(packed, str(where / "out"))
    assert os.listdir(where / "out") == []


@pytest.mark.fault(24)
def test_a_write_that_fails_leaves_nothing(packed, where, monkeypatch):
    def full(descriptor, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(archive, "_write_all", full)
    message = refused(packed, where)
    assert "No space left on device" in message and "E4022" in message
