# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backup.store import directory_of
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError


def test_a_plugins_backups_lie_beside_its_record():
    assert directory_of("template") == "/var/lib/windflow/template/backups/database"


@pytest.mark.parametrize("name", ["", ".", "..", "../../etc", "/etc", "a/b"])
def test_what_leads_elsewhere_is_no_plugins_name(name):
    with pytest.raises(WindflowError, match="E4099"):
        directory_of(name)
