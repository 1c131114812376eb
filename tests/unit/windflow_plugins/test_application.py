# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What both plugins' applications do, over HTTP and against a real database."""

from __future__ import annotations

import os
import signal
import threading

import pytest

from .conftest import NAMES, RELEASE, wait_until

pytestmark = [
    pytest.mark.system,
    pytest.mark.parametrize("plugin", NAMES),
]


def test_answers_carry_version_release_and_instance(plugin, app):
    health = app.get("/healthz")
    assert (health.status, health.json) == (
        200,
        {"status": "ok", "version": "1.0.0", "release": RELEASE, "instance": "1"},
    )
    for path, status in (("/", 200), ("/items", 200), ("/healthz", 200), ("/nothing", 404)):
        answer = app.get(path)
        assert answer.status == status
        assert answer.headers["X-Windflow-Release"] == RELEASE
        assert answer.headers["X-Windflow-Instance"] == "1"
    assert RELEASE in app.get("/").text


def test_items_outlive_a_restart_and_are_rows_in_the_database(plugin, config, start, postgres):
    settings = config(plugin)
    app = start(plugin, settings)
    added = app.post("/items", {"name": "first"})
    assert (added.status, added.json["name"]) == (201, "first")
    assert app.post("/items", "name=second").status == 201
    app.stop()
    app.start()
    assert [item["name"] for item in app.get("/items").json] == ["first", "second"]
    assert app.get("/items").json[0] == added.json
    assert postgres.sql("select name from items order by id", settings["database"]["name"]) == "first\nsecond"


