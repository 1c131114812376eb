# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.manifest.dependencies import resolve
from ansible_collections.windflow.platform.plugins.module_utils.manifest.reader import Dependency, Manifest


def plugin(name: str, version: str = "1.0.0", needs: dict | None = None, provides: dict | None = None) -> Manifest:
    needed = tuple(Dependency(key, text, line) for line, (key, text) in enumerate((needs or {}).items(), 10))
    provided = {name: version, **(provides or {})}
    return Manifest(
        name,
        version,
        Path("/plugins", name, version),
        dependencies=needed,
        provides=provided,
        file=name + "/plugin.yml",
    )


def on_host(**versions: str) -> dict:
    return {name: {"version": version, "provides": {}, "needs": {}} for name, version in versions.items()}


def names(plugins: tuple[Manifest, ...]) -> list[str]:
    return ["%s %s" % (found.name, found.version) for found in plugins]


def test_a_plugin_without_dependencies_stands_alone():
    assert names(resolve(plugin("shop")).order) == ["shop 1.0.0"]


def test_dependencies_come_first_each_once():
    database, cache = plugin("database", "2.1.0"), plugin("cache", needs={"database": "*"})
    shop = plugin("shop", needs={"cache": ">=1.0", "database": ">=2.0.0", "core": ">=1.0.0"})
    assert names(resolve(shop, [database, cache]).order) == ["database 2.1.0", "cache 1.0.0", "shop 1.0.0"]


def test_the_newest_version_that_everyone_accepts_is_chosen():
    versions = [plugin("database", text) for text in ("1.0.0", "2.0.0", "2.5.0", "3.0.0")]
    cache = plugin("cache", needs={"database": "<3"})
    shop = plugin("shop", needs={"database": ">=2", "cache": "*"})
    assert names(resolve(shop, [*versions, cache]).order)[0] == "database 2.5.0"


def test_an_older_version_is_taken_where_the_newest_cannot_be_satisfied():
    new = plugin("cache", "2.0.0", needs={"database": ">=9"})
    old = plugin("cache", "1.0.0", needs={"database": "*"})
    shop = plugin("shop", needs={"cache": "*"})
    assert names(resolve(shop, [new, old, plugin("database")]).order) == ["database 1.0.0", "cache 1.0.0", "shop 1.0.0"]


def test_what_a_plugin_provides_satisfies_a_dependency():
    postgres = plugin("postgres", "16.0.0", provides={"database": "2.0.0"})
    shop = plugin("shop", needs={"database": ">=2.0.0", "postgres": ">=15"})
    assert names(resolve(shop, [postgres]).order) == ["postgres 16.0.0", "shop 1.0.0"]


def test_a_plugin_of_the_very_name_wins_over_one_that_provides_it():
    other = plugin("postgres", provides={"database": "9.0.0"})
    shop = plugin("shop", needs={"database": "*"})
    assert names(resolve(shop, [other, plugin("database", "1.0.0")]).order) == ["database 1.0.0", "shop 1.0.0"]


def test_a_capability_and_its_plugin_are_one_version():
    versions = [plugin("postgres", text, provides={"database": text}) for text in ("1.0.0", "2.0.0")]
    shop = plugin("shop", needs={"database": "*", "postgres": "<2"})
    assert names(resolve(shop, versions).order) == ["postgres 1.0.0", "shop 1.0.0"]


def test_candidates_may_be_a_function_that_is_asked_only_for_what_is_needed():
    asked = []

    def candidates(name):
        asked.append(name)
        return [plugin(name)]

    assert names(resolve(plugin("shop", needs={"core": "*"}), candidates).order) == ["shop 1.0.0"]
    assert asked == []
    assert names(resolve(plugin("shop", needs={"cache": "*"}), candidates).order) == ["cache 1.0.0", "shop 1.0.0"]
    assert asked == ["cache"]


