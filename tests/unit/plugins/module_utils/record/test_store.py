# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import copy
import json
import os
import stat
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from ansible_collections.windflow.platform.plugins.module_utils.errors import WindflowError
from ansible_collections.windflow.platform.plugins.module_utils.plan import preflight
from ansible_collections.windflow.platform.plugins.module_utils.record import dependents, file_format, store
from ansible_collections.windflow.platform.plugins.module_utils.run import record_info

NOW = 1_800_000_000.0


def begun(remembered, run="run-1", now=NOW, **fields):
    noted = {"release": "rel-" + run, "version": "1.0.0", "target": "host", **fields}
    return store.begin(remembered, run, "ann@controller", "deploy", now, noted)


def deployed(remembered, run, now=NOW, **fields):
    return store.finish(begun(remembered, run, now), run, now, {"paths": {}}, fields, 5)


def failed(remembered, run, now=NOW):
    return store.fail(begun(remembered, run, now), run, now, "site", "no")


def states(remembered):
    return [entry["state"] for entry in remembered["revisions"]]


def test_a_run_that_begins_has_the_lease_and_a_running_revision():
    remembered = begun(store.empty("app"))
    assert states(remembered) == ["running"]
    assert remembered["lease"]["holder"] == "ann@controller"
    assert remembered["lease"]["expires"] == NOW + store.LEASE_SECONDS


def test_beginning_leaves_the_record_it_was_given_alone():
    remembered = store.empty("app")
    begun(remembered)
    assert remembered == store.empty("app")


@pytest.mark.fault(19)
def test_a_second_run_is_told_who_holds_the_lease_since_when_for_what_and_where():
    remembered = store.at_step(begun(store.empty("app")), "run-1", "site", NOW)
    with pytest.raises(WindflowError) as caught:
        begun(remembered, "run-2", NOW + 10)
    message = str(caught.value)
    assert caught.value.code == "E5001"
    for word in ("ann@controller", "deploy", store.stamp(NOW), "site"):
        assert word in message


def test_the_same_run_enters_again_without_a_second_revision():
    remembered = begun(begun(store.empty("app")), now=NOW + 60)
    assert states(remembered) == ["running"]
    assert remembered["lease"]["expires"] == NOW + 60 + store.LEASE_SECONDS


@pytest.mark.fault(20)
def test_a_lease_that_ran_out_leaves_its_revision_abandoned_at_its_step():
    remembered = store.at_step(begun(store.empty("app")), "run-1", "virtualenv", NOW)
    remembered = begun(remembered, "run-2", NOW + store.LEASE_SECONDS + 1)
    assert states(remembered) == ["abandoned", "running"]
    assert remembered["revisions"][0]["step"] == "virtualenv"


def test_a_step_renews_the_lease():
    remembered = store.at_step(begun(store.empty("app")), "run-1", "site", NOW + 500)
    assert remembered["lease"]["expires"] == NOW + 500 + store.LEASE_SECONDS


def test_a_lease_is_renewed_for_as_long_as_it_was_taken_or_for_longer():
    remembered = store.begin(store.empty("app"), "run-1", "ann", "deploy", NOW, {}, 5000)
    remembered = store.at_step(remembered, "run-1", "application", NOW + 100)
    assert remembered["lease"]["expires"] == NOW + 5100
    remembered = store.at_step(remembered, "run-1", "backup", NOW + 200, 9000, {"backup": "label"})
    assert remembered["lease"]["expires"] == NOW + 9200 and remembered["revisions"][0]["backup"] == "label"


@pytest.mark.fault(19)
@pytest.mark.parametrize("end", [None, deployed, failed])
def test_a_run_that_was_planned_before_another_one_began_or_ended_does_not_begin(end):
    seen = store.position(deployed(store.empty("app"), "run-1"))
    moved = deployed(store.empty("app"), "run-1")
    moved = end(moved, "run-2") if end else begun(moved, "run-2")
    with pytest.raises(WindflowError) as caught:
        store.begin(moved, "run-3", "bob", "deploy", NOW + 5000, {}, seen=seen)
    assert caught.value.code == "E5005" and "revision 2" in str(caught.value)


