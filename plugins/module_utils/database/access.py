# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How pg_hba.conf lets roles into one database over TCP from the host itself, and windflow's own lines there.

Distributions differ. Debian asks for a password. The servers of Red Hat and SUSE ask the operating system who the
client is (ident). A plain initdb trusts everybody. An application has a role of its own and a password, so it needs a
method that asks for it. Lines of others are never changed.
"""

from __future__ import annotations

import ipaddress

from ..errors import Problem, WindflowError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


ADDRESSES = ("127.0.0.1", "::1")
METHOD = "scram-sha-256"
# Marks a change of this file among changes by SQL.
FILE = "file"
# md5 also takes passwords that are stored for scram-sha-256.
GOOD = (METHOD, "md5")
# What the server makes of its pg_hba.conf, as JSON.
SQL = """\
SELECT json_build_object('access', json_build_object('file', current_setting('hba_file'), 'rules', (
    SELECT coalesce(json_agg(json_build_array(type, database, user_name, address, netmask, auth_method)
      ORDER BY line_number), '[]') FROM pg_hba_file_rules WHERE error IS NULL)));
"""
FILE_SQL = "SELECT current_setting('hba_file');\n"
RELOAD = "SELECT pg_reload_conf();\nSELECT pg_sleep(0.3);\n"
# $1 is the file. Its owner writes it: the directory is the server's, and root follows no link that lies there.
WRITE = 'umask 077 && cat >"$1.windflow" && chmod --reference="$1" "$1.windflow" && mv -f "$1.windflow" "$1"'


def method(rules: list[Any], database: str, user: str, address: str) -> str:
    """The method of the first rule that decides for a connection without TLS; "" where none lets it in."""
    for kind, databases, users, network, mask, name in rules:
        if kind not in ("host", "hostnossl") or not _covers(network, mask, address):
            continue
        named = {"all", database} | ({"sameuser"} if user == database else set())
        if named & set(databases or ()) and {"all", user} & set(users or ()):
            return str(name)
    return ""


def weakest(rules: list[Any], database: str, user: str) -> str:
    """The first method of the host's own addresses that is not good, or else the method of both."""
    found = [method(rules, database, user, address) for address in ADDRESSES]
    return next((name for name in found if name not in GOOD), found[0])


def _covers(network: str | None, mask: str | None, address: str) -> bool:
    if network in ("all", "samehost", "samenet"):
        return True
    if network == "localhost":
        return True
    try:
        return ipaddress.ip_address(address) in ipaddress.ip_network("%s/%s" % (network, _bits(mask)), strict=False)
    except (TypeError, ValueError):
        # A name, which the server looks up.
        return False


def _bits(mask: str | None) -> int:
    return bin(int(ipaddress.ip_address(mask or ""))).count("1")


def mark(database: str) -> str:
    """What windflow's lines for a database end with."""
    return "# windflow, database %s" % database


def with_lines(text: str, database: str) -> str:
    """The file with windflow's lines for the database before all others."""
    return _lines(_quoted(database), "all", mark(database)) + without_lines(text, database)


def with_login(text: str, login: str) -> str:
    """The file with windflow's lines for a login of its own, which works in several databases, before all others."""
    return _lines("all", _quoted(login), _login_mark(login)) + without_login(text, login)


def without_login(text: str, login: str) -> str:
    """The file without windflow's lines for a login of its own."""
    return _without(text, _login_mark(login))


def _login_mark(login: str) -> str:
    return "# windflow, login %s" % login


def _lines(database: str, user: str, ending: str) -> str:
    lines = ["host %s %s %s/%d %s %s\n" % (database, user, *host, METHOD, ending) for host in _HOSTS]
    return "".join(lines)


def _quoted(name: str) -> str:
    return '"%s"' % name.replace('"', '""')


def _without(text: str, ending: str) -> str:
    return "".join(line for line in text.splitlines(True) if not line.rstrip("\n").endswith(ending))


_HOSTS = tuple((address, 32 if "." in address else 128) for address in ADDRESSES)


def without_lines(text: str, database: str) -> str:
    """The file without windflow's lines for the database."""
    return _without(text, mark(database))


def has_lines(file: str, database: str) -> bool:
    """Whether the file has lines of windflow's for the database; False where it cannot be read."""
    try:
        text = read(file)
    except WindflowError:
        return False
    return without_lines(text, database) != text


def read(file: str) -> str:
    """The file's text. Raises WindflowError (E4089)."""
    try:
        with open(file, encoding="utf-8", errors="surrogateescape") as stream:
            return stream.read()
    except OSError as error:
        raise WindflowError(Problem("E4089", "to read %s" % file, str(error.strerror), "correct hba_file")) from error
