"""The pages of deliveries and acceptance (到货验收): the list, a new one, unpacking it by scanner, the record and its print."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import msgspec
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import barcodes, clock, shell, signin
from app.core.approval import second_person
from app.core.errors import NotFound, Refusal, WrongInput
from app.core.signin import needs
from app.facility.stock import rulebook
from app.facility.stock.purchasing import deliveries, delivery_forms, looking, queries, rules
from app.facility.stock.suppliers import queries as suppliers

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_deliveries", __name__, url_prefix="/stock/deliveries")
STAFF = rulebook.STAFF
MOST_KEY = 2**63 - 1
GROUP = "purchase_orders.list_orders"
_draft = msgspec.json.Decoder(rules.Draft)


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), GROUP, "purchase_deliveries.list_deliveries", "到货验收", STAFF, 20)


@blueprint.app_template_global()
def said_differences(record: dict[str, Any], order_id: UUID | None) -> list[tuple[str, list[str]]]:
    """The differences of an accepted delivery in words: (product, sentences)."""
    return [
        (one["name"], looking.shown(looking.sentences(one, has_order=order_id is not None)))
        for one in record.get("differences", [])
    ]


# ---- the list --------------------------------------------------------------------------------------------------------


@blueprint.get("")
@needs(*STAFF)
def list_deliveries() -> ResponseReturnValue:
    """Deliveries, newest first: being unpacked, accepted, given up; of one supplier when asked."""
    args = request.args
    state = args.get("state", "")
    state = state if state in deliveries.STATES else ""
    supplier = delivery_forms.whole(args.get("supplier", ""))
    rows = queries.list_deliveries(signin.here().facility_id, _moment(args.get("before", "")), state, supplier)
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    return render_template(
        "facility/stock/purchasing/deliveries.html", rows=rows[: queries.PAGE], state=state, supplier=supplier,
        following=f"{last.made_at.isoformat()}_{last.id}" if last else None,
    )  # fmt: skip


def _moment(text: str) -> tuple[datetime, str] | None:
    at, _sep, last = text.partition("_")
    try:
        found = datetime.fromisoformat(at)
        return (found, str(UUID(last))) if found.tzinfo else None
    except ValueError:
        return None


# ---- a new one -------------------------------------------------------------------------------------------------------


@blueprint.get("/new")
@needs(*STAFF)
def new_delivery() -> ResponseReturnValue:
    """Who has come: an order that waits for goods, or a supplier; why nothing may be taken from the others."""
    text = request.args.get("q", "").strip()[:60]
    orders = queries.open_orders(signin.here().facility_id)
    return render_template(
        "facility/stock/purchasing/delivery_new.html", q=text, orders=orders, chosen=request.args.get("order", ""),
        choices=_choices(text),
    )  # fmt: skip


def _choices(text: str) -> list[tuple[Any, str]]:
    """Suppliers with what stands against each, those one may buy from first."""
    found = [
        *suppliers.list_suppliers(text, "approved"),
        *(row for row in suppliers.list_suppliers(text) if row.state != "approved"),
    ]
    rows = [(row, _against(row)) for row in found[: queries.PAGE]]
    return sorted(rows, key=lambda pair: pair[1] != "")


def _against(row: Any) -> str:
    today = clock.business_date()
    if row.state == "suspended":
        return str(_("已暂停往来：%(why)s", why=row.state_reason))
    if row.state != "approved":
        return str(_("还没有通过首营审批"))
    if row.review_due_on and row.review_due_on < today:
        return str(_("复审已于 %(day)s 到期", day=row.review_due_on))
    if row.soonest and row.soonest < today:
        return str(_("有证照已于 %(day)s 到期", day=row.soonest))
    return "" if row.papers else str(_("还没有登记证照"))


@blueprint.post("")
@needs(*STAFF)
def open_delivery() -> ResponseReturnValue:
    """Begin to unpack: from an order its open lines stand there already."""
    form = request.form
    document, order = (
        delivery_forms.document_of(form.get("document", "")),
        delivery_forms.document_of(form.get("order", "")),
    )
    supplier = delivery_forms.whole(form.get("supplier", ""))
    if document is None:
        raise WrongInput(what=_("到货"), why=_("页面不完整，请刷新后重填"))
    if order:
        supplier = queries.get_order(signin.here().facility_id, order)[0].supplier_id
    deliveries.open_delivery(signin.here(), document, supplier, order)
    return _to(document)


def _to(delivery_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show_delivery", delivery_id=delivery_id), 303)


# ---- unpacking -------------------------------------------------------------------------------------------------------


@blueprint.get("/<uuid:delivery_id>")
@needs(*STAFF)
def show_delivery(delivery_id: UUID) -> ResponseReturnValue:
    """A delivery being unpacked, or the record of one that is over."""
    head = queries.get_delivery(signin.here().facility_id, delivery_id)
    if head.state == "draft":
        return _draft_page(head, _draft.decode(head.said), head.version)
    lines = queries.delivery_lines(delivery_id) if head.state == "accepted" else []
    return render_template("facility/stock/purchasing/delivery.html", head=head, lines=lines, transports=_transports())


def _transports() -> dict[str, str]:
    return {key: _(word) for key, word in rules.TRANSPORTS.items()}


def _draft_page(head: Any, draft: rules.Draft, version: int, error: str = "", status: int = 200) -> ResponseReturnValue:
    return render_template(
        "facility/stock/purchasing/delivery_draft.html", head=head, draft=draft, version=version, error=error, form=request.form,
        look=looking.look_over(signin.here(), head, draft), transports=_transports(), reasons=[_(word) for word in rules.REASONS], zones=rules.PUT_AWAY,
    ), status  # fmt: skip


@blueprint.get("/<uuid:delivery_id>/lines/<int:product_id>")
@needs(*STAFF)
def new_line(delivery_id: UUID, product_id: int) -> ResponseReturnValue:
    """An empty line for a product that was scanned or chosen, with what the gate says of it."""
    desk, product = signin.here(), min(product_id, MOST_KEY)
    head = queries.get_delivery(desk.facility_id, delivery_id)
    name = looking.shown_name(product)
    if not name:
        raise NotFound
    row = rules.Row(product, name)
    look = looking.look_over(desk, head, rules.Draft(rows=[row]))
    return render_template(
        "facility/stock/purchasing/_delivery_line.html", number="", row=row, about=look.goods[product], why=look.products.get(product, []), bad=False,
        reasons=[_(word) for word in rules.REASONS], zones=rules.PUT_AWAY,
    )  # fmt: skip


@blueprint.get("/<uuid:delivery_id>/check")
@needs(*STAFF)
def check(delivery_id: UUID) -> ResponseReturnValue:
    """The draft's version and what stands beside it, for a page that was left alone for a while."""
    head = queries.get_delivery(signin.here().facility_id, delivery_id)
    return _check(head, _draft.decode(head.said), head.version)