def test_a_run_that_was_planned_while_a_dead_one_had_the_lease_begins():
    dead = begun(deployed(store.empty("app"), "run-1"), "run-2")
    remembered = store.begin(dead, "run-3", "bob", "deploy", NOW + 5000, {}, seen=store.position(dead))
    assert states(remembered) == ["deployed", "abandoned", "running"]


@pytest.mark.fault(20)
def test_a_run_whose_lease_was_taken_over_can_neither_go_on_nor_finish():
    remembered = begun(begun(store.empty("app")), "run-2", NOW + store.LEASE_SECONDS + 1)
    with pytest.raises(WindflowError) as caught:
        store.at_step(remembered, "run-1", "site", NOW)
    assert caught.value.code == "E5002"
    with pytest.raises(WindflowError):
        store.finish(remembered, "run-1", NOW, {}, {}, 5)


def test_finishing_makes_the_revision_current_and_the_one_before_superseded():
    remembered = deployed(deployed(store.empty("app"), "run-1"), "run-2", digests={"site": "x"})
    assert states(remembered) == ["superseded", "deployed"]
    assert store.current(remembered)["digests"] == {"site": "x"}
    assert remembered["lease"] is None


def test_a_failed_run_leaves_what_served_before_current():
    remembered = failed(deployed(store.empty("app"), "run-1"), "run-2")
    assert states(remembered) == ["deployed", "failed"]
    assert store.current(remembered)["revision"] == 1


def test_a_removal_leaves_the_history_and_nothing_current():
    remembered = begun(deployed(store.empty("app"), "run-1"), "run-2")
    remembered = store.remove(remembered, "run-2", NOW, {"purged": True})
    assert states(remembered) == ["superseded", "removed"]
    assert remembered["current"] is None and remembered["managed"] == {}
    assert store.latest_present(remembered) is None


@pytest.mark.fault(39)
def test_order_is_by_number_and_not_by_the_clock():
    remembered = deployed(deployed(store.empty("app"), "run-1", NOW), "run-2", NOW - 86_400)
    assert store.kept_releases(remembered, 1) == ["rel-run-2"]


def test_revisions_whose_release_was_pruned_keep_their_history_only():
    remembered = store.empty("app")
    for number in range(1, 4):
        remembered = begun(remembered, "run-%d" % number, config="x: 1")
        remembered = store.finish(remembered, "run-%d" % number, NOW, {}, {}, 2)
    assert ["config" in entry for entry in remembered["revisions"]] == [False, True, True]
    assert states(remembered) == ["superseded", "superseded", "deployed"]


def test_five_failures_leave_the_last_good_release_among_those_kept():
    remembered = deployed(deployed(store.empty("app"), "run-1"), "run-2")
    for number in range(3, 8):
        remembered = failed(remembered, "run-%d" % number)
    assert store.kept_releases(remembered, 2) == ["rel-run-2", "rel-run-1"]


def test_the_current_release_is_kept_even_if_nothing_should_be():
    assert store.kept_releases(deployed(store.empty("app"), "run-1"), 0) == ["rel-run-1"]


@pytest.mark.fault(16)
@pytest.mark.fault(60)
@pytest.mark.parametrize("umask", [0o000, 0o027, 0o077])
def test_a_saved_record_is_read_back_and_private_under_any_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        store.save(begun(store.empty("app")), str(tmp_path))
    finally:
        os.umask(before)
    path = tmp_path / "app" / "record.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert store.load("app", str(tmp_path)) == begun(store.empty("app"))


def test_nothing_but_the_record_and_its_previous_copy_is_left_behind(tmp_path):
    for run in ("run-1", "run-2"):
        store.save(deployed(store.empty("app"), run), str(tmp_path))
    assert sorted(os.listdir(tmp_path / "app")) == ["record.json", "record.json.previous"]


def file_of(tmp_path):
    return tmp_path / "app" / "record.json"


def edited(tmp_path, change, checksum=True):
    """The record's file after somebody's edit; without its checksum, if that was removed too."""
    data = json.loads(file_of(tmp_path).read_text(encoding="utf-8"))
    if not checksum:
        del data["checksum"]
    change(data)
    file_of(tmp_path).write_text(json.dumps(data), encoding="utf-8")


