# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever the input, the core answers with a result or with coded findings: no crash, no hang."""

from __future__ import annotations

import copy
import gzip
import json
import os
import shutil
import time
import zlib
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.windflow.platform.plugins.module_utils.compose.compose_documents import read_compose
from ansible_collections.windflow.platform.plugins.module_utils.config import dialects
from ansible_collections.windflow.platform.plugins.module_utils.config.checks import check_config
from ansible_collections.windflow.platform.plugins.module_utils.config.layers import Given
from ansible_collections.windflow.platform.plugins.module_utils.config.loading import load_config
from ansible_collections.windflow.platform.plugins.module_utils.config.schema import load_schema
from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.files import archive
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import FIELDS, load_manifest
from ansible_collections.windflow.platform.plugins.module_utils.plan import saved_plans
from ansible_collections.windflow.platform.plugins.module_utils.record import file_format, report, store
from ansible_collections.windflow.platform.plugins.module_utils.text.documents import load_json, load_yaml

pytestmark = pytest.mark.system

# `make fuzz` asks for more, and for other examples each time, whatever Hypothesis does by itself in a CI.
ASKED = int(os.environ.get("WINDFLOW_FUZZ_EXAMPLES", "0"))
EXAMPLES = ASKED or 200
FUZZ = settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
if ASKED:
    FUZZ = settings(FUZZ, derandomize=False)

KEYS = st.sampled_from(
    [*FIELDS, "path", "on", "run", "timeout", "schema", "defaults", "core", "pre-deploy", "wsgi", "command", "packages"]
    + ["connection", "password", "key_file", "os", "family", "volumes", "networks", "cidr", "size_gb", "options"]
    + ["app", "database", "server", "storage", "network", "email", "user", "install_dir", "allowed_hosts", "host_port"]
) | st.text(max_size=8)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["/", "/etc", "../x", "hooks/a.sh", ">=1", "1.0.0", "a:b", "{socket}", "{", "10.0.0.1/8", "nfs"])
)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
MAPS = st.dictionaries(KEYS, DATA, max_size=8)


def outcome(function, *arguments, area="E1") -> str:
    """``ok`` or the code of the first finding; any other exception fails the test."""
    start = time.monotonic()
    try:
        function(*arguments)
    except WindflowError as error:
        assert error.problems
        assert all(
            problem.code.startswith(area) and (problem.message or problem.expected) for problem in error.problems
        )
        str(error).encode("utf-8")
        return error.code
    finally:
        assert time.monotonic() - start < 5
    return "ok"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("fuzz") / "sample"
    for name in ("hooks", "config", "build/app", "compose"):
        (root / name).mkdir(parents=True)
    (root / "hooks/a.sh").write_text("#!/bin/sh\n")
    (root / "hooks/a.sh").chmod(0o755)
    (root / "config/schema.json").write_text("{}")
    return root


@FUZZ
@given(data=MAPS)
def test_any_map_as_plugin_yml(data, folder):
    (folder / "plugin.yml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8", errors="replace")
    outcome(load_manifest, folder)


@FUZZ
@given(values=st.dictionaries(st.sampled_from(FIELDS), DATA, max_size=6))
def test_a_manifest_that_is_in_order_but_for_some_fields(values, folder):
    data = {"name": "sample", "version": "1.0.0", **values}
    (folder / "plugin.yml").write_text(yaml.safe_dump(data, allow_unicode=True), encoding="utf-8", errors="replace")
    outcome(load_manifest, folder)


@FUZZ
@given(text=st.binary(max_size=200) | st.text("{}[]:,-&*!|>'\"%#? \n\tab01", max_size=80).map(str.encode))
def test_any_bytes_as_a_document(text):
    outcome(load_yaml, text, "f.yaml")
    outcome(load_json, text, "f.json")


@FUZZ
@given(data=MAPS)
def test_json_is_read_as_the_standard_library_reads_it(data):
    text = json.dumps(data, allow_nan=False) if finite(data) else "{}"
    if outcome(load_json, text, "f") == "ok":
        assert load_json(text, "f").data == json.loads(text)


@FUZZ
@given(
    text=st.text("{}[]:,-&*!|>'\"%#? \n\tab01<=.~", max_size=80).map(str.encode)
    | st.lists(
        st.sampled_from(
            [b"a: ", b"- ", b"\n", b"  ", b"&x ", b"*x", b"!reset ", b"!override ", b"!!python/name:os.x ", b"<<: "]
        )
        | st.sampled_from(
            [b"{", b"}", b"[", b"]", b",", b"? ", b"2001-99-99", b"1:99", b"!!binary a", b"!!set ", b"0o9", b"!!int x"]
        ),
        max_size=25,
    ).map(b"".join)
)
def test_any_text_as_a_compose_file(text, folder):
    (folder / "compose/compose.yaml").write_bytes(text)
    outcome(read_compose, folder / "compose/compose.yaml", "compose.yaml")