def test_a_platform_that_is_too_old_is_refused(only):
    shop = plugin("shop", needs={"core": ">=2.0.0"})
    words = [">=2.0.0", "1.5.0"]
    only("E1205", "shop/plugin.yml:10 dependencies.core", words, resolve, shop, [], "1.5.0")


def test_a_dependency_that_needs_a_newer_platform_is_refused(only):
    shop, cache = plugin("shop", needs={"cache": "*"}), plugin("cache", needs={"core": ">=2"})
    only("E1205", "cache/plugin.yml:10 dependencies.core", [">=2"], resolve, shop, [cache], "1.0.0")


def test_an_older_version_is_taken_where_the_newest_needs_a_newer_platform():
    versions = [plugin("cache", "2.0.0", needs={"core": ">=2"}), plugin("cache", "1.0.0", needs={"core": ">=1"})]
    shop = plugin("shop", needs={"cache": "*"})
    assert names(resolve(shop, versions, "1.0.0").order) == ["cache 1.0.0", "shop 1.0.0"]


def test_where_the_platform_is_too_old_for_all_who_suit_each_is_named_with_who_asks_for_it(findings):
    versions = [plugin("cache", text, needs={"core": ">=%s" % text}) for text in ("3.0.0", "2.0.0", "1.0.0")]
    problems = findings(resolve, plugin("shop", needs={"cache": ">=2"}), versions, "1.0.0")
    assert [problem.code for problem in problems] == ["E1205", "E1205"]
    assert all("shop requires >=2" in problem.sentence for problem in problems)
    postgres = plugin("postgres", provides={"cache": "4.0.0"}, needs={"core": ">=9"})
    (problem,) = findings(resolve, plugin("shop", needs={"cache": "*"}), [postgres], "1.0.0")
    assert (problem.code, problem.file) == ("E1205", "postgres/plugin.yml")


def test_among_versions_that_suit_nobody_those_for_a_newer_platform_say_so(only):
    versions = [plugin("cache", "2.0.0", needs={"core": ">=2"}), plugin("cache", "1.0.0")]
    other, shop = plugin("other", needs={"cache": "<1"}), plugin("shop", needs={"other": "*", "cache": ">=1"})
    words = ["cache 2.0.0 (needs a platform of >=2), cache 1.0.0"]
    only("E1204", "shop/plugin.yml:11 dependencies.cache", words, resolve, shop, [*versions, other], "1.0.0")


@pytest.mark.parametrize(
    ("constraint", "offered", "chosen"),
    [
        (">=1", ["3.0.0-rc.1", "2.0.0"], "2.0.0"),
        ("*", ["3.0.0-rc.1"], "3.0.0-rc.1"),
        (">=3.0.0-rc.1", ["3.0.0-rc.1", "3.0.0-rc.2"], "3.0.0-rc.2"),
        (">=1.0.0-rc.1", ["3.0.0-rc.1", "2.0.0"], "3.0.0-rc.1"),
        (">=1,!=2.0.0", ["3.0.0-rc.1", "2.0.0"], "3.0.0-rc.1"),
    ],
)
def test_a_prerelease_is_chosen_where_it_is_named_or_nothing_else_suits(constraint, offered, chosen):
    versions = [plugin("database", text) for text in offered]
    found = resolve(plugin("shop", needs={"database": constraint}), versions)
    assert names(found.order)[0] == "database %s" % chosen


def test_a_prerelease_that_is_deployed_stays():
    versions = [plugin("database", text) for text in ("3.0.0-rc.1", "2.0.0")]
    found = resolve(plugin("shop", needs={"database": "*"}), versions, deployed=on_host(database="3.0.0-rc.1"))
    assert names(found.order)[0] == "database 3.0.0-rc.1"


