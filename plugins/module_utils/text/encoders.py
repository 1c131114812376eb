# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One encoder for each place that a value may go: nginx, Supervisor, env files.

Each either gives text that the place's own parser reads back as exactly the same value, or raises
``WindflowError`` before anything is rendered. None of them shortens, strips or replaces.
"""

from __future__ import annotations

import ipaddress
import math
import re
import shlex
import unicodedata

from ..errors import Problem, WindflowError

# Stands in an argument of supervisor_command for the number of the process. No value can hold it:
# control characters are rejected everywhere.
INSTANCE = "\x00"

NGINX_BARE = re.compile(r"[A-Za-z0-9_./:@%+,-]+\Z")
# nginx reads its configuration through a buffer of 4096 bytes and rejects a longer parameter.
NGINX_LONGEST = 4000
SERVER_NAME = re.compile(r"(\*\.|\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\Z")
ADDRESS6 = re.compile(r"\[[0-9a-f:.]+\]\Z")
# A name of up to 46 bytes fits nginx's default hash bucket of 64; longer ones are written as a regular
# expression, which needs no bucket.
SERVER_NAME_HASHED = 40
SIZE = re.compile(r"[0-9]+[kKmMgG]?\Z")
PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*\Z")
PLAIN_PATH = re.compile(r"/[A-Za-z0-9_./:@+,=-]*\Z")
ENV_BARE = re.compile(r"[A-Za-z0-9_./:@%+,-]+\Z")
ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


def _reject(code: str, expected: str, value: object, remedy: str) -> WindflowError:
    return WindflowError(Problem(code, expected, repr(value), remedy))


def _text(value: object, place: str) -> str:
    """A number or text without control characters; everything else is no value for a line of a file."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise _reject("E1190", "text or a whole number for %s" % place, value, "give the value as text")
    text = str(value)
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise _reject("E1191", "one line without control characters for %s" % place, value, "remove the character")
    return text


def nginx_value(value: object) -> str:
    """A parameter of an nginx directive. ``$`` starts a variable and has no escape: rejected."""
    text = _text(value, "nginx")
    if "$" in text:
        raise _reject("E1192", 'a value without "$" for nginx', value, 'remove the "$"')
    if NGINX_BARE.match(text):
        return text
    quoted = '"%s"' % text.replace("\\", "\\\\").replace('"', '\\"')
    if len(quoted.encode()) > NGINX_LONGEST:
        raise _reject("E1192", "at most %d bytes for nginx" % NGINX_LONGEST, text[:40] + "…", "shorten the value")
    return quoted


def nginx_server_name(value: object) -> str:
    """A name, ``*.name``, ``.name`` (the name and everything below it) or an address."""
    text = _text(value, "server_name").lower()
    if ADDRESS6.match(text) or (SERVER_NAME.match(text) and len(text) <= SERVER_NAME_HASHED):
        return text
    if len(text) > 255 or not SERVER_NAME.match(text):
        raise _reject(
            "E1193",
            "a host name, *.name, .name or an address",
            value,
            "write the name without scheme and port; an international name in its xn-- form",
        )
    prefix = {"*.": r"[^/]+\.", ".": r"([^/]+\.)?"}
    start = "*." if text.startswith("*.") else "." if text.startswith(".") else ""
    return '"~^%s%s$"' % (prefix.get(start, ""), text[len(start) :].replace(".", r"\."))


def nginx_address(value: object) -> str:
    """An address to listen at."""
    text = _text(value, "an address")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        raise _reject("E1190", "an IP address", value, "write 127.0.0.1, ::1, or an address of the host") from None
    return "[%s]" % address if address.version == 6 else str(address)