@pytest.mark.fault(38)
@pytest.mark.parametrize(
    "damage", [b"", b'{"format": 1, "plu', b"[]", b'{"format": 99}', b"\xff", b"[" * 99999], ids=len
)
def test_a_damaged_record_is_rebuilt_as_it_was_at_rest(tmp_path, damage):
    first = deployed(store.empty("app"), "run-1")
    store.save(first, str(tmp_path))
    store.save(begun(first, "run-2"), str(tmp_path))
    second = deployed(first, "run-2", digests={"site": "x"})
    store.save(second, str(tmp_path))
    file_of(tmp_path).write_bytes(damage)
    found, why = store.read("app", str(tmp_path))
    assert found == second and found["lease"] is None
    assert "%s is not used" % file_of(tmp_path) in why and "record.json.previous" in why


@pytest.mark.fault(38)
def test_a_record_that_is_damaged_in_place_does_not_take_its_copy_along(tmp_path):
    store.save(deployed(store.empty("app"), "run-1"), str(tmp_path))
    os.truncate(file_of(tmp_path), 10)
    assert store.current(store.load("app", str(tmp_path)))["release"] == "rel-run-1"


@pytest.mark.fault(38)
def test_a_record_that_is_damaged_while_a_run_is_at_work_is_what_was_before_that_run(tmp_path):
    first = deployed(store.empty("app"), "run-1")
    store.save(first, str(tmp_path))
    store.save(begun(first, "run-2"), str(tmp_path))
    file_of(tmp_path).write_bytes(b"{")
    assert store.load("app", str(tmp_path)) == first


@pytest.mark.fault(38)
def test_a_record_that_is_gone_is_rebuilt_too(tmp_path):
    good = deployed(store.empty("app"), "run-1")
    store.save(good, str(tmp_path))
    file_of(tmp_path).unlink()
    assert store.exists("app", str(tmp_path)) and store.load("app", str(tmp_path)) == good


@pytest.mark.fault(38)
def test_an_edit_is_noticed_by_the_checksum_even_where_it_leaves_a_record(tmp_path):
    good = deployed(store.empty("app"), "run-1")
    store.save(good, str(tmp_path))
    edited(tmp_path, lambda data: data["revisions"][0].update(version="9.9.9"))
    found, why = store.read("app", str(tmp_path))
    assert found == good and "changed" in why


@pytest.mark.fault(38)
def test_an_edit_that_is_meant_is_taken_without_its_checksum(tmp_path):
    store.save(deployed(store.empty("app"), "run-1"), str(tmp_path))
    edited(tmp_path, lambda data: data["revisions"][0].update(version="9.9.9"), checksum=False)
    found, why = store.read("app", str(tmp_path))
    assert found["revisions"][0]["version"] == "9.9.9" and why == ""


NO_RECORD = {
    "sequence as a text": lambda data: data.update(sequence="2"),
    "sequence below the last revision": lambda data: data.update(sequence=1),
    "sequence that is a truth value": lambda data: data.update(sequence=True),
    "sequence missing": lambda data: data.pop("sequence"),
    "current unknown": lambda data: data.update(current=7),
    "current not deployed": lambda data: data.update(current=1),
    "lease of another shape": lambda data: data.update(lease={"run": "x"}),
    "lease of a run that is over": lambda data: data.update(lease=dict(LEASE, revision=1)),
    "revisions no list": lambda data: data.update(revisions={}),
    "revision no map": lambda data: data["revisions"].append(3),
    "revision twice": lambda data: data["revisions"].append(dict(data["revisions"][1])),
    "revision without a state": lambda data: data["revisions"][0].pop("state"),
    "state unknown": lambda data: data["revisions"][0].update(state="good"),
    "release a number": lambda data: data["revisions"][0].update(release=3),
    "digests a list": lambda data: data["revisions"][0].update(digests=[]),
    "managed no map": lambda data: data.update(managed=[]),
    "managed path without a step": lambda data: data["managed"]["paths"].update({"/x": {}}),
    "managed trees no maps": lambda data: data["managed"].update(trees=["/x"]),
}
LEASE = begun(store.empty("app"))["lease"]


