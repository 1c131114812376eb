# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.database import scram

SALT = bytes(range(16))


def test_the_keys_of_rfc_7677_come_out():
    import base64
    import hashlib
    import hmac

    salt = base64.b64decode("W22ZaJ0SNY7soEsUEjb6gQ==")
    verifier = scram.scram_verifier("pencil", salt, 4096)
    stored, server = (base64.b64decode(part) for part in verifier.split("$")[2].split(":"))
    message = (
        b"n=user,r=rOprNGfwEbeRWgbNEkqO,"
        b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,"
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    )
    # The server's signature of the RFC, and the client's proof, from which the stored key follows.
    assert base64.b64encode(hmac.new(server, message, "sha256").digest()) == (
        b"6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="
    )
    proof = base64.b64decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=")
    signature = hmac.new(stored, message, "sha256").digest()
    key = bytes(left ^ right for left, right in zip(proof, signature, strict=True))
    assert hashlib.sha256(key).digest() == stored


@pytest.mark.parametrize("password", ["x", "with space", "quote'\"\\$`", "größe", "パスワード", "a" * 999, "\u00ads"])
def test_a_password_fits_its_own_verifier_and_no_other(password):
    verifier = scram.scram_verifier(password, SALT)
    assert scram.verify_scram(password, verifier)
    assert not scram.verify_scram(password + "x", verifier)


@pytest.mark.parametrize(("one", "same"), [("ﬁ", "fi"), ("a\u00a0b", "a b"), ("x\u00ady", "xy"), ("Å", "A\u030a")])
def test_passwords_that_saslprep_makes_equal_are_equal(one, same):
    assert scram.verify_scram(same, scram.scram_verifier(one, SALT))


@pytest.mark.parametrize("password", ["bell\u0007ü", "\u0627\u0031", "\u2028", "\U000e0001"])
def test_a_password_that_saslprep_prohibits_is_taken_as_it_is(password):
    assert scram._prepared(password) == password.encode("utf-8")


@pytest.mark.parametrize(
    "stored",
    [
        "",
        None,
        "md5c4ca4238a0b923820dcc509a6f75849b",
        "SCRAM-SHA-256$x:y$z:z",
        "SCRAM-SHA-256$4096:!!!!$YQ==:YQ==",
        "SCRAM-SHA-256$4096:YQ$YQ==:YQ==",
    ],
)
def test_what_is_no_scram_verifier_fits_nothing(stored):
    assert not scram.verify_scram("x", stored)


def test_other_salts_and_iterations_are_read_from_the_verifier():
    assert scram.verify_scram("x", scram.scram_verifier("x", b"salt", 10000))
    assert scram.scram_verifier("x", b"a") != scram.scram_verifier("x", b"b")