def nginx_duration(value: object) -> str:
    """Seconds, whole or not, as nginx's time."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0:
        raise _reject("E1194", "a number of seconds, 0 or more", value, "give a number")
    if value > 10**9:
        raise _reject("E1194", "at most a thousand million seconds", value, "give a smaller number")
    if isinstance(value, int):
        return "%ds" % value
    milliseconds = round(value * 1000)
    if milliseconds / 1000 != value:
        raise _reject("E1194", "whole milliseconds", value, "round the number")
    return "%dms" % milliseconds


def nginx_size(value: object) -> str:
    """Bytes, or a number with k, m or g."""
    text = _text(value, "a size of nginx")
    if not SIZE.match(text):
        raise _reject("E1195", "a size such as 10m", value, "give a number with k, m or g")
    return text


def plain_path(value: object) -> str:
    """An absolute path that reads the same in every one of these files and needs no quotes anywhere."""
    text = _text(value, "a path")
    if not PLAIN_PATH.match(text) or ".." in text.split("/"):
        raise _reject("E1196", "an absolute path of letters, digits and _./:@+,=-", value, "choose a plain path")
    return text


def plain_name(value: object) -> str:
    """A name that may be a file's and a section's."""
    text = _text(value, "a name")
    if not PLAIN_NAME.match(text):
        raise _reject("E1196", "a name of letters, digits and _.-", value, "choose a plain name")
    return text


def supervisor_value(value: object) -> str:
    """A value after ``key=`` in one of Supervisor's files.

    Supervisor strips the ends, takes ``;`` and ``#`` after white space for a comment, replaces
    ``%(here)s`` before it reads ``%%``, and reads the file in the locale's encoding.
    """
    text = _text(value, "Supervisor")
    if not text.isascii():
        raise _reject("E1197", "ASCII for Supervisor", value, "keep the value in the application's configuration")
    if text != text.strip() or text[:1] in (";", "#") or " ;" in text or " #" in text or "%(here)s" in text:
        raise _reject(
            "E1197",
            'a value without outer blanks, without ";" or "#" after a blank and without "%(here)s" for Supervisor',
            value,
            "keep the value in the application's configuration",
        )
    return text.replace("%", "%%")


def supervisor_command(argv: list[str]) -> str:
    """A command line that Supervisor splits into exactly ``argv``; ``INSTANCE`` becomes the process number."""
    if not isinstance(argv, (list, tuple)) or not argv or not str(argv[0]).startswith("/"):
        raise _reject("E1198", "a list whose first item is an absolute path", argv, "name the program by its path")
    words = []
    for argument in argv:
        for part in str(argument).split(INSTANCE):
            _text(part, "a command")
        words.append(shlex.quote(str(argument)))
    # Adjacent quotes say the same to the splitter and hide from the reader what it would take for its own.
    line = " ".join(words).replace(" ;", " '';").replace(" #", " ''#").replace("%(here)s", "%''(here)s")
    if not line.isascii():
        raise _reject("E1198", "ASCII in a command", argv, "keep the value in the application's configuration")
    return line.replace("%", "%%").replace(INSTANCE, "%(process_num)d")


def supervisor_environment(values: dict[str, object]) -> str:
    """``NAME="value",…`` for ``environment=``. There is no escape for quotes: rejected."""
    pairs = []
    for name, value in values.items():
        text = supervisor_value(value)
        if not ENV_NAME.match(name):
            raise _reject("E1199", "letters, digits and _ for a variable's name", name, "rename the variable")
        if '"' in text or "'" in text:
            raise _reject("E1199", "a value without quotes for Supervisor's environment", value, "remove the quotes")
        pairs.append('%s="%s"' % (name, text))
    return ",".join(pairs)


def env_file_value(value: object) -> str:
    """A value after ``NAME=`` in a file that the shell, systemd and Compose read alike."""
    text = _text(value, "an env file")
    if ENV_BARE.match(text):
        return text
    if "'" not in text and not text.endswith("\\"):
        return "'%s'" % text
    if not set(text) & set('"$`\\!'):
        return '"%s"' % text
    raise _reject(
        "E1189",
        "a value that an env file can hold",
        value,
        'leave out single quotes beside any of " $ ` ! and backslash, and a backslash at the end',
    )


def compose_env_value(value: object) -> str:
    """A value after ``NAME=`` in a file that Compose reads; one that the shell would read alike, where that can be."""
    try:
        return env_file_value(value)
    except WindflowError:
        text = str(value)
        for character, written in (("\\", "\\\\"), ('"', '\\"'), ("$", "\\$"), ("\n", "\\n"), ("\r", "\\r")):
            text = text.replace(character, written)
        return '"%s"' % text


FILTERS = {
    "nginx_value": nginx_value,
    "nginx_server_name": nginx_server_name,
    "nginx_address": nginx_address,
    "nginx_duration": nginx_duration,
    "nginx_size": nginx_size,
    "plain_name": plain_name,
    "plain_path": plain_path,
    "supervisor_value": supervisor_value,
    "supervisor_command": supervisor_command,
    "supervisor_environment": supervisor_environment,
    "env_file_value": env_file_value,
}