@pytest.mark.parametrize(("constraint", "chosen"), [("^1", "1.9.0"), ("*", "2.0.0"), ("^3", "2.0.0")])
def test_of_a_plugin_that_is_deployed_a_version_is_preferred_that_suits_everyone_there(constraint, chosen):
    versions = [plugin("database", text) for text in ("1.0.0", "1.9.0", "2.0.0")]
    host = on_host(database="1.5.0", other="1.0.0")
    host["other"]["needs"] = {"database": {"plugin": "database", "constraint": constraint}}
    assert names(resolve(plugin("shop", needs={"database": ">=1"}), versions, deployed=host).order)[0] == (
        "database %s" % chosen
    )


def test_a_cycle_is_refused_with_its_chain(only):
    a, b, c = plugin("a", needs={"b": "*"}), plugin("b", needs={"c": "*"}), plugin("c", needs={"b": "*"})
    only("E1202", "c/plugin.yml:10 dependencies.b", ["b -> c -> b"], resolve, a, [b, c])


def test_a_cycle_through_the_plugin_itself_is_refused(only):
    a, b = plugin("a", needs={"b": "*"}), plugin("b", needs={"a": "*"})
    only("E1202", "b/plugin.yml:10 dependencies.a", ["a -> b -> a"], resolve, a, [b])


def test_a_plugin_that_depends_on_itself_is_refused(only):
    a = plugin("a", needs={"a": "*"})
    only("E1201", "a/plugin.yml:10 dependencies.a", ["a -> a"], resolve, a, [])


def test_a_missing_dependency_names_the_chain_of_requirers(only):
    shop, cache = plugin("shop", needs={"cache": "*"}), plugin("cache", needs={"database": ">=2"})
    words = ["shop -> cache requires >=2", "database", "WINDFLOW_PLUGINS_PATH"]
    only("E1203", "cache/plugin.yml:10 dependencies.database", words, resolve, shop, [cache])


def test_an_unsatisfiable_dependency_names_both_requirers(only):
    cache = plugin("cache", needs={"database": "<2"})
    shop = plugin("shop", needs={"cache": "*", "database": ">=2"})
    versions = [plugin("database", "1.0.0"), plugin("database", "2.0.0")]
    words = ["shop -> cache requires <2", "shop requires >=2", "database 2.0.0, database 1.0.0"]
    problem = only("E1204", "shop/plugin.yml:11 dependencies.database", words, resolve, shop, [cache, *versions])
    assert "shop -> database" not in problem.sentence


def test_a_large_tangle_ends():
    layers = 12
    many = [
        plugin("p%d" % layer, "%d.0.0" % number, needs={"p%d" % (layer + 1): "==%d.0.0" % (number % 3)})
        for layer in range(layers)
        for number in range(6)
    ]
    from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError

    with pytest.raises(WindflowError) as caught:
        resolve(plugin("shop", needs={"p0": "*"}), many)
    assert caught.value.code in ("E1203", "E1204")


def test_a_plugin_that_is_deployed_comes_before_another_one_of_the_very_name():
    postgres = plugin("postgres", provides={"database": "2.0.0"})
    shop = plugin("shop", needs={"database": "*"})
    candidates = [postgres, plugin("database")]
    assert names(resolve(shop, candidates).order) == ["database 1.0.0", "shop 1.0.0"]
    found = resolve(shop, candidates, deployed=on_host(postgres="1.0.0"))
    assert names(found.order) == ["postgres 1.0.0", "shop 1.0.0"]


def test_what_is_met_from_elsewhere_is_not_looked_for():
    shop = plugin("shop", needs={"database": ">=2", "cache": "*"})
    found = resolve(shop, [plugin("cache")], external=["database"])
    assert names(found.order) == ["cache 1.0.0", "shop 1.0.0"] and list(found.providers) == ["cache"]


def test_each_direct_dependency_knows_the_plugin_that_provides_it():
    postgres = plugin("postgres", provides={"database": "2.0.0"}, needs={"disk": "*"})
    found = resolve(plugin("shop", needs={"database": "*"}), [postgres, plugin("disk")])
    assert {name: manifest.name for name, manifest in found.providers.items()} == {"database": "postgres"}
