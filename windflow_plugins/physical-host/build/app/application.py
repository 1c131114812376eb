# Copyright (c) 2026 Windflow contributors
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list of items with notes: the sample application of the physical-host plugin.

``/`` is a page, ``/items`` the same as JSON, ``/items/<id>/note`` an item's note, ``/healthz`` tells
whether the database answers and notes can be stored. Items live in PostgreSQL, notes in the data directory.
"""

from __future__ import annotations

import logging
import os
import time
import unicodedata
from collections.abc import Mapping
from urllib.parse import urlsplit

import psycopg
from flask import Flask, abort, flash, g, jsonify, redirect, render_template, request, send_file
from werkzeug.exceptions import HTTPException

import settings
from database import Database
from notes import Notes

PAGE_ITEMS = 50
LISTED_ITEMS = 1000
NAME_LENGTH = 200
NOTE_BYTES = 256 * 1024

log = logging.getLogger("items")


def create_app(config: dict, environ: Mapping[str, str]) -> Flask:
    options = config["app"]
    allowed_hosts = [name.lower() for name in options.get("allowed_hosts", [])]
    debug = options.get("debug", False)
    level = "debug" if debug else options.get("log_level", "info")
    logging.basicConfig(level=level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")

    plugin = environ.get("WINDFLOW_PLUGIN", "items")
    identity = {
        "version": environ.get("WINDFLOW_VERSION", ""),
        "release": environ.get("WINDFLOW_RELEASE", ""),
        "instance": environ.get("WINDFLOW_INSTANCE", "0"),
    }
    database = Database(config["database"], settings.connections(config))
    notes = Notes(environ.get("WINDFLOW_DATA_DIR") or options["data_dir"])

    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=options["secret_key"],
        # Cookies know no ports: two plugins on one host must not overwrite each other's.
        SESSION_COOKIE_NAME=plugin + "-session",
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=2 * NOTE_BYTES,
    )
    app.json.sort_keys = False

    try:
        database.prepare()
    except psycopg.Error as error:
        # Not fatal: /healthz says so, and the first request after the database is back creates the table.
        log.warning("the database is not ready: %s", error)

    @app.before_request
    def before() -> None:
        g.started = time.monotonic()
        # A probe may come by address or over the socket; it has no name that could be in the list.
        if request.endpoint != "healthz" and not is_allowed(request.host, allowed_hosts):
            abort(421, "This host name is not served here.")

    @app.after_request
    def after(response):
        response.headers["X-Windflow-Release"] = identity["release"]
        response.headers["X-Windflow-Instance"] = identity["instance"]
        response.headers["Content-Security-Policy"] = "default-src 'none'; style-src 'self'; form-action 'self'"
        if response.status_code == 503:
            response.headers["Retry-After"] = "10"
        if debug:
            took = (time.monotonic() - g.started) * 1000
            log.debug("%s %s: %d in %.1f ms", request.method, request.path, response.status_code, took)
        return response

    @app.get("/healthz")
    def healthz():
        try:
            database.check()
        except psycopg.Error as error:
            log.warning("unhealthy: %s", error)
            return {"status": "unavailable", "reason": reason(error), **identity}, 503
        problem = notes.problem()
        if problem:
            log.warning("unhealthy: %s", problem)
            return {"status": "unavailable", "reason": problem, **identity}, 503
        return {"status": "ok", **identity}

    @app.get("/")
    def index():
        state = {"Answers to": ", ".join(allowed_hosts) or "any host name", "Debug": "on" if debug else "off"}
        return render_template("index.html", title=plugin, identity=identity, state=state,
                               items=database.items(PAGE_ITEMS), name_length=NAME_LENGTH)

    @app.get("/items")
    def items():
        return jsonify([as_json(item) for item in database.items(LISTED_ITEMS)])

    @app.post("/items")
    def add():
        refuse_foreign_forms()
        data = request.get_json() if request.is_json else request.form
        name = data.get("name") if hasattr(data, "get") else None
        name = name.strip() if isinstance(name, str) else ""
        if not name or len(name) > NAME_LENGTH or has_controls(name):
            abort(400, "name: expected 1 to %d characters, none of them control characters." % NAME_LENGTH)
        note = note_of(data)
        if len(note) > NOTE_BYTES:
            abort(413, "note: expected at most %d bytes." % NOTE_BYTES)
        item = database.add(name, note, notes.write)
        if wants_page():
            flash("Added: " + name)
            return redirect("/", 303)
        return as_json(item), 201

    @app.get("/items/<int:item>/note")
    def note(item: int):
        path = notes.path(item)
        if path is None:
            abort(404, "There is no note for this item.")
        # As plain text, whatever is in it: an uploaded page must not run as ours.
        return send_file(path, mimetype="text/plain")

    @app.errorhandler(OSError)
    def storage_error(error: OSError):
        log.error("%s %s: %s", request.method, request.path, error)
        return answer(507, "The note could not be stored.")

    @app.errorhandler(psycopg.Error)
    def database_error(error: psycopg.Error):
        log.error("%s %s: %s", request.method, request.path, error)
        return answer(503 if isinstance(error, psycopg.OperationalError) else 500, reason(error))

    @app.errorhandler(HTTPException)
    def http_error(error: HTTPException):
        return answer(error.code, error.description)

    def answer(status: int, message: str):
        if wants_page():
            return render_template("message.html", title=plugin, message=message), status
        return {"error": message}, status

    return app


def as_json(item: dict) -> dict:
    return {**item, "created": item["created"].isoformat()}


def note_of(data: Mapping) -> bytes:
    """The note of a JSON document (text) or of a form (text, or a file); empty if there is none."""
    uploaded = request.files.get("note")
    if uploaded:
        return uploaded.read()
    text = data.get("note") or ""
    if not isinstance(text, str) or any(unicodedata.category(character) == "Cs" for character in text):
        abort(400, "note: expected text.")
    return text.encode()


def is_allowed(host: str, allowed: list[str]) -> bool:
    """Whether a Host header's name is in the list, by nginx's rules: ``*.example.com`` means every name
    below example.com, ``.example.com`` these and itself. An empty list or ``*`` allows every name."""
    name = host_name("//" + host)
    return not allowed or any(
        entry in ("*", name, "." + name) or (entry.startswith((".", "*.")) and name.endswith(entry.removeprefix("*")))
        for entry in allowed
    )


def has_controls(text: str) -> bool:
    """Control characters, and the half characters that no database can store."""
    return any(unicodedata.category(character) in ("Cc", "Cs") for character in text)


def wants_page() -> bool:
    """Browsers name text/html; curl, scripts and probes do not."""
    return "text/html" in request.headers.get("Accept", "")


def refuse_foreign_forms() -> None:
    """Browsers say where a form came from; another site's must not add items here.

    Host names are compared without ports, which a proxy may have changed.
    """
    origin = request.headers.get("Origin")
    if origin and host_name(origin) != host_name("//" + request.host):
        abort(403, "This form came from another site.")


def host_name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def reason(error: psycopg.Error) -> str:
    """What is wrong, without names of hosts, roles or databases: anybody may read it."""
    if error.sqlstate is None and isinstance(error, psycopg.OperationalError):
        # No code: the server was not reached, or it refused the login before there was a connection.
        return "The database cannot be reached or refused the login."
    return "The database reported error %s." % (error.sqlstate or type(error).__name__)


app = create_app(settings.load(os.environ["WINDFLOW_CONFIG"]), os.environ)
