# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Docker Engine that test hosts are made with, and what is asked of it."""

from __future__ import annotations

import contextlib
import functools
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker
import docker.errors
import requests
from machine import LabError

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "docker.sh"
# An image's recipe may install packages for minutes without a word.
SECONDS = 1800
ERRORS = (docker.errors.DockerException, requests.RequestException)


def find() -> None:
    """Point the client at an engine that answers: the machine's, or the one of scripts/docker.sh."""
    if subprocess.run([SCRIPT, "start"], stdout=sys.stderr, check=False).returncode:
        raise LabError("there is no Docker Engine to make test hosts with.")
    line = subprocess.run([SCRIPT, "env"], check=True, capture_output=True, text=True).stdout.strip()
    if line:
        os.environ["DOCKER_HOST"] = line.partition("=")[2]
        client.cache_clear()


@functools.cache
def client() -> docker.DockerClient:
    """The engine of DOCKER_HOST, asked by everything here."""
    return docker.from_env(timeout=SECONDS)


def has_image(tag: str) -> bool:
    try:
        client().images.get(tag)
    except docker.errors.ImageNotFound:
        return False
    return True


def import_image(archive: Path, tag: str, command: Sequence[str]) -> None:
    """Make an image of a root directory in a tar."""
    repository, _colon, name = tag.partition(":")
    words = ", ".join(f'"{word}"' for word in command)
    said = client().api.import_image(str(archive), repository=repository, tag=name, changes=[f"CMD [{words}]"])
    if not has_image(tag):
        raise LabError(f"the engine did not import {tag}: {said[-500:]}")


def build_image(files: Mapping[str, str], tag: str, arguments: Mapping[str, str]) -> None:
    """Make an image of texts by name, a Dockerfile among them."""
    with tempfile.TemporaryDirectory(prefix="windflow-lab-") as folder:
        for name, text in files.items():
            path = Path(folder, name)
            path.write_text(text, encoding="utf-8")
            path.chmod(0o644)
        try:
            client().images.build(path=folder, tag=tag, buildargs=dict(arguments), rm=True, forcerm=True)
        except docker.errors.BuildError as error:
            said = "".join(line.get("stream", "") for line in error.build_log)
            raise LabError(f"the image {tag} was not built: {error}\n{said[-4000:]}") from None


def copy_out(tag: str, path: str, folder: Path) -> None:
    """Copy a file of an image to a directory of this machine."""
    made = client().containers.create(tag)
    try:
        chunks, _stat = made.get_archive(path)
        with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
            archive.extract(Path(path).name, folder, filter="data")
    finally:
        made.remove(v=True)


def create(name: str, hostname: str, tag: str, command: Sequence[str], environment: Mapping[str, str], **host) -> None:
    """Make a container; ``host`` is its HostConfig, as ``create_host_config`` takes it.

    The key ``system_paths`` leaves the places of /proc and /sys open that are hidden in a container otherwise.
    """
    is_open = host.pop("system_paths", False)
    config = client().api.create_host_config(**host)
    if is_open:
        # The client's --security-opt systempaths=unconfined, which the package does not know.
        config.update(MaskedPaths=[], ReadonlyPaths=[])
    client().api.create_container(
        tag,
        list(command) or None,
        name=name,
        hostname=hostname,
        environment=dict(environment),
        ports=[(port, "tcp") for port in host.get("port_bindings", {})],
        host_config=config,
    )


def start(name: str) -> None:
    client().containers.get(name).start()


def remove(name: str) -> None:
    """Remove a container with its volumes, if it is there."""
    with contextlib.suppress(docker.errors.NotFound):
        client().containers.get(name).remove(force=True, v=True)


def run(name: str, *argv: str, environment: Mapping[str, str] | None = None) -> None:
    """Run a program in a container; its output is shown only if it fails."""
    done = client().containers.get(name).exec_run(argv, environment=dict(environment or {}))
    if done.exit_code:
        raise LabError(f"{name}: {argv[0]} failed: {done.output.decode(errors='replace')[-4000:]}")


def said(name: str, *argv: str) -> str:
    """What a program prints in a container, whatever becomes of it; "" where the container does not run."""
    try:
        done = client().containers.get(name).exec_run(argv, stderr=False)
    except docker.errors.APIError:
        return ""
    return (done.output or b"").decode(errors="replace").strip()
