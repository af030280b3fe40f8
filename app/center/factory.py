"""Builds the center wing's application. The only module of the wing that knows every room."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from app.center.db import db
from app.core import signin
from app.core.web import make_flask

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

ROOMS = (
    "registry.officer_views",
    "supervision.views",
    "outflow.views",
    "referral.views",
    "interface.views",
    "registry.demo_views",
)


def create_app(urls: Mapping[str, str], secret: str, *, testing: bool = False, https: bool = False) -> Flask:
    """Build the application over the given database addresses (one per role)."""
    app = make_flask("center", secret, testing=testing, https=https)
    db.prepare(app, urls)
    signin.install(app, wing="center")
    for room in ROOMS:
        app.register_blueprint(import_module(f"app.center.{room}").blueprint)
    app.extensions["national_door"] = import_module("app.center.interface.views").door(app)
    app.cli.add_command(import_module("app.center.registry.officer_cli").commands)
    return app
