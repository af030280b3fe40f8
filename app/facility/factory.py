"""Builds the facility wing's application. The only module of the wing that knows every room."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from app.core import signin
from app.core.web import make_flask
from app.facility.db import db

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

ROOMS = ("organizations", "catalog", "stock", "till", "counter")
SHELF = ("views", "passport_views", "label_views", "price_views")
KEEPING = ("views", "check_views", "climate_views")
DELIVERY_PAGES = ("delivery_views", "code_views", "case_views")
SUPPLIER_PAGES = ("views", "paper_views", "approval_views", "payable_views")
BUYING = ("order_views", "proposal_views")
CLINIC = (
    "terms.views", "desk.views", "desk.paper_views", "practice.views", "practice.fee_views", "patients.views", "reception.views", "reception.queue_views", "reception.duty_views", "reception.wall_views",
    "review.views", "dispensing.views", "dispensing.treatment_views", "dispensing.substitution_views",
    "packages.views", "charging.views", "charging.bill_views", "charging.refund_views", "charging.print_views",
    "outflow.views",
    "day.views",
    "care.views", "care.contract_views", "care.plan_views", "referral.views",
)  # fmt: skip


def create_app(
    urls: Mapping[str, str],
    secret: str,
    *,
    testing: bool = False,
    https: bool = False,
    center: Flask | None = None,
    center_url: str | None = None,
) -> Flask:
    """Build the application over the given database addresses (one per role).

    The national interface is asked over HTTP at `center_url`, or in the same process when `center` is given.
    """
    app = make_flask("facility", secret, testing=testing, https=https)
    db.prepare(app, urls)
    app.config.update(CENTER_DOOR=center.extensions["national_door"] if center else None, CENTER_URL=center_url)
    signin.install(app, wing="facility")
    app.extensions["center_state"] = import_module("app.facility.insurance.reachable").center_state
    for pages in SHELF:  # They hang addresses of their own on the stock room's blueprint.
        import_module(f"app.facility.stock.shelf.{pages}")
    for room in ROOMS:
        app.register_blueprint(import_module(f"app.facility.{room}.views").blueprint)
    app.register_blueprint(import_module("app.facility.stock.shelf.views").blueprint)
    app.register_blueprint(import_module("app.facility.stock.transfers.views").blueprint)
    app.register_blueprint(import_module("app.facility.stock.overview.views").blueprint)
    for pages in KEEPING:
        app.register_blueprint(import_module(f"app.facility.stock.keeping.{pages}").blueprint)
    app.register_blueprint(import_module("app.facility.stock.recalls.views").blueprint)
    app.register_blueprint(import_module("app.facility.notices.views").blueprint)
    app.register_blueprint(import_module("app.facility.counter.search").blueprint)
    for pages in SUPPLIER_PAGES:
        app.register_blueprint(import_module(f"app.facility.stock.suppliers.{pages}").blueprint)
    for pages in BUYING:
        app.register_blueprint(import_module(f"app.facility.stock.purchasing.{pages}").blueprint)
    import_module("app.facility.stock.purchasing.note_views")  # Hangs on the deliveries' blueprint.
    for pages in DELIVERY_PAGES:
        app.register_blueprint(import_module(f"app.facility.stock.purchasing.{pages}").blueprint)
    for views in (
        "stock.purchasing.import_views",
        "counter.extras",
        "counter.registers.views",
        "till.invoices.views",
        "till.outflow.views",
    ):
        app.register_blueprint(import_module(f"app.facility.{views}").blueprint)
    app.register_blueprint(import_module("app.facility.stock.counts.counting_views").blueprint)
    for (
        views
    ) in CLINIC:  # With the views come the acts that the recovery worker finishes: registrations, bills, refunds.
        app.register_blueprint(import_module(f"app.facility.clinic.{views}").blueprint)
    app.cli.add_command(import_module("app.facility.organizations.cli").commands)
    app.cli.add_command(import_module("app.facility.clinic.terms.cli").commands)
    return app
