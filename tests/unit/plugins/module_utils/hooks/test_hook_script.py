# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import base64
import json
import os
import pwd

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.hooks import hook_script
from ansible_collections.windflow.platform.plugins.module_utils.record import host_secrets, store

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, as on a host")


@pytest.fixture(autouse=True)
def records(tmp_path, monkeypatch):
    for function in (host_secrets.fill, host_secrets.load):
        defaults = tuple(str(tmp_path) if value == store.STATE_DIR else value for value in function.__defaults__)
        monkeypatch.setattr(function, "__defaults__", defaults)
    return str(tmp_path)


def run(script, **changes):
    known = {"user": "games", "script_name": "hooks/post.sh", "events": ["post-deploy"], "old_version": "1.0.0"}
    known.update(new_version="1.1.0", environment="{}", secrets="[]", made="{}", masked="{}", timeout=20, host="web1")
    known["script"] = base64.b64encode(script.encode()).decode()
    return hook_script.run({**known, **changes})["hook"]


def test_a_hook_runs_as_its_account_in_a_directory_that_it_alone_can_look_into():
    script = '#!/bin/sh\nid -un; pwd; stat -c %a:%U . "$0"; echo $@\n'
    done = run(script)
    name, place, folder, hook, words = done["stdout_tail"].splitlines()
    assert (done["rc"], name) == (0, "games") and words == "post-deploy 1.0.0 1.1.0"
    assert folder.split(":")[0] in ("700", "750", "710", "1770", "770") and hook.startswith("555:root")
    assert not os.path.exists(place)


def test_an_account_that_is_not_there_yet_is_nobody():
    assert hook_script.existing("games") == "games" and hook_script.existing("no-such-account") == "nobody"
    assert run("#!/bin/sh\nid -un\n", user="no-such-account")["stdout_tail"].strip() == "nobody"
    assert pwd.getpwnam("nobody")


def test_a_secret_of_the_host_takes_the_place_of_its_mark_and_is_not_shown(records):
    host_secrets.make("shop", ["app.key"], records)
    mark, secret = host_secrets.marks("shop", records)["app.key"], host_secrets.load("shop", records)["app.key"]
    made = json.dumps({mark: ["shop", "app.key"]})
    script = '#!/bin/sh\n[ "$KEY" = "%s" ] && echo "it is $KEY"\n' % secret
    done = run(script, environment=json.dumps({"KEY": mark}), secrets=json.dumps([mark]), made=made, masked=made)
    assert done["rc"] == 0 and "it is" in done["stdout_tail"] and secret not in json.dumps(done)
