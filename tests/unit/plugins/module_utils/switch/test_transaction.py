# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from dataclasses import fields

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.containers.project import ContainerOptions
from ansible_collections.windflow.platform.plugins.module_utils.switch import host_switch
from ansible_collections.windflow.platform.plugins.module_utils.switch.installed import HostOptions
from ansible_collections.windflow.platform.plugins.modules import compose_switch


@pytest.mark.parametrize(("options", "module"), [(HostOptions, host_switch), (ContainerOptions, compose_switch)])
def test_a_switch_has_exactly_the_options_of_its_module(options, module):
    assert {field.name for field in fields(options)} == set(module.ARGUMENTS)
