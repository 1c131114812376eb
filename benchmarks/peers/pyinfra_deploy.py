# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The peer "pyinfra": what peers/deploy.sh does, in pyinfra's own operations.

The application goes as one archive: ``files.sync`` would ask and send for each file.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from pyinfra import config
from pyinfra.operations import apt, files, pip, postgres, server, systemd

config.SUDO = True

stage = Path(os.environ["BENCH_STAGE"])
settings = json.loads((stage / "settings.json").read_text(encoding="utf-8"))
account, install_dir = settings["ACCOUNT"], settings["INSTALL_DIR"]

apt.packages(name="Packages", packages=settings["PACKAGES"].split(), no_recommends=True)

server.group(name="Group", group=account, system=True)
server.user(
    name="User",
    user=account,
    group=account,
    home=settings["DATA_DIR"],
    shell="/usr/sbin/nologin",
    system=True,
    create_home=False,
    ensure_home=False,
)
for path, user, group, mode in (
    (install_dir, "root", "root", "755"),
    (f"{install_dir}/app", "root", "root", "755"),
    (f"{install_dir}/run", account, "www-data", "750"),
    (settings["DATA_DIR"], account, account, "750"),
    (settings["LOG_DIR"], account, account, "750"),
    (f"/etc/{account}", "root", account, "750"),
):
    files.directory(name=f"Directory {path}", path=path, user=user, group=group, mode=mode)

archive = files.put(name="Application archive", src=str(stage / "app.tar"), dest=f"{install_dir}/app.tar", mode="644")
server.shell(
    name="Application",
    commands=[f"rm -rf {install_dir}/app/* && tar -xf {install_dir}/app.tar -C {install_dir}/app --no-same-owner"],
    _if=archive.did_change,
)

requirements = files.put(
    name="Requirements", src=str(stage / "requirements.txt"), dest=f"{install_dir}/requirements.txt", mode="644"
)
pip.venv(name="Virtual environment", path=f"{install_dir}/venv", python="python3")
pip.packages(
    name="Python packages",
    requirements=f"{install_dir}/requirements.txt",
    virtualenv=f"{install_dir}/venv",
    _if=requirements.did_change,
)

app_config = files.put(
    name="Configuration", src=str(stage / "config.yaml"), dest=f"/etc/{account}/config.yaml", group=account, mode="640"
)

for service in ("postgresql", "supervisor", "nginx"):
    systemd.service(name=f"Service {service}", service=service, running=True, enabled=True)

postgres.role(
    name="Database role", role=settings["DB_USER"], password=settings["PGPASSWORD"], login=True, _sudo_user="postgres"
)
postgres.database(name="Database", database=settings["DB_NAME"], owner=settings["DB_USER"], _sudo_user="postgres")

program = files.put(
    name="Supervisor program",
    src=str(stage / "program.conf"),
    dest=f"/etc/supervisor/conf.d/{account}.conf",
    mode="644",
)
server.shell(name="Supervisor knows the program", commands=["supervisorctl update"], _if=program.did_change)
server.shell(
    name="Restart",
    commands=[f"supervisorctl restart {account}"],
    _if=lambda: (
        (archive.did_change() or requirements.did_change() or app_config.did_change()) and not program.did_change()
    ),
)

site = files.put(
    name="Nginx site", src=str(stage / "site.conf"), dest=f"/etc/nginx/sites-available/{account}", mode="644"
)
files.link(
    name="Nginx site enabled",
    path=f"/etc/nginx/sites-enabled/{account}",
    target=f"/etc/nginx/sites-available/{account}",
)
server.shell(name="Nginx configuration is sound", commands=["nginx -t"], _if=site.did_change)
systemd.service(name="Nginx reloaded", service="nginx", reloaded=True, _if=site.did_change)

# One interpreter that asks again and again; the host has no curl.
wait = f"""python3 - <<'PYTHON'
import time, urllib.request
for attempt in range(300):
    try:
        urllib.request.urlopen("http://127.0.0.1:{settings["PORT"]}/healthz")
        raise SystemExit
    except OSError:
        time.sleep(0.1)
raise SystemExit("no answer")
PYTHON"""
server.shell(
    name="Application answers",
    commands=[wait],
    _if=lambda: any(change.did_change() for change in (archive, requirements, app_config, program, site)),
)
