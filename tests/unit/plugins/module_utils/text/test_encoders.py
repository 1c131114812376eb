# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each encoder against the parser of its own place: the same value comes back, or it was rejected."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from supervisor.options import UnhosedConfigParser, dict_of_key_value_pairs, expand

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.switch import probe
from ansible_collections.windflow.platform.plugins.module_utils.text import encoders

EVIL = [
    "",
    "plain",
    "a b",
    "a;b",
    "a ;b",
    ";a",
    "#a",
    "a #b",
    "}",
    "{",
    "a\nb",
    "a\r\nb",
    "100%",
    "%(here)s",
    "%(ENV_PATH)s",
    "%%",
    "$host",
    "${x}",
    '"',
    "'",
    "a'b\"c",
    "\\",
    "a\\",
    '\\"',
    "-rf",
    "--help",
    " a",
    "a ",
    "\t",
    "\x00",
    "\x7f",
    "\x85",
    "\u2028",
    "ä",
    "`id`",
    "$(id)",
    "!!",
    "a=b",
    "[section]",
    "include /etc/passwd;",
]
TEXT = st.one_of(st.sampled_from(EVIL), st.text(max_size=30), st.text(alphabet=" ;#%$'\"\\{}()-=aehrs\n", max_size=30))


def encoded(encoder, value):
    """The text, or None where the value was rejected with a code of the configuration's area."""
    try:
        return encoder(value)
    except WindflowError as error:
        assert error.code.startswith("E11") and error.problems[0].remedy
        return None


def supervisor_reads(text: str, option: str) -> str:
    """What Supervisor's own reader makes of a line of a program section, up to but without expansion."""
    parser = UnhosedConfigParser()
    parser.read_string("[program:x]\n%s=%s\nnext=1\n" % (option, text))
    assert parser.sections() == ["program:x"] and parser.options("program:x") == [option, "next"]
    parser.expand_here("/HERE")
    return parser.get("program:x", option)


@pytest.mark.fault(11)
@settings(max_examples=400, deadline=None)
@given(TEXT)
def test_supervisor_value_comes_back(value):
    text = encoded(encoders.supervisor_value, value)
    if text is not None:
        assert expand(supervisor_reads(text, "directory"), {}, "x") == value


@pytest.mark.fault(11)
@settings(max_examples=400, deadline=None)
@given(st.lists(TEXT.filter(lambda text: encoders.INSTANCE not in text), max_size=5))
def test_supervisor_command_comes_back(arguments):
    argv = ["/usr/bin/server", *arguments]
    text = encoded(encoders.supervisor_command, argv)
    if text is not None:
        assert shlex.split(expand(supervisor_reads(text, "command"), {}, "x")) == argv


@settings(max_examples=400, deadline=None)
@given(st.lists(TEXT, max_size=4))
def test_supervisor_environment_comes_back(values):
    pairs = {"NAME_%d" % number: value for number, value in enumerate(values)}
    text = encoded(encoders.supervisor_environment, pairs)
    if text is not None:
        read = dict_of_key_value_pairs(expand(supervisor_reads(text, "environment"), {}, "x"))
        assert read == pairs


def test_command_carries_what_supervisor_would_take_for_a_comment_or_a_name():
    argv = ["/bin/echo", "a ;b", "c #d", "%(here)s", "100%", "it's", ""]
    text = encoders.supervisor_command(argv)
    assert shlex.split(expand(supervisor_reads(text, "command"), {}, "x")) == argv


def test_process_number_is_the_only_expansion_in_a_command():
    text = encoders.supervisor_command(["/bin/x", "s-%s.sock" % encoders.INSTANCE, "%(process_num)d"])
    read = expand(supervisor_reads(text, "command"), {"process_num": 3}, "x")
    assert shlex.split(read) == ["/bin/x", "s-3.sock", "%(process_num)d"]


@pytest.mark.parametrize("argv", [[], "echo", ["echo"], ["/bin/echo", "a\nb"], ["/bin/echo", "ä"]])
def test_command_that_supervisor_cannot_carry_is_rejected(argv):
    with pytest.raises(WindflowError):
        encoders.supervisor_command(argv)


@pytest.mark.fault(12)
@settings(max_examples=150, deadline=None)
@given(TEXT)
def test_env_file_value_comes_back_from_the_shell(value):
    text = encoded(encoders.env_file_value, value)
    if text is not None:
        assert shlex.split(text) == [value]
        printed = subprocess.run(
            ["/bin/sh", "-c", 'NAME=%s\nprintf %%s "$NAME"' % text], capture_output=True, check=True
        )
        assert printed.stdout.decode() == value