@FUZZ
@given(
    saved=st.fixed_dictionaries({"format": st.just(1) | SCALARS, "hosts": DATA | st.dictionaries(st.just("h"), DATA)})
    | DATA,
    text=st.none() | st.binary(max_size=60),
)
def test_anything_as_a_saved_plan(saved, text, folder):
    (folder / "plan.json").write_bytes(json.dumps(saved).encode() if text is None else text)
    outcome(saved_plans.compare, str(folder / "plan.json"), "h", {"version": "1.0.0", "pending": {}}, area="E2")


CONTENT = {"app/a.py": (b"x" * 700, 0o644), "app/b/c.sh": (b"y", 0o755), "config.yaml": (b"", 0o600)}


@FUZZ
@given(
    changes=st.lists(st.tuples(st.integers(0, 6000), st.binary(min_size=1, max_size=12)), max_size=4),
    cut=st.integers(0, 6000),
    checked=st.booleans(),
    packed=st.booleans(),
)
def test_any_change_of_an_archive(changes, cut, checked, packed, tmp_path_factory):
    raw = bytearray(archive.pack("", [], CONTENT) if packed else zlib.decompress(archive.pack("", [], CONTENT), 31))
    for place, new in changes:
        raw[place % len(raw) : place % len(raw) + len(new)] = new
    if checked and not packed:
        # As one who means it would: with the right sum of the header that was changed.
        for start in range(0, len(raw) - 511, 512):
            header = raw[start : start + 148] + b" " * 8 + raw[start + 156 : start + 512]
            if header.strip(b"\0 "):
                raw[start + 148 : start + 156] = b"%06o\0 " % sum(header)
    data = bytes(raw[: len(raw) - cut % len(raw) if cut % 3 == 0 else len(raw)])
    place = tmp_path_factory.mktemp("archive") / "release"
    done = outcome(archive.unpack, data if packed else gzip.compress(data), str(place), area="E40")
    assert sorted(os.listdir(place.parent)) == (["release"] if done == "ok" else [])
    assert all(not path.is_symlink() or path.resolve().is_relative_to(place) for path in place.rglob("*"))
    shutil.rmtree(place.parent)


