# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import base64
import html
import json
import shlex
import time
from urllib.parse import quote, quote_plus

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.windflow.platform.plugins.module_utils.redaction import (
    PIECE,
    REDACTED,
    core,
    redact,
    redact_lines,
    revealing,
)

FORMS = {
    "as it is": str,
    "JSON": json.dumps,
    "JSON in its script": lambda text: json.dumps(text, ensure_ascii=False),
    "Python": repr,
    "Python in ASCII": ascii,
    "Python's bytes": lambda text: repr(text.encode()),
    "a map": lambda text: repr({"password": text}),
    "URL": lambda text: quote(text, safe=""),
    "URL with small digits": lambda text: quote(text, safe="").lower() if text.islower() else quote(text, safe=""),
    "URL's path": quote,
    "form": quote_plus,
    "JavaScript's URL": lambda text: quote(text, safe="!'()*"),
    "Base64": lambda text: base64.b64encode(text.encode()).decode(),
    "URL's Base64": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "user and password": lambda text: base64.b64encode(b"app:" + text.encode()).decode(),
    "behind one byte": lambda text: base64.b64encode(b"x" + text.encode() + b"y").decode(),
    "shell": shlex.quote,
    "shell, double": lambda text: '"%s"' % "".join("\\" + sign if sign in '"\\$`' else sign for sign in text),
    "shell's trace": lambda text: "'%s'" % text.replace("'", "'\\''"),
    "YAML": lambda text: yaml.safe_dump({"password": text}, width=40),
    "YAML in quotes": lambda text: yaml.safe_dump(text, default_style='"', width=30),
    "YAML in single ones": lambda text: yaml.safe_dump(text, default_style="'"),
    "HTML": html.escape,
    "SQL": lambda text: "'%s'" % text.replace("'", "''"),
    "hexadecimal": lambda text: text.encode().hex(),
    "nginx": lambda text: "".join(
        "\\x%02X" % byte if byte in b'"\\' or not 31 < byte < 127 else chr(byte) for byte in text.encode()
    ),
}
SECRETS = {
    "both quotes": "p'a\"ss'w\"ord-4711",
    "escapes": "a\\nb\\tc%41&lt;\\x41\\u0041xyz",
    "signs": "$(id) `id` {{ 7*7 }} #!&|;<>~x",
    "lines": "first line of it\n  second 'line'\n\tthird \"line\" of it\n",
    "another script": "пароль-密码-pässwörd",
    "only quotes": "'\"'\"'\"'\"",
    "a URL": "postgresql://app:Tr0ub4dor@db.example.com/app?x=%2F",
    "hexadecimal": "1a2b3c4d5e6f7081920a1b2c3d4e5f60718293a4b5c6d7e8",
    "blanks": " padded with blanks ",
}


def longest_common(one, other):
    return max(
        (
            length
            for length in range(len(one) + 1)
            if any(one[at : at + length] in other for at in range(len(one) - length + 1))
        ),
        default=0,
    )


@pytest.mark.fault(74)
@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("form", FORMS)
def test_every_secret_is_hidden_in_every_form(secret, form):
    secret = SECRETS[secret]
    shown = FORMS[form](secret)
    text = "before %s behind" % shown
    found = redact(text, [secret])
    assert REDACTED in found and found.startswith("before ") and found.endswith(" behind")
    for line in secret.split("\n"):
        assert line.strip() not in found or not line.strip()
    assert longest_common(core(secret), core(found.replace("before", "").replace("behind", ""))) < PIECE


@pytest.mark.fault(74)
@given(
    st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=12, max_size=40),
    st.lists(
        st.sampled_from(sorted(set(FORMS) - {"a map", "YAML", "behind one byte", "user and password"})), max_size=2
    ),
)
def test_no_form_of_a_form_shows_a_piece(secret, forms):
    assume(len(set(core(secret))) > 8)
    shown = secret
    for form in forms:
        # Base64 and hexadecimal of another form are not looked for.
        assume(form not in ("Base64", "URL's Base64", "hexadecimal") or shown == secret)
        shown = FORMS[form](shown)
    found = redact("<<%s>>" % shown, [secret])
    assert secret not in found and shown.strip("'\"") not in found
    assert longest_common(core(secret), core(found)) < PIECE


@pytest.mark.fault(74)
@given(
    st.text("abcdefghijklmnopqrstuvwxyz0123456789'\"\\ ", min_size=12, max_size=60),
    st.integers(0, 60),
    st.integers(0, 60),
)
def test_what_a_limit_has_left_of_a_secret_is_hidden(secret, first, last):
    piece = repr(secret)[min(first, last) : max(first, last)]
    assume(len(set(core(piece))) > 6 and len(core(piece)) >= PIECE)
    assert longest_common(core(secret), core(redact("x: %s..." % piece, [secret]))) < PIECE


@pytest.mark.parametrize("length", [4, 5, 7])
def test_the_rest_of_a_secret_at_an_end_is_hidden_though_it_is_short(length):
    secret = "Tr0ub4dor-and-3"
    assert redact(secret[-length:] + " then", [secret]) == REDACTED + " then"
    assert redact("given " + secret[:length], [secret]) == "given " + REDACTED


def test_a_secret_of_several_lines_is_hidden_line_by_line():
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\nkqhkiG9w0BAQEFA\n-----END KEY-----\n"
    lines = ["[info] " + line for line in key.splitlines()]
    assert "MIIE" not in " ".join(redact_lines(lines, [key])) and "9w0B" not in " ".join(redact_lines(lines, [key]))
    assert redact("---------------- end of report", [key]) == "---------------- end of report"


def test_what_is_no_secret_is_left_alone():
    text = "GET /healthz 200 'x' \"y\" %20 &amp; \\n ünï"
    assert redact(text, ["Tr0ub4dor-and-3", "another one"]) == text
    assert redact(text, []) == text
    assert redact_lines([], ["x"]) == []
    assert redact("x ab y", ["ab"]) == "x ******** y"


def test_results_are_judged_by_whole_secrets():
    secrets = ["Tr0ub4dor'and\"3", "postgresql://app:pw@localhost/app"]
    value = {"url": "postgresql://localhost", "a": [{"b": "x Tr0ub4dor%27and%223"}], "Tr0ub4dor'and\"3": 1, "n": 7}
    assert revealing(value, secrets) == ["a[0].b", REDACTED]


def test_a_flood_is_searched_in_a_moment():
    text = "".join("%d \\n %%41 &quot; plain words of a log, over and over\n" % number for number in range(2500))
    started = time.process_time()
    redact(text, ["secret number %d with some length" % number for number in range(30)])
    assert time.process_time() - started < 2