@pytest.fixture(scope="module")
def nginx(tmp_path_factory):
    """Answers with the parsed form of many encoded values: a dict of value to what nginx read."""
    binary = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if binary is None:
        pytest.fail("nginx is not installed: apt-get install nginx-light")
    root = tmp_path_factory.mktemp("nginx")

    def read(values):
        socket = root / "socket"
        locations = "".join(
            "location = /%d { return 200 %s; }\n" % (number, encoders.nginx_value(value))
            for number, value in enumerate(values)
        )
        (root / "nginx.conf").write_text(
            "pid %s/pid; error_log %s/log; events {}\nhttp { access_log off; server { listen unix:%s;\n%s}}\n"
            % (root, root, socket, locations)
        )
        argv = [binary, "-c", str(root / "nginx.conf"), "-g", "daemon off; master_process off;"]
        with subprocess.Popen(argv, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not probe.get(str(socket), "/").connected:
                time.sleep(0.01)
            found = {value: probe.get(str(socket), "/%d" % number).body for number, value in enumerate(values)}
            process.kill()
        socket.unlink(missing_ok=True)
        return found

    return read


@pytest.mark.fault(10)
@settings(max_examples=6, deadline=None)
@given(st.lists(TEXT, min_size=30, max_size=120, unique=True))
def test_nginx_value_comes_back(nginx, values):
    accepted = [value for value in values if encoded(encoders.nginx_value, value) is not None]
    assert nginx(accepted) == {value: value for value in accepted}


def test_harmless_and_evil_values_are_told_apart_for_nginx(nginx):
    accepted = [value for value in EVIL if encoded(encoders.nginx_value, value) is not None]
    assert {"a b", "a ;b", "}", '"', "\\", "%(here)s", "ä", "`id`"} <= set(accepted)
    assert not {"$host", "${x}", "a\nb", "\x00", "$(id)"} & set(accepted)
    assert nginx(accepted) == {value: value for value in accepted}


def test_longest_value_is_read_by_nginx_and_a_longer_one_rejected(nginx):
    longest = "x y" + "z" * (encoders.NGINX_LONGEST - 5)
    assert nginx([longest])[longest] == longest[: 4 * probe.BODY_CHARACTERS]
    with pytest.raises(WindflowError):
        encoders.nginx_value(longest + "z")


@pytest.mark.parametrize("name", ["example.com", "EXAMPLE.com", "*.example.com", ".example.com", "10.0.0.1", "[::1]"])
def test_server_names_stay_names(name):
    assert encoders.nginx_server_name(name) == name.lower()


@pytest.mark.parametrize(
    "name",
    [
        "",
        "~.*",
        "a b",
        "a;b",
        "$host",
        "http://a",
        "a:80",
        "a/b",
        "*",
        "a.*",
        "-a",
        "ä.example",
        '"a"',
        "a\nb",
        "a" * 300,
        True,
    ],
)
def test_what_is_no_server_name_is_rejected(name):
    with pytest.raises(WindflowError):
        encoders.nginx_server_name(name)


@pytest.mark.parametrize(
    ("name", "matches", "others"),
    [
        (
            "a" * 50 + ".example.com",
            ["a" * 50 + ".example.com"],
            ["x" + "a" * 50 + ".example.com", "a" * 50 + "xexample.com"],
        ),
        ("*." + "b" * 50 + ".com", ["x." + "b" * 50 + ".com"], ["b" * 50 + ".com"]),
        ("." + "c" * 50 + ".com", ["c" * 50 + ".com", "x." + "c" * 50 + ".com"], ["x" + "c" * 50 + ".com"]),
    ],
)
def test_long_server_name_needs_no_larger_hash_and_matches_the_same(name, matches, others):
    pattern = re.fullmatch(r'"~(.*)"', encoders.nginx_server_name(name))[1]
    assert all(re.search(pattern, host) for host in matches)
    assert not any(re.search(pattern, host) for host in others)


@pytest.mark.parametrize("value,text", [(60, "60s"), (0, "0s"), (1.5, "1500ms")])
def test_durations(value, text):
    assert encoders.nginx_duration(value) == text


@pytest.mark.parametrize("value", [-1, True, float("nan"), float("inf"), "60", 10**12, 0.00001, None])
def test_what_is_no_duration_is_rejected(value):
    with pytest.raises(WindflowError):
        encoders.nginx_duration(value)


@pytest.mark.parametrize("value", ["10m", "1024", "1G"])
def test_sizes(value):
    assert encoders.nginx_size(value) == value


@pytest.mark.parametrize("value", ["10mb", "", "1 m", "-1", "1;"])
def test_what_is_no_size_is_rejected(value):
    with pytest.raises(WindflowError):
        encoders.nginx_size(value)


@pytest.mark.parametrize("value", ["relative", "/a b", "/a;b", "/a/../b", "/a%b", "/a$b", "/a\n", "/ä", None, ["/a"]])
def test_what_is_no_plain_path_is_rejected(value):
    with pytest.raises(WindflowError):
        encoders.plain_path(value)
    assert encoders.plain_path("/opt/app-1.0/run") == "/opt/app-1.0/run"


@pytest.mark.parametrize("value", [None, {}, [], b"x", True])
def test_no_encoder_takes_anything_but_text_and_numbers(value):
    for name, encoder in encoders.FILTERS.items():
        if name != "supervisor_environment":
            with pytest.raises(WindflowError):
                encoder(value)


@pytest.mark.system
def test_compose_reads_any_value_of_an_env_file_back(compose_client, tmp_path):
    values = [
        *(
            "plain",
            "",
            "a b",
            "it's",
            'say "x"',
            "both ' and \"",
            "$HOME",
            "a$b'c",
            "${X:-y}'",
            "$$'",
            "end\\",
            "'end\\",
        ),
        *(
            "two\nlines",
            "two\r\nlines",
            "tab\there",
            "#'",
            " ' ",
            "\\n'",
            "\\$'",
            "`id`'",
            "!'",
            "é → 日本'\n",
            "=",
            "a=b'\"",
        ),
    ]
    names = {"V%d" % number: value for number, value in enumerate(values)}
    (tmp_path / "env").write_text(
        "".join("%s=%s\n" % (name, encoders.compose_env_value(value)) for name, value in names.items()),
        encoding="utf-8",
    )
    service = {"image": "a", "environment": {name: "${%s}" % name for name in names}}
    (tmp_path / "c.json").write_text(json.dumps({"services": {"a": service}}), encoding="utf-8")
    argv = ["docker", "compose", "--env-file", str(tmp_path / "env"), "-f", str(tmp_path / "c.json"), "config"]
    done = subprocess.run([*argv, "--format", "json"], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)["services"]["a"]["environment"]
    assert {name: value.replace("$$", "$") for name, value in found.items()} == names
