# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "lab" / "machine.py"


@pytest.fixture
def machine():
    spec = importlib.util.spec_from_file_location("machine", SOURCE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def apt(tmp_path):
    (tmp_path / "sources.list.d").mkdir()

    def write(name: str, text: str) -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return write


ARCHIVE, SECURITY = "http://mirror.test/debian", "http://mirror.test/security"
EXPECTED = [(ARCHIVE, "trixie"), (ARCHIVE, "trixie-updates"), (SECURITY, "trixie-security")]


def test_one_line_sources_are_read_and_their_suite_replaced(machine, apt):
    directory = apt(
        "sources.list",
        f"# deb http://old.test/debian bookworm main\n"
        f"deb {ARCHIVE} bookworm main contrib\n"
        f"deb [signed-by=/usr/share/keyrings/x.gpg] {ARCHIVE} bookworm-updates main\n"
        f"deb-src {ARCHIVE} bookworm main\n"
        f"deb {SECURITY} bookworm-security main\n",
    )
    assert machine.apt_sources("trixie", "bookworm", directory) == EXPECTED


def test_deb822_sources_are_read_and_disabled_ones_left_out(machine, apt):
    directory = apt(
        "sources.list.d/debian.sources",
        f"Types: deb\n# a snapshot\nURIs: {ARCHIVE}\nSuites: bookworm bookworm-updates\nComponents: main\n\n"
        f"Types: deb\nURIs: {SECURITY}\nSuites: bookworm-security\nComponents: main\n\n"
        f"Enabled: no\nTypes: deb\nURIs: http://off.test/\nSuites: bookworm\nComponents: main\n",
    )
    assert machine.apt_sources("trixie", "bookworm", directory) == EXPECTED


def test_sources_of_others_and_backports_are_left_out(machine, apt):
    directory = apt(
        "sources.list",
        f"deb http://vendor.test/apt stable main\ndeb {ARCHIVE} bookworm-backports main\ndeb {ARCHIVE} bookworm main\n",
    )
    assert machine.apt_sources("bookworm", "bookworm", directory) == [(ARCHIVE, "bookworm")]


def test_machine_without_an_archive_is_told_so(machine, apt):
    directory = apt("sources.list", "deb http://vendor.test/apt stable main\n")
    with pytest.raises(machine.LabError, match="no archive for bookworm"):
        machine.apt_sources("trixie", "bookworm", directory)


def test_pip_settings_of_local_files_stay_on_the_machine(machine, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.test/simple")
    text = "[global]\nextra-index-url = file:///srv/simple http://more.test/simple\nfind-links = /srv/wheels\n"
    (tmp_path / "pip.conf").write_text(text, encoding="utf-8")
    settings = machine.pip_settings()
    assert settings["index-url"] == "http://index.test/simple"
    assert settings["extra-index-url"] == "http://more.test/simple"
    assert "find-links" not in settings