@blueprint.post("/<uuid:delivery_id>/draft")
@needs(*STAFF)
def keep_draft(delivery_id: UUID) -> ResponseReturnValue:
    """Keep what stands on the screen; answers with its new version and what stands beside it."""
    desk, draft = signin.here(), delivery_forms.typed_draft(request.form)
    version = deliveries.save_delivery(desk, delivery_id, delivery_forms.whole(request.form.get("version", "")), draft)
    return _check(queries.get_delivery(desk.facility_id, delivery_id), draft, version)


def _check(head: Any, draft: rules.Draft, version: int) -> ResponseReturnValue:
    look = looking.look_over(signin.here(), head, draft)
    return render_template("facility/stock/purchasing/_check.html", head=head, look=look, version=version)


@blueprint.post("/<uuid:delivery_id>/acceptances")
@needs(*STAFF)
def accept(delivery_id: UUID) -> ResponseReturnValue:
    """Accept what stands there and put it away (F9); a special drug asks for a second inspector."""
    desk, form = signin.here(), request.form
    head = queries.get_delivery(desk.facility_id, delivery_id)
    if head.state == "accepted":  # Accepted a moment ago, and the answer never came.
        return _to(delivery_id)
    draft, version = delivery_forms.typed_draft(form), delivery_forms.whole(form.get("version", ""))
    try:
        version = deliveries.save_delivery(desk, delivery_id, version, draft)
        deliveries.accept_delivery(desk, delivery_id, version, _second())
    except Refusal as refused:
        return _draft_page(head, draft, version, refused.message, refused.status)
    flash(_("已验收入库。"), "ok")
    for text in looking.said_of_recalls(draft, looking.goods_of([row.product for row in draft.rows])):
        flash(text, "warn")
    return _to(delivery_id)


def _second() -> int | None:
    """The second inspector, when one has typed name and password."""
    name, password = request.form.get("approver", ""), request.form.get("approver_password", "")
    return second_person(name, password, *STAFF) if name.strip() else None


@blueprint.post("/<uuid:delivery_id>/abandonments")
@needs(*STAFF)
def abandon(delivery_id: UUID) -> ResponseReturnValue:
    """Give a delivery up; nothing of it came in."""
    deliveries.abandon_delivery(signin.here(), delivery_id)
    return redirect(url_for(".list_deliveries"), 303)


@blueprint.get("/<uuid:delivery_id>/print")
@needs(*STAFF)
def print_delivery(delivery_id: UUID) -> ResponseReturnValue:
    """The acceptance record on A4 (药品验收记录), its number as Code 128 and QR. Only of what was accepted."""
    head = queries.get_delivery(signin.here().facility_id, delivery_id)
    if head.state != "accepted":  # There is no record yet.
        return _to(delivery_id)
    return render_template(
        "facility/stock/purchasing/acceptance_print.html", head=head, lines=queries.delivery_lines(delivery_id), size="a4", transports=_transports(),
        number=head.number or f"D-{str(head.id)[:8].upper()}", code128_svg=barcodes.code128_svg, qr_svg=barcodes.qr_svg,
    )  # fmt: skip
