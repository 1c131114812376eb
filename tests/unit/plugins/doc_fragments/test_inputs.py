# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import yaml

from ansible_collections.windflow.platform.plugins.doc_fragments.inputs import ModuleDocFragment
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import ARGUMENTS


def test_the_documented_inputs_are_the_arguments():
    options = yaml.safe_load(ModuleDocFragment.DOCUMENTATION)["options"]
    documented = {
        name: {key: value for key, value in option.items() if key != "description"} for name, option in options.items()
    }
    assert documented == ARGUMENTS
