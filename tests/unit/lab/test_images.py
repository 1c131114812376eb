# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import shutil
from pathlib import Path

import pytest


@pytest.fixture
def recipes(images, monkeypatch, tmp_path) -> Path:
    """Every image is there, and its recipe is in a directory of the test's own."""
    monkeypatch.setattr(images.engine, "has_image", lambda tag: True)
    monkeypatch.setattr(images.machine, "inherited", lambda suite: {"/etc/apt/sources.list": f"deb x {suite} main\n"})
    shutil.copytree(images.HERE, tmp_path / "lab", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(images, "HERE", tmp_path / "lab")
    return tmp_path / "lab"


def test_every_variant_of_every_family_has_a_tag_of_its_own(images, recipes):
    tags = [images.ensure(name, v) for name in images.FAMILIES for v in ("systemd", *images.table(name)["variants"])]
    assert len(set(tags)) == len(tags) >= 2 * 5
    assert all(tag.startswith("windflow-lab-") for tag in tags)


def test_changed_table_makes_another_image_of_its_family_only(images, recipes):
    before = {name: images.ensure(name, "packages") for name in ("el9", "suse", "trixie")}
    with (recipes / "families" / "el9.toml").open("a", encoding="utf-8") as stream:
        stream.write("\n# changed\n")
    after = {name: images.ensure(name, "packages") for name in before}
    assert {name for name in before if before[name] != after[name]} == {"el9"}


def test_changed_builder_makes_other_images_of_all_families(images, recipes):
    before = {name: images.ensure(name, "systemd") for name in (*images.FAMILIES, "bookworm")}
    (recipes / "families" / "build.py").write_text("# changed\n", encoding="utf-8")
    assert images.ensure("bookworm", "systemd") == before.pop("bookworm")
    assert all(images.ensure(name, "systemd") != tag for name, tag in before.items())


def test_variant_that_a_family_lacks_is_refused_with_those_it_has(images, recipes):
    with pytest.raises(images.LabError, match=r"arch has no variant 'hardened'; it has systemd, packages, without-sup"):
        images.ensure("arch", "hardened")


def test_unknown_system_is_refused_with_those_that_there_are(images):
    with pytest.raises(images.LabError, match="bookworm, trixie, arch, el9, fedora, suse, ubuntu, got 'el8'"):
        images.ensure("el8", "systemd")


def test_suite_with_dnf5_has_the_older_systemd(images, recipes):
    files = images._borrowed("forky")
    assert files["/etc/apt/sources.list.d/borrowed.list"] == "deb x trixie main\n"
    assert "libsystemd0 libsystemd-shared systemd systemd-sysv" in files["/etc/apt/preferences.d/borrowed"]
    assert images._borrowed("trixie") == {}


def test_every_family_has_the_packages_that_it_says_it_has(images):
    for name in images.FAMILIES:
        table = images.table(name)
        offered = {*table.get("packages", {}), *table.get("installed", {})}
        for package in table.get("packages", {}).values():
            assert set(package.get("requires", [])) <= offered, name
