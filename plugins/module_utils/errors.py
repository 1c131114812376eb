# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error type of the platform, and the findings that it carries.

The first digit after E is the area: 10 plugin directory and plugin.yml, 11 configuration,
12 dependencies, 20 preflight, 30 hooks, 40 changes on a host, 50 record and lock.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class Problem:
    """One finding: where it is, what was expected, what was found, how to fix it.

    ``plain`` makes one with a sentence of its own in ``message``, for what no "expected …, got …" says well.
    ``line`` and ``column`` count from 1; 0 means that the place has no line. ``path`` is the key
    path in dots (``hooks.pre-deploy``, ``storage.volumes[1].path``) or empty.
    """

    code: str
    expected: str
    got: str = ""
    remedy: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    path: str = ""
    message: str = ""

    @classmethod
    def plain(
        cls,
        code: str,
        message: str,
        got: str = "",
        remedy: str = "",
        file: str = "",
        line: int = 0,
        column: int = 0,
        path: str = "",
    ) -> Problem:
        """A finding whose sentence is ``message``; ``got`` follows it after a colon."""
        return cls(code, "", got, remedy, file, line, column, path, message)

    @property
    def sentence(self) -> str:
        """What is wrong, without code, place and remedy."""
        text, joint = (self.message, ": ") if self.message else ("expected %s" % self.expected, ", got ")
        return text + joint + self.got if self.got else text

    def __str__(self) -> str:
        place = self.file
        if self.line:
            place += ":%d" % self.line
            if self.column:
                place += ":%d" % self.column
        text = " ".join(part for part in (self.code, place, self.path) if part)
        text += ": " + self.sentence
        # The output of another program, such as a hook, may be several lines: the remedy gets a line of its own.
        several = "\n" in self.got
        text = text.rstrip("\n") if several else text + "."
        if self.remedy:
            text += "%sFix: %s." % ("\n" if several else " ", self.remedy.rstrip("."))
        return text


class WindflowError(Exception):
    """Every finding of one input or one operation, and what was or was not changed."""

    def __init__(self, problems: Problem | list[Problem], outcome: str = "Nothing was changed.") -> None:
        found = [problems] if isinstance(problems, Problem) else list(problems)
        self.problems = tuple(sorted(found, key=lambda p: (p.file, p.line, p.column, p.path, p.code)))
        self.outcome = outcome
        super().__init__(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (list(self.problems), self.outcome)

    @property
    def code(self) -> str:
        return self.problems[0].code if self.problems else ""

    def __str__(self) -> str:
        return "\n".join([*(str(problem) for problem in self.problems), self.outcome])

    def as_result(self) -> dict[str, Any]:
        """Returns the keys that an adapter hands to ``fail_json`` or returns with ``failed``."""
        return {"msg": str(self), "code": self.code, "problems": [asdict(problem) for problem in self.problems]}
