# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host after a purge: what was on local volumes is gone."""

from __future__ import annotations

import pytest


def test_the_logical_volume_is_gone_and_its_group_stays(app):
    assert app.host.check_output("lvs --noheadings fast").strip() == ""
    assert app.host.check_output("vgs --noheadings -o vg_name").strip() == "fast"


@pytest.mark.parametrize(
    "path", ["/var/lib/windflow-volumes/physical-host_contained.img", "/var/lib/app", "/srv/logical"]
)
def test_files_and_directories_are_gone(app, path):
    assert not app.host.file(path).exists