@pytest.mark.fault(38)
@pytest.mark.parametrize("change", NO_RECORD.values(), ids=NO_RECORD)
def test_an_edit_that_leaves_no_record_is_not_used_and_the_copy_is(tmp_path, change):
    good = deployed(deployed(store.empty("app"), "run-1"), "run-2")
    store.save(good, str(tmp_path))
    edited(tmp_path, change, checksum=False)
    assert store.load("app", str(tmp_path)) == good


REAL = Path(__file__).parents[4] / "fixtures" / "record.json"


def places(value, path=()):
    """The path of each key and item of a record."""
    for key, part in value.items() if isinstance(value, dict) else enumerate(value):
        yield (*path, key)
        if isinstance(part, (dict, list)):
            yield from places(part, (*path, key))


def changed(data, path, how):
    data = copy.deepcopy(data)
    *parents, last = path
    part = data
    for key in parents:
        part = part[key]
    if how is None:
        del part[last]
    else:
        part[last] = how[0]
    return data


@pytest.mark.fault(89)
@pytest.mark.parametrize("how", [None, ["x"], [7], [None], [[]], [{}], [True], [[7]], [1e999]], ids=str)
def test_after_any_edit_that_is_meant_the_record_is_understood_or_its_copy_is_taken(tmp_path, how):
    """Everything that a command asks of a record works, or says with a code what is wrong."""
    real = json.loads(REAL.read_text(encoding="utf-8"))
    folder = tmp_path / "template"
    folder.mkdir()
    (folder / "record.json.previous").write_bytes(file_format.encode(real))
    taken = 0
    for path in places(real):
        file = folder / "record.json"
        file.write_text(json.dumps(changed(real, path, how)), encoding="utf-8")
        try:
            found, why = store.read("template", str(tmp_path))
            taken += bool(why)
            shown = record_info.view(found, ask=False)
            known = dependents.survey(str(tmp_path))
            dependents.needing("other", known["plugins"], known["at_work"])
            store.finish(store.begin(found, "r", "me", "upgrade", 2e9, {}), "r", 2e9, {}, {"release": "n"}, 5)
            preflight.downgrade(
                SimpleNamespace(version="1.0.0", name="template"), SimpleNamespace(downgrade=False), shown
            )
        except WindflowError as error:
            assert error.code.startswith("E"), path
        except Exception as error:
            raise AssertionError("%s: %r" % (path, error)) from error
    # Most of it is noted by a run, and no edit takes it away.
    assert taken > 40


@pytest.mark.fault(38)
def test_a_record_of_before_without_a_checksum_is_read(tmp_path):
    remembered = failed(deployed(store.empty("app"), "run-1"), "run-2")
    (tmp_path / "app").mkdir()
    for kept in (remembered, begun(remembered, "run-3")):
        file_of(tmp_path).write_text(json.dumps(kept), encoding="utf-8")
        assert store.read("app", str(tmp_path)) == (kept, "")


@pytest.mark.fault(38)
@pytest.mark.parametrize("copy", [None, "[]", "run"], ids=["none", "damaged", "of a run at work"])
def test_a_damaged_record_without_a_copy_is_an_error_that_names_the_file_and_the_remedy(tmp_path, copy):
    (tmp_path / "app").mkdir()
    file_of(tmp_path).write_text("{", encoding="utf-8")
    if copy:
        text = json.dumps(begun(store.empty("app"))) if copy == "run" else copy
        (tmp_path / "app" / "record.json.previous").write_text(text, encoding="utf-8")
    with pytest.raises(WindflowError) as caught:
        store.load("app", str(tmp_path))
    assert caught.value.code == "E5003"
    assert str(file_of(tmp_path)) in str(caught.value) and "restore it from a backup" in str(caught.value)


