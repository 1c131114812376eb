# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every import from outside the standard library that the controller's core makes.

``ansible-test sanity`` imports all of ``module_utils`` with interpreters that have none of these
packages, so each import is guarded and the core calls ``require`` before it uses one. The names
here must match ``requirements/runtime.txt``.
"""

from __future__ import annotations

from ..errors import Problem, WindflowError

MISSING: list[str] = []

try:
    import yaml
except ImportError:
    yaml = None  # type: ignore[assignment]
    MISSING.append("PyYAML")

try:
    import jsonschema
except ImportError:
    jsonschema = None  # type: ignore[assignment]
    MISSING.append("jsonschema")

try:
    import referencing
    import referencing.jsonschema
except ImportError:
    referencing = None  # type: ignore[assignment]
    MISSING.append("referencing")

try:
    import semantic_version
except ImportError:
    semantic_version = None
    MISSING.append("semantic_version")

try:
    import resolvelib
except ImportError:
    resolvelib = None  # type: ignore[assignment]
    MISSING.append("resolvelib")

try:
    import jinja2
except ImportError:
    jinja2 = None  # type: ignore[assignment]
    MISSING.append("Jinja2")

try:
    import pathspec
except ImportError:
    pathspec = None  # type: ignore[assignment]
    MISSING.append("pathspec")


def require() -> None:
    """Raise ``WindflowError`` E1000 that names every package the controller's Python lacks."""
    if MISSING:
        raise WindflowError(
            Problem.plain(
                code="E1000",
                message="the controller's Python lacks a package",
                got=", ".join(MISSING),
                remedy="install them for the Python that runs ansible-playbook: pip install %s" % " ".join(MISSING),
            )
        )


__all__ = [
    "MISSING",
    "jinja2",
    "jsonschema",
    "pathspec",
    "referencing",
    "require",
    "resolvelib",
    "semantic_version",
    "yaml",
]
