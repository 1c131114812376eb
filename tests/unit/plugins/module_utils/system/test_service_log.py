# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which service is to blame for a task that failed, with the services of this machine."""

from __future__ import annotations

import glob
import os

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.system import service_log


@pytest.mark.parametrize("names", [["no-such-package"], ["no-such-package", "no-such-service"]])
def test_a_package_that_is_no_service_is_not_blamed(names):
    assert service_log.explain(names, "No package matching 'no-such-package' is available", 5) is None


def test_a_single_service_whose_task_failed_is_blamed_whether_it_runs_or_not():
    there = [os.path.basename(path) for path in glob.glob("/etc/init.d/*")]
    assert there
    with pytest.raises(WindflowError, match="E4047: the service %s did not start: Unable to reload" % there[0]):
        service_log.explain(there[:1], "Unable to reload", 5)
