# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the physical-host plugin's application does."""

from __future__ import annotations

import os

import pytest

pytestmark = pytest.mark.system

PLUGIN = "physical-host"


def form(**parts: tuple[str, bytes]) -> tuple[bytes, str]:
    """A multipart body of (file name, content), and its content type."""
    lines = b""
    for name, (filename, content) in parts.items():
        head = 'Content-Disposition: form-data; name="%s"%s' % (name, '; filename="%s"' % filename if filename else "")
        lines += b"--edge\r\n" + head.encode() + b"\r\n\r\n" + content + b"\r\n"
    return lines + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def test_a_note_is_kept_in_the_data_directory(config, start):
    app = start(PLUGIN, config(PLUGIN))
    added = app.post("/items", {"name": "with", "note": "täxt\n"}).json
    assert added["has_note"] is True
    stored = app.directory / "data/notes" / ("%d.txt" % added["id"])
    assert stored.read_text() == "täxt\n"
    assert stored.parent.stat().st_mode & 0o007 == 0
    app.stop()
    app.start()
    assert app.get("/items/%d/note" % added["id"]).text == "täxt\n"
    assert '<a href="/items/%d/note">' % added["id"] in app.get("/").text
    assert app.get("/items/99/note").status == 404


@pytest.mark.parametrize("plugin", [PLUGIN])
def test_an_uploaded_page_is_served_as_plain_text(plugin, app):
    body, kind = form(name=("", b"upload"), note=("../../evil.html", b"<script>alert(1)</script>"))
    added = app.post("/items", body, Content_Type=kind).json
    note = app.get("/items/%d/note" % added["id"])
    assert note.headers["Content-Type"].startswith("text/plain")
    assert "default-src 'none'" in note.headers["Content-Security-Policy"]
    assert os.listdir(app.directory / "data/notes") == ["%d.txt" % added["id"]]


@pytest.mark.parametrize("plugin", [PLUGIN])
def test_a_note_of_the_wrong_type_or_size_adds_nothing(plugin, app):
    assert app.post("/items", {"name": "x", "note": 5}).status == 400
    assert app.post("/items", {"name": "x", "note": "n" * 300_000}).status == 413
    assert app.get("/items").json == []


def test_a_note_that_cannot_be_written_leaves_no_item(config, start):
    app = start(PLUGIN, config(PLUGIN))
    notes = app.directory / "data/notes"
    notes.rmdir()
    notes.write_text("in the way")
    assert app.post("/items", {"name": "x", "note": "text"}).status == 507
    assert app.get("/items").json == []
    sick = app.get("/healthz")
    assert sick.status == 503 and sick.json["reason"] == "The directory for notes cannot be made: File exists."
    assert app.post("/items", {"name": "without"}).status == 201


def test_only_allowed_host_names_are_served(config, start):
    app = start(
        PLUGIN, config(PLUGIN, app={"allowed_hosts": ["Example.com", ".example.org", "*.example.info", "a.io"]})
    )
    served = ("example.com", "EXAMPLE.com:8080", "example.org", "www.example.org:80", "a.b.example.info")
    assert {host: app.get("/", Host=host).status for host in served} == dict.fromkeys(served, 200)
    refused = (
        "example.net",
        "notexample.org",
        "example.info",
        "com",
        "xa.io",
        "www.example.com",
        "localhost",
        "127.0.0.1",
    )
    assert {host: app.get("/", Host=host).status for host in refused} == dict.fromkeys(refused, 421)
    assert app.get("/healthz", Host="127.0.0.1").status == 200


def test_connections_stay_within_the_bound(config, start, postgres):
    settings = config(PLUGIN, database={"max_connections": 3}, server={"workers": 2})
    app = start(PLUGIN, settings, workers=2)
    for _unused in range(20):
        assert app.get("/items").status == 200
    user = settings["database"]["user"]
    assert 1 <= int(postgres.sql("select count(*) from pg_stat_activity where usename = '%s'" % user)) <= 2