def test_replicas_that_start_together_make_the_table_once(plugin, config, start):
    settings = config(plugin)
    started = []
    threads = [
        threading.Thread(target=lambda: started.append(start(plugin, settings, workers=3))) for _unused in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(started) == 3
    for app in started:
        assert app.get("/healthz").status == 200
        assert "not ready" not in app.log


def test_health_follows_the_database_and_requests_recover_by_themselves(plugin, config, start, postgres):
    settings = config(plugin)
    app = start(plugin, settings)
    app.post("/items", {"name": "kept"})
    postgres.stop()
    try:
        sick = app.get("/healthz")
        assert (sick.status, sick.json["status"]) == (503, "unavailable")
        assert sick.json["reason"] == "The database cannot be reached or refused the login."
        assert app.get("/items").status == 503
        assert app.get("/", Accept="text/html").status == 503
        assert app.post("/items", {"name": "lost"}).status == 503
    finally:
        postgres.start()
    # Both workers held connections to the server that is gone.
    assert [app.get("/healthz").status for _unused in range(10)] == [200] * 10
    assert [item["name"] for item in app.get("/items").json] == ["kept"]
    assert app.get("/items").status == 200


def test_no_request_meets_a_connection_that_died_with_the_server(plugin, config, start, postgres):
    app = start(plugin, config(plugin))
    for _unused in range(6):
        assert app.get("/items").status == 200
    postgres.restart()
    assert [app.get("/items").status for _unused in range(10)] == [200] * 10


def test_starts_without_a_database_and_makes_its_table_once_there_is_one(plugin, config, start, postgres):
    settings = config(plugin)
    postgres.stop()
    try:
        app = start(plugin, settings)
        assert app.get("/healthz").status == 503
    finally:
        postgres.start()
    assert app.get("/healthz").status == 200
    assert app.post("/items", {"name": "first"}).status == 201


def test_a_worker_that_is_killed_is_replaced(plugin, config, start):
    app = start(plugin, config(plugin))
    with open("/proc/%d/task/%d/children" % (app.process.pid, app.process.pid), encoding="ascii") as children:
        os.kill(int(children.read().split()[0]), signal.SIGKILL)
    wait_until(lambda: app.log.count("Booting worker") == 3, 10, "a new worker")
    assert [app.get("/items").status for _unused in range(10)] == [200] * 10


def test_a_wrong_password_makes_it_unhealthy_and_shows_nothing(plugin, config, start):
    settings = config(plugin, database={"password": "canary-5f2d"})
    app = start(plugin, settings)
    answers = [app.get("/healthz"), app.get("/items"), app.get("/", Accept="text/html")]
    assert [answer.status for answer in answers] == [503] * 3
    for answer in answers:
        assert settings["database"]["user"] not in answer.text
    assert "canary" not in app.log + "".join(answer.text for answer in answers)


def test_an_application_role_without_the_right_to_create_tables_can_use_one(plugin, config, start, postgres):
    settings = config(plugin)
    name = settings["database"]["name"]
    start(plugin, settings).stop()
    postgres.sql("alter schema public owner to test; revoke create on schema public from public, %s" % name, name)
    app = start(plugin, settings)
    assert app.post("/items", {"name": "first"}).status == 201
    assert "not ready" not in app.log


def test_names_are_shown_as_text(plugin, app):
    evil = "<script>alert(1)</script>\"'&{{ 1337*7331 }}"  # a product that no time of day holds
    assert app.post("/items", {"name": evil}).json["name"] == evil
    page = app.get("/").text
    assert "<script" not in page and "9801547" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;{{ 1337*7331 }}" in page
    assert app.get("/items").json[0]["name"] == evil


def test_names_that_cannot_be_stored_are_refused(plugin, app):
    bad_names = ["", "  ", 5, None, "a\0b", "a\nb", "\ud800", "x" * 201]
    bodies = [{}, [], "name", "other=1", "", *({"name": name} for name in bad_names)]
    answers = [(body, app.post("/items", body)) for body in bodies]
    assert [(body, answer.status, list(answer.json)) for body, answer in answers] == [
        (body, 400, ["error"]) for body in bodies
    ]
    assert app.get("/items").json == []


def test_a_body_that_is_not_json_or_too_large_is_refused(plugin, app):
    assert app.post("/items", "{", Content_Type="application/json").status == 400
    assert app.post("/items", "name=" + "x" * 1_000_000).status == 413


def test_a_browser_is_sent_back_to_the_page_and_told_what_was_added(plugin, app):
    added = app.post("/items", "name=%3Cb%3E", Accept="text/html", Origin="http://localhost:8080")
    assert (added.status, added.headers["Location"]) == (303, "/")
    cookie = added.headers["Set-Cookie"]
    assert cookie.startswith(plugin + "-session=") and "HttpOnly" in cookie and "SameSite=Lax" in cookie
    page = app.get("/", Accept="text/html", Cookie=cookie.split(";")[0])
    assert "Added: &lt;b&gt;" in page.text
    forged = "%s-session=eyJfZmxhc2hlcyI6W3siIHQiOlsibWVzc2FnZSIsImZvcmdlZCJdfV19.aaaaaa.bbbb" % plugin
    assert "forged" not in app.get("/", Cookie=forged).text


def test_a_form_on_another_site_adds_nothing(plugin, app):
    for origin in ("http://evil.example", "null", "http://["):
        assert app.post("/items", "name=x", Accept="text/html", Origin=origin).status == 403, origin
    assert app.get("/items").json == []


def test_logging_follows_level_and_debug(plugin, config, start):
    quiet = start(plugin, config(plugin, app={"log_level": "warning"}))
    quiet.get("/items")
    assert "GET /items" not in quiet.log
    loud = start(plugin, config(plugin, app={"log_level": "warning", "debug": True}))
    loud.get("/items")
    assert "DEBUG items: GET /items: 200 in" in loud.log
    assert "<dd>on</dd>" in loud.get("/").text


def test_the_listing_is_bounded(plugin, app, postgres):
    postgres.sql(
        "insert into items (name) select 'n' || g from generate_series(1, 1200) g", app.config["database"]["name"]
    )
    listed = app.get("/items").json
    assert (len(listed), listed[0]["name"], listed[-1]["name"]) == (1000, "n201", "n1200")
    page = app.get("/").text
    assert page.count("<li>") == 50 and page.index("n1200") < page.index("n1151") and "n1150<" not in page
