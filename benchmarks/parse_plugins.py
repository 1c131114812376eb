# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parse, merge and validate 1,000 plugins of the documentation's size in one process.

Each plugin has its own schema with every configuration section of the documentation, defaults, an overlay,
eight hooks and a README. Prints seconds and peak memory beside their bars and exits 1 where one is missed.

    python benchmarks/parse_plugins.py [--plugins 1000] [--dialect draft-07|2020-12]
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "collections"))

SECONDS_BAR = 6.0
MEGABYTES_BAR = 200.0
DIALECTS = {
    "draft-07": "http://json-schema.org/draft-07/schema#",
    "2020-12": "https://json-schema.org/draft/2020-12/schema",
}
EVENTS = [f"{when}-{stage}" for stage in ("install", "deploy", "upgrade", "remove") for when in ("pre", "post")]

CONFIG = {
    "host": {
        "type": "physical",
        "connection": {"host": "example.com", "port": 22, "user": "admin", "key_file": "/path/to/key.pem"},
        "os": {"family": "debian", "version": "12"},
        "resources": {"cpu_threads": 4, "ram_mb": 8192},
    },
    "app": {
        "debug": False,
        "log_level": "info",
        "secret_key": "f0b1c2",
        "allowed_hosts": ["example.com", "localhost"],
        "install_dir": "/opt/app",
        "data_dir": "/var/lib/app",
        "log_dir": "/var/log/app",
        "user": "app",
        "group": "app",
    },
    "database": {
        "host": "localhost",
        "port": 5432,
        "name": "app",
        "user": "app",
        "password": "e3b0c4",
        "max_connections": 100,
    },
    "server": {"host_port": 8080, "workers": 4, "timeout": 60},
    "storage": {
        "volumes": [
            {"name": "data", "path": "/var/lib/app/data", "size_gb": 10, "type": "local"},
            {
                "name": "nfs-data",
                "path": "/mnt/nfs-data",
                "size_gb": 100,
                "type": "nfs",
                "options": {"server": "nfs-server.example.com", "export": "/exports/data"},
            },
        ]
    },
    "network": {
        "networks": [
            {"name": "app-network", "cidr": "192.168.1.0/24", "type": "physical", "interface": "eth0"},
        ]
    },
}
ANNOTATIONS = {
    "app.debug": {"x-env": "DEBUG"},
    "app.log_level": {"x-env": "LOG_LEVEL", "enum": ["debug", "info", "warning", "error", "critical"]},
    "app.secret_key": {"x-env": "SECRET_KEY", "writeOnly": True},
    "database.host": {"x-env": "DB_HOST"},
    "database.port": {"x-env": "DB_PORT", "minimum": 1, "maximum": 65535},
    "database.name": {"x-env": "DB_NAME", "pattern": "^[a-z][a-z0-9_]*$"},
    "database.user": {"x-env": "DB_USER"},
    "database.password": {"x-env": "DB_PASSWORD", "writeOnly": True},
    "server.host_port": {"x-env": "HOST_PORT", "minimum": 1, "maximum": 65535},
    "network.networks.*.cidr": {"format": "cidr"},
}
TYPES = {bool: "boolean", int: "integer", str: "string"}


def schema_of(value: object, number: int, path: str = "") -> dict:
    """A schema that fits ``value``, with a description for each key that no other plugin has."""
    if isinstance(value, dict):
        properties = {key: schema_of(part, number, f"{path}.{key}".strip(".")) for key, part in value.items()}
        return {"type": "object", "properties": properties, "required": list(value)[:1], "additionalProperties": False}
    if isinstance(value, list):
        return {"type": "array", "items": schema_of(value[-1], number, f"{path}.*")}
    return {
        "type": TYPES[type(value)],
        "description": f"The {path} of plugin {number}.",
        **ANNOTATIONS.get(path, {}),
    }


def write_plugin(folder: Path, number: int, dialect: str, dump: object) -> None:
    for name in ("config/environments", "hooks", "scripts"):
        (folder / name).mkdir(parents=True)
    manifest = {
        "name": folder.name,
        "version": "1.0.0",
        "description": "A plugin of the documentation's size",
        "author": "Windflow Team",
        "license": "MIT",
        "dependencies": [{"core": ">=1.0.0"}],
        "config": {"schema": "config/schema.json", "defaults": "config/defaults.yaml"},
        "hooks": {event: f"hooks/{event}.sh" for event in EVENTS},
    }
    (folder / "plugin.yml").write_text(dump(manifest))
    schema = {"$schema": DIALECTS[dialect], **schema_of(CONFIG, number)}
    (folder / "config/schema.json").write_text(json.dumps(schema, indent=2))
    (folder / "config/defaults.yaml").write_text(dump(CONFIG))
    (folder / "config/environments/production.yaml").write_text(dump({"app": {"log_level": "warning"}}))
    (folder / "README.md").write_text(f"# {folder.name}\n")
    for event in EVENTS:
        hook = folder / "hooks" / f"{event}.sh"
        hook.write_text("#!/bin/sh\nexit 0\n")
        hook.chmod(0o755)


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugins", type=int, default=1000)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="draft-07")
    options = parser.parse_args()

    # only now: --help must not need the packages
    import yaml

    from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
    from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import load_manifest

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, f"plugin-{number}") for number in range(options.plugins)]
        for number, folder in enumerate(folders):
            write_plugin(folder, number, options.dialect, lambda data: yaml.dump(data, Dumper=dumper, sort_keys=False))
        kept = []
        start, start_cpu = time.perf_counter(), time.process_time()
        for folder in folders:
            manifest = load_manifest(folder)
            kept.append(load_config(manifest, "production", {"server": {"workers": 8}}, [], {"DEBUG": "true"}, []))
        seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    if not all(config.get("app.debug") is True and len(config.secrets) == 2 for config in kept):
        print("The configurations are not what they should be.", file=sys.stderr)
        return 1
    peak = megabytes()
    print(f"{options.plugins} plugins, {options.dialect}: parse, merge, validate")
    print(f"  seconds  {seconds:6.2f}   bar {SECONDS_BAR:g}   (CPU {cpu:.2f})")
    print(f"  peak MB  {peak:6.0f}   bar {MEGABYTES_BAR:g}")
    return 0 if seconds < SECONDS_BAR and peak < MEGABYTES_BAR else 1


if __name__ == "__main__":
    sys.exit(main())
