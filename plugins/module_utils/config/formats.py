# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the ``format`` keyword of a schema checks: the standard's formats, and ``cidr`` and ``path``.

jsonschema leaves out every format whose optional package is not installed, without a word. These need
none. A format that is not known here is an annotation, as the standard has it. Each check takes any
value, is silent where the value is in order or no text, and raises ``ValueError`` otherwise.
"""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Callable
from datetime import date, time

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_HOSTNAME = re.compile(r"%s(?:\.%s)*\.?\Z" % (_LABEL, _LABEL))
_TIME = re.compile(r"(\d\d:\d\d:\d\d)(?:\.\d+)?(?:[zZ]|[+-](?:[01]\d|2[0-3]):[0-5]\d)\Z", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_DURATION = re.compile(
    r"P(?:\d+W|(?=[\dT])(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?=\d)(?:\d+H)?(?:\d+M)?(?:\d+S)?)?)\Z", re.ASCII
)
_EMAIL = re.compile(r"[^\s@\"<>(),;:\\]+@[^\s@]+\Z")
_URI_TEXT = re.compile(r"(?:[A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*\Z")
_IRI_TEXT = re.compile(r"[^\s<>\"{}|\\^`\x00-\x1f]*\Z")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)*\Z")
_RELATIVE_POINTER = re.compile(r"(?:0|[1-9][0-9]*)(?:#|(?:/(?:[^~/]|~[01])*)*)\Z")


def is_hostname(text: str) -> bool:
    return len(text) <= 253 and bool(_HOSTNAME.match(text))


def is_address(text: str) -> bool:
    """Returns whether ``text`` is an IPv4 or IPv6 address without a scope."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def network_of(text: str) -> str | None:
    """Returns the network in CIDR notation that contains ``text``, which may have host bits set; None if it is none."""
    try:
        return str(ipaddress.ip_network(text, strict=False)) if "/" in text else None
    except ValueError:
        return None


def _ensure(condition: object) -> None:
    if not condition:
        raise ValueError("not of this format")


def _cidr(text: str) -> None:
    _ensure("/" in text)
    ipaddress.ip_network(text, strict=True)


def _ipv4(text: str) -> None:
    ipaddress.IPv4Address(text)


def _ipv6(text: str) -> None:
    _ensure("%" not in text)
    ipaddress.IPv6Address(text)


def _date(text: str) -> None:
    _ensure(_DATE.match(text))
    date.fromisoformat(text)


def _time(text: str) -> None:
    match = _TIME.match(text)
    if not match:
        raise ValueError("not of this format")
    time.fromisoformat(match.group(1).replace(":60", ":59"))


def _date_time(text: str) -> None:
    _ensure(len(text) > 10 and text[10] in "tT ")
    _date(text[:10])
    _time(text[11:])


def _uuid(text: str) -> None:
    _ensure(str(uuid.UUID(text)) == text.lower())


def _email(text: str) -> None:
    _ensure(len(text) <= 254 and _EMAIL.match(text) and text.isprintable())
    domain = text.rpartition("@")[2]
    _ensure(is_hostname(domain) or is_address(domain.strip("[]").replace("IPv6:", "")))


def _absolute_path(text: str) -> None:
    _ensure(text.startswith("/") and text.isprintable() and ".." not in text.split("/"))


def _matches(pattern: re.Pattern[str], *more: re.Pattern[str]) -> Callable[[str], None]:
    return lambda text: _ensure(pattern.match(text) and all(other.match(text) for other in more))


CHECKS: dict[str, Callable[[str], object]] = {
    "cidr": _cidr,
    "date": _date,
    "date-time": _date_time,
    "duration": _matches(_DURATION),
    "email": _email,
    "hostname": lambda text: _ensure(is_hostname(text)),
    "idn-email": lambda text: _ensure("@" in text and text.isprintable()),
    "idn-hostname": lambda text: _ensure(is_hostname(text.encode("idna").decode("ascii"))),
    "ipv4": _ipv4,
    "ipv6": _ipv6,
    "iri": _matches(_IRI_TEXT, _SCHEME),
    "iri-reference": _matches(_IRI_TEXT),
    "json-pointer": _matches(_POINTER),
    "path": _absolute_path,
    "regex": re.compile,
    "relative-json-pointer": _matches(_RELATIVE_POINTER),
    "time": _time,
    "uri": _matches(_URI_TEXT, _SCHEME),
    "uri-reference": _matches(_URI_TEXT),
    "uuid": _uuid,
}

# What a finding says that it expected.
WORDS = {
    "cidr": "a network in CIDR notation such as 192.168.1.0/24",
    "date": "a date such as 2026-01-31",
    "date-time": "a date and time such as 2026-01-31T12:00:00Z",
    "duration": "a duration such as PT5M",
    "email": "an e-mail address",
    "hostname": "a host name",
    "ipv4": "an IPv4 address",
    "ipv6": "an IPv6 address",
    "path": "an absolute path without ..",
    "regex": "a regular expression",
    "time": "a time such as 12:00:00Z",
    "uri": "a URI such as https://example.com/",
    "uuid": "a UUID",
}


def check(value: object, name: str) -> bool:
    """Returns whether ``value`` is of the format ``name``; everything but text is."""
    rule = CHECKS.get(name)
    if rule is None or not isinstance(value, str):
        return True
    try:
        rule(value)
    except (ValueError, re.error, OverflowError, IndexError):
        return False
    return True
