# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host is asked before the inputs are read."""

from __future__ import annotations

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.plan.inputs import (
    InputContext,
    manifest_of,
    read_inputs,
)
from ansible_collections.windflow.platform.plugins.plugin_utils import gathering


@pytest.fixture
def asked(monkeypatch):
    """The questions that a host gets on which the plugin postgres is deployed, with a secret for each plugin."""
    questions = []

    def answer(_action, question, _task_vars):
        questions.append(question["plugins"])
        made = {name: {"key": "secret of %s" % name} for name in question["plugins"]}
        deployed = {"version": "1.0.0", "target": "host", "provides": {}, "needs": {}, "results": {}}
        return {"plugins": {"postgres": deployed}, "secrets": made}

    monkeypatch.setattr(gathering, "deployed_state", answer)
    return questions


@pytest.mark.parametrize(
    ("need", "rounds"),
    [
        ("[]", []),
        ("[postgres]", [["postgres", "shop"]]),
        # Without the host the plugin of the very name is chosen.
        ("[store]", [["store", "shop"], ["postgres", "shop"]]),
    ],
)
def test_the_secrets_of_what_is_chosen_are_asked_for_whatever_the_host_has(tmp_path, asked, need, rounds):
    needed = need.replace("]", ": '*'}]").replace("[", "[{") if need != "[]" else need
    for name, more in (("shop", "dependencies: %s" % needed), ("store", ""), ("postgres", "provides: {store: 1.0.0}")):
        folder = tmp_path / "windflow_plugins" / name
        folder.mkdir(parents=True)
        (folder / "plugin.yml").write_text("name: %s\nversion: 1.0.0\n%s\n" % (name, more), encoding="utf-8")
    where = InputContext({}, {}, tmp_path)
    manifest = manifest_of({"plugin": "shop"}, where)
    found = gathering.ask_host(None, manifest, where, {"inventory_hostname": "web1"})
    assert asked == rounds
    assert [found.kept(name) != {} for name in (rounds or [[]])[-1]] == [True] * len((rounds or [[]])[-1])


# Configuration files that Ansible Vault has encrypted.

SECRET, OTHER = VaultSecret(b"right"), VaultSecret(b"wrong")


def encrypted(text):
    return VaultLib([("default", SECRET)]).encrypt(text.encode()).decode()


def value(text):
    return "database:\n  user: me\n  password: !vault |\n    %s\n" % encrypted(text).strip().replace("\n", "\n    ")


FORMS = {
    "whole.yaml": encrypted("database: {user: me, password: canary-4711}\n"),
    "whole.json": encrypted('{"database": {"user": "me", "password": "canary-4711"}}'),
    "value.yaml": value("canary-4711"),
}


def configured(tmp_path, name, *secrets):
    (tmp_path / name).write_text(FORMS[name], encoding="utf-8")
    loader = DataLoader()
    loader.set_vault_secrets([("default", secret) for secret in secrets])
    where = InputContext({}, {}, tmp_path, decrypt=gathering.decrypter(loader))
    asked = {"plugin": "template", "environment_name": "", "config": [name], "sets": []}
    return read_inputs(asked, where).config.data["database"]


@pytest.mark.parametrize("name", FORMS)
def test_an_encrypted_configuration_file_is_read(tmp_path, name):
    found = configured(tmp_path, name, OTHER, SECRET)
    assert (found["user"], found["password"], found["port"]) == ("me", "canary-4711", 5432)


@pytest.mark.fault(87)
@pytest.mark.parametrize(("secrets", "got"), [((), "none"), ((OTHER,), "others")])
@pytest.mark.parametrize("name", FORMS)
def test_without_the_vault_secret_the_file_is_named_and_nothing_of_it_shown(tmp_path, name, secrets, got):
    with pytest.raises(WindflowError) as caught:
        configured(tmp_path, name, *secrets)
    (problem,) = caught.value.problems
    assert (problem.code, problem.file) == ("E1087", str(tmp_path / name)) and problem.got.startswith(got)
    assert (problem.line, problem.path) == ((3, "database.password") if name == "value.yaml" else (0, ""))
    assert "--vault-password-file" in problem.remedy and "VAULT" not in str(caught.value)


@pytest.mark.parametrize("text", ["$ANSIBLE_VAULT;1.1;AES256\n6161\n", "$ANSIBLE_VAULT;9;X\nzz\n", "a: !vault x\n"])
def test_a_damaged_text_of_vault_is_a_finding_and_no_crash(tmp_path, monkeypatch, text):
    monkeypatch.setitem(FORMS, "damaged.yaml", text)
    with pytest.raises(WindflowError) as caught:
        configured(tmp_path, "damaged.yaml", SECRET)
    assert caught.value.code == "E1087" and "damaged" in str(caught.value)


def test_a_plugin_has_nothing_encrypted(tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "plugin.yml").write_text("name: mine\nversion: 1.0.0\nconfig: {defaults: defaults.yaml}\n")
    (folder / "defaults.yaml").write_text(FORMS["whole.yaml"], encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        read_inputs(
            {"plugin": str(folder), "environment_name": "", "config": [], "sets": []}, InputContext({}, {}, tmp_path)
        )
    assert caught.value.code == "E1087" and "not encrypted" in str(caught.value)
