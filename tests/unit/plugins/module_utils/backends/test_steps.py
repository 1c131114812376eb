# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.backends import steps
from ansible_collections.windflow.platform.plugins.module_utils.backends.steps import Step
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

SCHEMA = {
    "properties": {
        "app": {
            "type": "object",
            "properties": {
                "key": {"type": "string", "writeOnly": True},
                "made": {"type": "string", "writeOnly": True, "x-generate": True},
                "name": {"type": "string"},
            },
        }
    }
}
CURRENT = {"revision": 7, "digests": {"config": "1" * 64, "site": "2" * 64}}


@pytest.fixture
def configured(make_plugin):
    """A configuration of a plugin with a secret, with one that the host makes and with a plain value."""
    manifest = load_manifest(make_plugin(files={"config/schema.json": SCHEMA, "hooks/post-deploy": "#!/bin/sh\n"}))

    def call(key="canary-1", name="shop", made="canary-made-on-a-host"):
        values = {"app": {"key": key, "name": name}}
        return load_config(manifest, None, values, [], {}, [], kept={"app.made": made})

    return call


def test_no_secret_is_in_what_is_digested_and_another_one_makes_another_digest(configured):
    found = steps.without_secrets(configured(), "sample")
    assert "canary" not in str(found) and found["app"]["name"] == "shop"
    assert steps.without_secrets(configured(), "sample") == found
    assert steps.without_secrets(configured(key="canary-2"), "sample") != found
    assert steps.without_secrets(configured(), "another")["app"]["key"] != found["app"]["key"]


def test_a_secret_that_the_host_makes_is_digested_as_one_word(configured):
    assert steps.without_secrets(configured(made="another-made-one-1"), "sample") == steps.without_secrets(
        configured(), "sample"
    )


def test_a_digest_is_that_of_the_value_and_not_of_the_order_of_keys():
    assert steps.digest({"a": 1, "b": [2]}) == steps.digest({"b": [2], "a": 1})
    assert steps.digest({"a": 1, "b": [2]}) != steps.digest({"a": 1, "b": [3]})


def test_parents_are_named_once_outermost_first_without_the_paths_themselves():
    found = steps.parents(["/srv/apps/one", "/srv/apps/one/releases", "/var/log/one"])
    assert [entry["path"] for entry in found] == ["/srv", "/srv/apps", "/var", "/var/log"]
    assert steps.owned([*found, {"path": "/srv/apps/one", "owner": "root"}]) == {"/srv/apps/one": "root"}


def test_a_step_is_pending_for_what_the_record_says_of_it():
    found = {name: Step("1" * 64) for name in ("config", "site", "program")}
    found["services"] = Step()
    drift = {"step": "config", "resource": "/x", "attribute": "mode", "expected": "0640", "found": "0644"}
    steps.mark_pending(found, CURRENT, [drift, {**drift, "step": "elsewhere"}], "")
    assert found["config"].why == ["/x: mode is 0644, was 0640"]
    assert found["site"].why == ["changed since revision 7"]
    assert found["program"].why == ["not applied yet"]
    assert found["services"].why == []


def test_what_is_forced_is_pending_and_nothing_else():
    found = {name: Step(CURRENT["digests"][name]) for name in ("config", "site")}
    steps.mark_pending(found, CURRENT, [], "site")
    assert (found["config"].why, found["site"].why) == ([], ["forced"])


def test_a_digest_in_a_drift_is_shortened():
    item = {"resource": "/x", "attribute": "content", "expected": "a" * 64, "found": "absent"}
    assert steps.describe_drift(item) == "/x: content is absent, was %s…" % ("a" * 12)


@pytest.mark.parametrize(
    ("current", "number"),
    [(None, 0), ({"host": {"replicas": 3}}, 3), ({"compose": {"replicas": 2}, "host": None}, 2), ({"host": {}}, 0)],
)
def test_the_number_of_instances_is_that_of_the_deployed_target(current, number):
    assert steps.replicas_of(current) == number
