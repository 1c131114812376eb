# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of a release: built, pulled, pushed, saved or loaded. What ``compose_images`` does."""

from __future__ import annotations

import json
import os
import tempfile

from . import engine

BUILD_SECONDS = 3600
LOAD_SECONDS = 1800


def identities(tags):
    """{tag: id} of the images that the engine has; the id is empty where it has none."""
    shape = "{{.Id}} {{json .RepoTags}}"
    said = engine.run(["image", "inspect", "--format", shape, *tags], "to look at images", "E4076", check=False)
    found = engine.read_images(said)
    return {tag: found.get(tag, "") for tag in tags}


def build(params, services):
    """Builds the images of ``services``: out of the release's own files, or out of ``source``, a copy of the
    plugin's, on a host that has no release."""
    if params["source"]:
        with tempfile.NamedTemporaryFile("w", suffix=".yaml", encoding="utf-8") as overlay:
            named = {name: {"image": params["images"][name]} for name in services}
            json.dump({"services": named}, overlay)
            overlay.flush()
            files = [os.path.join(params["source"], name) for name in params["files"]]
            run_build(params, services, [*files, overlay.name], os.devnull, {"BASE_IMAGE": params["base_image"]})
        return
    folder = os.path.join(params["install_dir"], "releases", params["release"])
    files = [os.path.join(folder, name) for name in (*params["files"], "windflow.yaml")]
    run_build(params, services, files, os.path.join(folder, ".env"), {})


def run_build(params, services, files, env_file, variables):
    argv = ["compose", "--project-name", params["project"], "--env-file", env_file]
    for path in files:
        argv += ["--file", path]
    # A service that only runs in a profile is built like the others.
    argv += ["--profile", "*", "build", "--quiet", *services]
    what = "to build the images of %s" % ", ".join(services)
    engine.run(argv, what, "E4077", BUILD_SECONDS, variables=variables)


def push(registry, tags):
    """Puts images into a registry, which keeps what it has already."""
    for tag in tags:
        remote = "%s/%s" % (registry, tag)
        engine.run(["image", "tag", tag, remote], "to name an image for the registry", "E4081")
        engine.run(["image", "push", "--quiet", remote], "to push %s" % remote, "E4081", LOAD_SECONDS)


def pull(registry, tags):
    """Takes images from a registry, under the names that they have without it."""
    for tag in tags:
        remote = "%s/%s" % (registry, tag)
        engine.run(["image", "pull", "--quiet", remote], "to pull %s" % remote, "E4082", LOAD_SECONDS)
        engine.run(["image", "tag", remote, tag], "to name an image of the registry", "E4082")


def load(path):
    engine.run(["image", "load", "--quiet", "--input", path], "to load the images", "E4078", LOAD_SECONDS)


def save(tags, path):
    """An archive of images, compressed by nobody: ssh and the disk decide. Its directory must be root's own."""
    engine.run(["image", "save", "--output", path, *tags], "to save the images", "E4079", LOAD_SECONDS)
