# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switch in containers, with the real engine."""

from __future__ import annotations

import json
import os

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.windflow.platform.plugins.module_utils.containers import engine
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.run import managed
from ansible_collections.windflow.platform.plugins.modules import compose_switch

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as on a host"),
]


def one_shot(host, command):
    needs = {"init": {"condition": "service_completed_successfully"}}
    return {
        "app": {**host.living, "depends_on": needs},
        "init": {"image": host.living["image"], "command": ["sh", "-c", command]},
    }


@pytest.mark.fault(66)
def test_a_service_that_others_wait_for_ends_well_and_is_no_drift(compose_host):
    host = compose_host
    host.deploy(host.release(1, one_shot(host, "true")))
    wanted = {"project": host.project, "app": "app", "release": "20261123T012301Z-1a2b3c4d", "images": []}
    kept = managed.compose_state({**wanted, "engine": "compose", "one_shot": ["init"]})
    assert kept["services"] == {"app": 1, "init": 1}
    assert managed.compose_drift(kept, engine.Questions(host.project).answers()) == []


@pytest.mark.fault(66)
def test_a_service_that_others_wait_for_and_that_fails_is_shown_with_its_log(compose_host):
    host = compose_host
    with pytest.raises(WindflowError) as caught:
        host.deploy(host.release(1, one_shot(host, "echo canary-7741; exit 3")))
    said = str(caught.value)
    assert "-init-1 ended with exit code 3" in said and "last lines of init:\n    canary-7741\nFix: " in said
    assert host.switch().containers() == []


@pytest.mark.fault(67)
def test_any_value_of_a_variable_reaches_a_container_as_it_is(compose_host):
    host = compose_host
    value = "two\nlines with 'both' \"quotes\", $HOME, ${HOME:-x}, $$, `id` and \\n at the end\\"
    service = {**host.living, "environment": {"GREETING": "${GREETING}"}}
    release = host.release(1, {"app": service})
    path = host.install_dir / "releases" / release / "variables.json"
    path.write_text(json.dumps({"GREETING": value}), encoding="utf-8")
    host.deploy(release)
    assert host.run("app", 'printf %s "$GREETING"') == value


def test_the_module_switches_leaves_alone_and_removes(compose_host, capsys):
    host = compose_host
    release = host.release(1, {"app": host.living})
    known = {"plugin": host.name, "project": host.project, "app": "app", "files": ["app/compose/compose.yaml"]}
    known.update(install_dir=str(host.install_dir), shared_dir=str(host.shared_dir), release=release, allow=[], port=0)

    def run(**changes):
        with patch_module_args({**known, "health_timeout": 20, **changes}), pytest.raises(SystemExit) as ended:
            compose_switch.main()
        return ended.value.code, json.loads(capsys.readouterr().out)

    rc, said = run()
    assert rc == 0 and said["changed"] and said["changes"] and said["timings"] and len(host.switch().containers()) == 1
    assert run()[1]["changes"] == []
    broken = host.release(2, {"app": {**host.living, "command": ["sh", "-c", "echo canary-0815; exit 3"]}})
    rc, said = run(release=broken, health_timeout=3)
    assert rc == 1 and said["code"].startswith("E4") and "Release %s still serves." % release in said["msg"]
    assert host.switch().current() == release and len(host.switch().containers()) == 1
    rc, said = run(state="absent", purge=True)
    assert rc == 0 and said["changed"] and host.switch().containers() == []
