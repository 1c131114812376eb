# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the template plugin's application does."""

from __future__ import annotations


def test_maintenance_closes_the_page_and_keeps_health_and_listing(config, start):
    settings = config("template", features={"maintenance_mode": True})
    app = start("template", settings)
    page = app.get("/", Accept="text/html")
    assert page.status == 503 and "Maintenance" in page.text and page.headers["Retry-After"]
    assert app.post("/items", {"name": "x"}).status == 503
    assert app.get("/healthz").json["status"] == "ok"
    assert (app.get("/items").status, app.get("/items").json) == (200, [])
    assert app.get("/static/style.css").status == 200


def test_the_page_shows_features_and_mail(config, start):
    settings = config(
        "template",
        email={"smtp_server": "smtp.example.com", "sender": "noreply@example.com"},
        features={"enable_registration": False, "enable_social_login": True},
    )
    page = start("template", settings).get("/").text
    assert "<dt>Registration</dt><dd>off</dd>" in page
    assert "<dt>Social login</dt><dd>on</dd>" in page
    assert "<dt>Mail from</dt><dd>noreply@example.com</dd>" in page


def test_without_a_file_the_documented_variables_are_used(config, start):
    database = config("template")["database"]
    variables = {
        "WINDFLOW_CONFIG": None,
        "DB_HOST": database["host"],
        "DB_PORT": str(database["port"]),
        "DB_NAME": database["name"],
        "DB_USER": database["user"],
        "DB_PASSWORD": database["password"],
        "SECRET_KEY": "k",
        "DEBUG": "true",
        "LOG_LEVEL": "error",
    }
    app = start("template", {}, variables=variables)
    assert app.get("/healthz").status == 200
    assert "DEBUG items: GET /healthz" in app.log
