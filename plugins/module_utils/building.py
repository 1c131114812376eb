# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Images of a release: built where they are missing, or loaded from an archive. What ``compose_images`` does."""

from __future__ import annotations

import os

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
    """Builds the images of ``services`` out of the release's own files."""
    folder = os.path.join(params["install_dir"], "releases", params["release"])
    argv = ["compose", "--project-name", params["project"], "--env-file", os.path.join(folder, ".env")]
    for name in (*params["files"], "windflow.yaml"):
        argv += ["--file", os.path.join(folder, name)]
    # A service that only runs in a profile is built like the others.
    argv += ["--profile", "*", "build", "--quiet", *services]
    engine.run(argv, "to build the images of %s" % ", ".join(services), "E4077", BUILD_SECONDS)


def load(path):
    engine.run(["image", "load", "--quiet", "--input", path], "to load the images", "E4078", LOAD_SECONDS)


def save(tags, path):
    """An archive of images, compressed by nobody: ssh and the disk decide. Its directory must be root's own."""
    engine.run(["image", "save", "--output", path, *tags], "to save the images", "E4079", LOAD_SECONDS)
