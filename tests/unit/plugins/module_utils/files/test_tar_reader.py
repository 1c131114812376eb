# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import gzip
import io
import tarfile

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import tar_reader

LONG = "d/" * 60 + "é" * 60


def packed(*members, form=tarfile.PAX_FORMAT):
    """A tar of (name, type, content or target) as Python writes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, kind, content in members:
            member = tarfile.TarInfo(name)
            member.type, member.mode = kind, 0o755 if kind == tarfile.DIRTYPE else 0o644
            if kind == tarfile.SYMTYPE:
                member.linkname = content
            else:
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
    return buffer.getvalue()


def read(data):
    """[(name, kind, mode, content or target)] as a consumer reads them."""
    stream, found = tar_reader.open_stream(data), []
    for name, kind, mode, size, target, offset in tar_reader.read_members(stream):
        content = target
        if kind == "f":
            assert stream.tell() == offset
            content = tar_reader.exactly(stream, size, name)
            tar_reader.skip(stream, -size % tar_reader.BLOCK)
        found.append((name, kind, mode, content))
    return found


MEMBERS = [("dir", tarfile.DIRTYPE, b""), ("dir/f", tarfile.REGTYPE, b"x" * 700), ("l", tarfile.SYMTYPE, "dir/f")]
FOUND = [("dir/", "d", 0o755, ""), ("dir/f", "f", 0o644, b"x" * 700), ("l", "l", 0o644, "dir/f")]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("press", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_files_directories_and_links_are_read_in_each_form(form, press):
    assert read(press(packed(*MEMBERS, form=form))) == FOUND


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_a_name_that_is_too_long_for_a_header_comes_whole(form):
    assert [name for name, *_rest in read(packed((LONG, tarfile.REGTYPE, b"1"), form=form))] == [LONG]


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (tarfile.LNKTYPE, "a hard link"),
        (tarfile.CHRTYPE, "a character device"),
        (tarfile.FIFOTYPE, "a FIFO"),
        (b"Z", "unknown type"),
    ],
)
def test_what_is_not_known_to_be_harmless_is_refused(kind, fault):
    with pytest.raises(WindflowError) as caught:
        read(packed(("x", kind, b"")))
    assert caught.value.code == "E4020" and fault in str(caught.value)


@pytest.mark.parametrize("end", [10, 512, 600, 1100])
@pytest.mark.parametrize("press", [bytes, gzip.compress], ids=["plain", "gzip"])
def test_an_archive_that_is_cut_off_is_refused(press, end):
    data = packed(*MEMBERS)[:end] if press is bytes else press(packed(*MEMBERS))[:-9]
    with pytest.raises(WindflowError, match="cut off or damaged"):
        read(press(data) if press is bytes else data)


def test_a_changed_header_is_noticed():
    data = bytearray(packed(*MEMBERS))
    data[0] ^= 1
    with pytest.raises(WindflowError, match="wrong checksum"):
        read(bytes(data))


def test_nothing_is_behind_the_end():
    with pytest.raises(WindflowError, match="data behind its end"):
        read(packed(*MEMBERS) + b"x")


def test_an_extension_that_would_change_what_a_member_means_is_refused():
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo("x")
        member.pax_headers = {"GNU.sparse.size": "5"}
        archive.addfile(member)
    with pytest.raises(WindflowError, match="sets GNU.sparse.size"):
        read(buffer.getvalue())


@pytest.mark.parametrize("record", [b"8 path=x\n", b"99 path=x\n", b"x path=y\n", b"10 path=xy", b"7 pathx\n"])
def test_a_record_whose_length_is_not_its_own_is_refused(record):
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, len(record)
    data = header.tobuf(tarfile.USTAR_FORMAT) + record.ljust(512, b"\0") + packed(("x", tarfile.REGTYPE, b""))
    with pytest.raises(WindflowError, match="malformed extension header"):
        read(data)