@pytest.mark.fault(38)
def test_what_was_rejected_is_kept_beside_the_record_that_is_written_in_its_place(tmp_path):
    good = deployed(store.empty("app"), "run-1")
    store.save(good, str(tmp_path))
    file_of(tmp_path).write_text("{", encoding="utf-8")
    store.set_aside("app", str(tmp_path))
    assert store.load("app", str(tmp_path)) == good
    store.save(begun(good, "run-2"), str(tmp_path))
    assert (tmp_path / "app" / "record.json.rejected").read_text(encoding="utf-8") == "{"


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB: ``small_disk(left)`` fills it but for that many bytes."""
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(place)], check=True)

    def fill(left=0):
        (place / "filler").unlink(missing_ok=True)
        free = os.statvfs(place)
        descriptor = os.open(place / "filler", os.O_WRONLY | os.O_CREAT)
        os.posix_fallocate(descriptor, 0, free.f_bavail * free.f_bsize - left)
        os.close(descriptor)
        return str(place)

    yield fill
    subprocess.run(["umount", str(place)], check=True)


@pytest.mark.fault(26)
def test_what_is_reserved_for_the_end_of_a_run_is_not_given_up_in_between(tmp_path):
    opened = begun(store.empty("app"))
    store.save(opened, str(tmp_path))
    reserve = tmp_path / "app" / "record.json.reserve"
    before = reserve.stat()
    assert before.st_size > store.RESERVE_BYTES and before.st_blocks * 512 >= before.st_size
    store.save(store.at_step(opened, "run-1", "application", NOW), str(tmp_path))
    assert reserve.stat().st_ino == before.st_ino
    store.save(store.unlock(opened, "bob", NOW), str(tmp_path))
    assert not reserve.exists()


@pytest.mark.system
@pytest.mark.fault(26)
def test_a_run_does_not_begin_on_a_full_disk_and_the_record_stays(small_disk):
    good = deployed(store.empty("app"), "run-1")
    place = small_disk(1 << 20)
    store.save(good, place)
    small_disk(8192)
    with pytest.raises(WindflowError) as caught:
        store.save(begun(good, "run-2"), place)
    assert caught.value.code == "E5004" and "No space left on device" in str(caught.value)
    assert store.load("app", place) == good
    assert sorted(os.listdir(os.path.join(place, "app"))) == ["record.json", "record.json.previous"]


@pytest.mark.system
@pytest.mark.fault(26)
def test_a_run_that_began_can_record_its_end_on_a_disk_that_was_filled_meanwhile(small_disk):
    place = small_disk(1 << 20)
    opened = begun(store.empty("app"))
    store.save(opened, place)
    small_disk(0)
    with pytest.raises(WindflowError):
        store.save(store.at_step(opened, "run-1", "site", NOW), place)
    ended = store.finish(opened, "run-1", NOW, {"paths": {}}, {"digests": {"x": "y" * 100_000}}, 5)
    store.save(ended, place)
    assert store.load("app", place) == ended
    assert sorted(os.listdir(os.path.join(place, "app"))) == ["record.json", "record.json.previous"]


@pytest.mark.system
@pytest.mark.fault(26)
def test_a_lease_that_a_full_disk_does_not_let_be_renewed_is_the_runs_all_the_same(small_disk):
    place = small_disk(1 << 20)
    opened = begun(store.empty("app"))
    store.save(opened, place)
    small_disk(0)
    store.renew("app", "run-1", "switch", state_dir=place)
    assert store.load("app", place) == opened
    for run, fields, code in (("run-2", None, "E5002"), ("run-1", {"backup": "label"}, "E5004")):
        with pytest.raises(WindflowError) as caught:
            store.renew("app", run, "switch", fields=fields, state_dir=place)
        assert caught.value.code == code


def test_a_plugin_without_a_record_has_an_empty_one(tmp_path):
    assert store.load("app", str(tmp_path)) == store.empty("app")


@pytest.mark.fault(17)
def test_a_planted_link_is_not_written_through(tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious", encoding="utf-8")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "record.json").symlink_to(victim)
    store.save(store.empty("app"), str(tmp_path))
    assert victim.read_text(encoding="utf-8") == "precious"
    assert not file_of(tmp_path).is_symlink() and store.load("app", str(tmp_path)) == store.empty("app")


def went_back(remembered, run, release):
    opened = store.begin(remembered, run, "ann@controller", store.ROLLBACK, NOW, {"release": release, "digests": {}})
    return store.finish(opened, run, NOW, {}, {"digests": {"site": "1"}}, 5)


def good(remembered):
    return [entry["release"] for entry in store.good(remembered)]


def test_a_rollback_goes_to_the_last_good_release_and_never_to_a_failed_one():
    remembered = store.empty("app")
    assert good(remembered) == []
    for run in ("run-1", "run-2", "run-3"):
        remembered = deployed(remembered, run, digests={"site": "1"})
    assert good(failed(remembered, "run-4")) == ["rel-run-2", "rel-run-1"]


def test_what_was_rolled_back_from_is_never_gone_back_to():
    remembered = store.empty("app")
    for run in ("run-1", "run-2", "run-3"):
        remembered = deployed(remembered, run, digests={"site": "1"})
    remembered = went_back(remembered, "run-4", "rel-run-2")
    assert states(remembered) == ["superseded", "superseded", "rolled_back", "deployed"]
    assert good(remembered) == ["rel-run-1"]


def test_a_plugin_without_a_program_goes_back_to_its_networks_of_before():
    def lan(remembered, run, networks, purpose="deploy"):
        fields = {"release": "rel", "digests": {}, "host": {"program": "", "networks": networks}}
        opened = store.begin(remembered, run, "ann@controller", purpose, NOW, fields)
        return store.finish(opened, run, NOW, {}, {"digests": {"network": "1"}}, 5)

    remembered = store.empty("lan")
    for run, networks in (("run-1", []), ("run-2", [{"name": "a"}]), ("run-3", [{"name": "a"}])):
        remembered = lan(remembered, run, networks)
    assert [entry["revision"] for entry in store.good(remembered)] == [1]
    remembered = lan(remembered, "run-4", [{"name": "b"}])
    assert [entry["revision"] for entry in store.good(remembered)] == [3, 1]
    remembered = lan(remembered, "run-5", [{"name": "a"}], store.ROLLBACK)
    assert states(remembered)[3:] == ["rolled_back", "deployed"]
    assert [entry["revision"] for entry in store.good(remembered)] == [1]


def test_five_failures_leave_the_last_good_release_as_the_one_to_go_back_to():
    remembered = deployed(deployed(store.empty("app"), "run-1", digests={"x": "1"}), "run-2", digests={"x": "1"})
    for number in range(5):
        remembered = failed(remembered, "bad-%d" % number)
    assert good(remembered) == ["rel-run-1"]
    assert store.kept_releases(remembered, 2) == ["rel-run-2", "rel-run-1"]


def test_a_release_that_was_pruned_is_not_gone_back_to():
    remembered = store.empty("app")
    for run in ("run-1", "run-2", "run-3", "run-4"):
        remembered = store.finish(begun(remembered, run), run, NOW, {}, {"digests": {"x": "1"}}, 2)
    assert good(remembered) == ["rel-run-3"]


def test_nothing_from_before_a_removal_is_gone_back_to():
    remembered = store.empty("app")
    for run in ("run-1", "run-2"):
        remembered = deployed(remembered, run, digests={"x": "1"})
    remembered = store.remove(begun(remembered, "run-3"), "run-3", NOW, {"purged": False})
    assert good(remembered) == []
    assert good(deployed(remembered, "run-4", digests={"x": "1"})) == []
    twice = deployed(deployed(remembered, "run-4", digests={"x": "1"}), "run-5", digests={"x": "1"})
    assert good(twice) == ["rel-run-4"]


def test_unlocking_leaves_the_run_abandoned_and_says_who_did_it():
    remembered = store.unlock(begun(store.empty("app")), "bob", NOW + 5)
    assert remembered["lease"] is None and states(remembered) == ["abandoned"]
    assert remembered["revisions"][0]["error"] == "unlocked by bob"
    assert store.unlock(remembered, "bob", NOW + 6) == remembered


@pytest.mark.parametrize("name", ["", ".", "../ssh", "./app/", "App", "a" * 65])
def test_what_is_no_name_of_a_plugin_has_no_record(tmp_path, name):
    (tmp_path / "record.json").write_text("{}")
    for call in (store.read, store.exists, store.directory):
        with pytest.raises(WindflowError) as caught:
            call(name, str(tmp_path))
        assert caught.value.code == "E1032"
    (tmp_path / "Not-A-Name").mkdir()
    (tmp_path / "Not-A-Name" / "record.json").write_text("{}")
    assert store.names(str(tmp_path)) == []