WORDS = st.sampled_from(["a", "b", "c"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-3, 3) | st.sampled_from(["", "a", "b", "10.0.0.1/8"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
TYPES = st.sampled_from(["array", "boolean", "integer", "null", "number", "object", "string"])


def schemas(inner):
    many = st.lists(inner, min_size=1, max_size=3)
    keywords = {
        "type": TYPES | st.lists(TYPES, min_size=1, max_size=2, unique=True),
        "enum": st.lists(VALUES, max_size=3),
        "const": VALUES,
        "properties": st.dictionaries(WORDS, inner, max_size=3),
        "patternProperties": st.dictionaries(st.sampled_from(["^a", "b$"]), inner, max_size=2),
        "propertyNames": inner,
        "required": st.lists(WORDS, max_size=2, unique=True),
        "dependencies": st.dictionaries(WORDS, st.lists(WORDS, max_size=2, unique=True) | inner, max_size=2),
        "dependentRequired": st.dictionaries(WORDS, st.lists(WORDS, max_size=2, unique=True), max_size=2),
        "pattern": st.sampled_from(["^a$", "b"]),
        "format": st.sampled_from(["cidr", "date", "unknown"]),
        "writeOnly": st.just(True),
        "uniqueItems": st.booleans(),
    }
    for word in ("additionalProperties", "unevaluatedProperties", "items", "contains", "not", "if", "then", "else"):
        keywords[word] = inner
    for word in ("anyOf", "oneOf", "allOf"):
        keywords[word] = many
    for word in ("minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties"):
        keywords[word] = st.integers(0, 2)
    for word in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"):
        keywords[word] = st.integers(1, 2)
    return st.fixed_dictionaries({}, optional=keywords) | st.booleans()


@pytest.mark.parametrize("dialect", sorted(dialects.DIALECTS))
@settings(FUZZ, max_examples=EXAMPLES // 3)
@given(schema=schemas(st.deferred(lambda: SCHEMAS)), data=st.dictionaries(WORDS, VALUES, max_size=3))
def test_every_error_of_any_schema_becomes_a_finding(dialect, schema, data, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "fuzz.json"
    content = schema if isinstance(schema, dict) else {"not": not schema}
    file.write_text(json.dumps({"$schema": "https://" + dialect, **content}))
    loaded = load_schema(file)
    errors = list(dialects.validator(loaded.raw, dialect).iter_errors(data))
    problems = loaded.validate(data, lambda path: ("f", 1, 1))
    assert bool(problems) == bool(errors)
    assert all((problem.message or (problem.expected and problem.got)) and problem.remedy for problem in problems), (
        problems
    )
    for path in loaded.secret_paths(data):
        loaded.types_at(path)


SCHEMAS = st.recursive(
    st.booleans() | st.fixed_dictionaries({}, optional={"type": TYPES, "const": VALUES}), schemas, max_leaves=6
)


def finite(data: object) -> bool:
    try:
        json.dumps(data, allow_nan=False)
    except ValueError:
        return False
    return True


PLUGINS = Path(load_manifest.__globals__["__file__"]).resolve().parents[3] / "windflow_plugins"


@pytest.mark.parametrize("plugin", ["template", "physical-host"])
@settings(FUZZ, max_examples=EXAMPLES // 2)
@given(
    inventory=MAPS,
    more=MAPS,
    sets=st.lists(st.text(max_size=30), max_size=3),
    environ=st.dictionaries(st.sampled_from(["DB_PORT", "DEBUG", "SECRET_KEY", "HOST_PORT"]), st.text(max_size=10)),
)
def test_any_configuration(plugin, inventory, more, sets, environ, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "more.json"
    file.write_text(json.dumps(more), encoding="utf-8", errors="replace")
    before = copy.deepcopy(inventory)

    def read():
        config = load_config(load_manifest(PLUGINS / plugin), "production", [Given(inventory)], [file], environ, sets)
        check_config(config, "production")
        config.redacted(), config.secret_values(), config.declared_environment(), config.origin(("database", "port"))
        str(config.explain("database.password"))

    outcome(read)
    assert repr(inventory) == repr(before)


@FUZZ
@given(data=MAPS)
def test_any_configuration_without_a_schema_passes_the_rules_without_a_crash(data, folder):
    (folder / "plugin.yml").write_text("name: sample\nversion: 1.0.0\n")
    outcome(lambda: check_config(load_config(load_manifest(folder), None, data), "production"))


RECORD_KEYS = st.sampled_from(
    [*file_format.RECORD, *file_format.LEASE, *file_format.REVISION, *file_format.NOTED, *file_format.MANAGED]
)
RECORD_DATA = st.recursive(
    SCALARS | st.sampled_from(file_format.STATES),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(RECORD_KEYS, inner, max_size=5),
    max_leaves=15,
)


def some_record():
    remembered = store.empty("app")
    for run in ("one", "two"):
        fields = {"release": run, "version": "1.0.0", "digests": {"site": "x"}, "host": {}}
        remembered = store.begin(remembered, run, "ann", "deploy", 0.0, fields)
        remembered = store.finish(remembered, run, 0.0, {"paths": {"/x": {"step": "site"}}}, {}, 5)
    return store.begin(remembered, "three", "bob", "deploy", 0.0, {"version": "2.0.0"})


@FUZZ
@given(
    top=st.dictionaries(RECORD_KEYS, RECORD_DATA, max_size=2),
    revision=st.dictionaries(RECORD_KEYS, RECORD_DATA, max_size=2),
    lease=st.dictionaries(RECORD_KEYS, RECORD_DATA, max_size=2),
    text=st.none() | st.binary(max_size=50),
)
def test_any_edit_of_a_record_leaves_one_that_can_be_used_or_none(top, revision, lease, text):
    edited = some_record()
    edited["lease"].update(lease)
    edited["revisions"][1].update(revision)
    edited.update(top)
    data = json.dumps(edited).encode()
    try:
        remembered = file_format.decode(data if text is None else text + data[len(text) :], "app")
    except ValueError as error:
        assert str(error)
        return
    serving, last = store.current(remembered), (remembered["revisions"] or [None])[-1]
    assert isinstance(report.status(remembered, serving, last) + report.history(remembered), list)
    store.good(remembered), store.latest_present(remembered), store.kept_releases(remembered, 5)
    store.unlock(remembered, "bob", 0.0)
    begun = store.begin(remembered, "four", "bob", "deploy", 1e12, {"release": "four"})
    ended = store.finish(store.at_step(begun, "four", "site", 1e9), "four", 1e9, {}, {}, 5)
    assert store.current(ended)["release"] == "four"
    assert file_format.decode(file_format.encode(ended), "app") == ended
