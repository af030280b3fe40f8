"""The pages of transfers: the list, putting one together by scanner, one transfer, receiving it, its print."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import barcodes, clock, shell, signin
from app.core.approval import second_person
from app.core.errors import NotFound, Refusal, WrongInput
from app.core.signin import needs
from app.facility.stock import rulebook
from app.facility.stock.shelf import blind
from app.facility.stock.transfers import actions, drafts, forms, moves, queries, rules

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("stock_transfers", __name__, url_prefix="/stock/transfers")
STAFF = rulebook.STAFF


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "stock.show", "stock_transfers.list_transfers", "调拨", STAFF, 20)


@blueprint.app_context_processor
def _on_its_way() -> dict[str, Any]:
    """A page of the stock room may say that something is on its way here; it is asked only where a page does."""
    return {"coming_here": lambda: queries.counts(signin.here().facility_id).coming}


# ---- the list ----


@blueprint.get("")
@needs(*STAFF)
def list_transfers() -> ResponseReturnValue:
    """What is on its way here, what we sent, what did not arrive, what we received; drafts on top of what we sent."""
    desk, args = signin.here(), request.args
    counts = queries.counts(desk.facility_id)
    view = args.get("view", "")
    view = view if view in queries.VIEWS else "coming" if counts.coming else "sent"
    rows = queries.list_transfers(desk.facility_id, view, moment(args.get("before", "")))
    return render_template(
        "facility/stock/transfers/list.html", rows=rows[: queries.PAGE], view=view, counts=counts, following=following(rows, "sent_at"),
        drafts=queries.list_drafts(desk.facility_id) if view == "sent" and not args.get("before") else [],
    )  # fmt: skip


def following(rows: list[Any], moment_name: str) -> str | None:
    """Where the next page begins; None on the last one."""
    if len(rows) <= queries.PAGE:
        return None
    last = rows[queries.PAGE - 1]
    return f"{getattr(last, moment_name).isoformat()}_{last.id}"


def moment(text: str) -> tuple[datetime, UUID] | None:
    """The place of a row out of an address; None when it is none."""
    at, _sep, last = text.partition("_")
    try:
        found = datetime.fromisoformat(at)
        return (found, UUID(last)) if found.tzinfo else None
    except ValueError:
        return None


# ---- putting one together ----


@blueprint.get("/new")
@needs(*STAFF)
def new_transfer() -> ResponseReturnValue:
    """An empty transfer; the browser makes its id with the first scan."""
    return _draft_page("send", None, drafts.empty("send"))


@blueprint.get("/drafts/<uuid:draft_id>")
@needs(*STAFF)
def edit_draft(draft_id: UUID) -> ResponseReturnValue:
    """A transfer or a move being put together, as it was left."""
    for kind in ("send", "move"):
        if found := queries.find_draft(signin.here().facility_id, draft_id, kind):
            return _draft_page(kind, draft_id, found.content)
    raise NotFound


def _draft_page(
    kind: str, draft_id: UUID | None, content: dict[str, Any], error: str = "", status: int = 200
) -> ResponseReturnValue:
    desk = signin.here()
    return render_template(
        "facility/stock/transfers/draft.html", kind=kind, draft_id=draft_id, content=content, error=error, lines=_shown(content),
        receivers=queries.places(desk.facility_id) if kind == "send" else [], today=clock.business_date(),
    ), status  # fmt: skip


def _shown(content: dict[str, Any]) -> list[dict[str, Any]]:
    """The draft's lines with what lies there now; a line whose goods are gone says so."""
    shelf = queries.lots_on_shelf(signin.here().facility_id, [line["lot"] for line in content["lines"]])
    coded = {key for key, place in shelf.items() if place.codes}
    places = dict(zip(shelf, blind.veil().over(shelf.values(), "product_id"), strict=True))
    keys = [(line["lot"], line["zone"]) for line in content["lines"]]
    return [line | {"place": places.get(key), "coded": key in coded} for line, key in zip(content["lines"], keys, strict=True)]  # fmt: skip


@blueprint.post("/drafts/<uuid:draft_id>/entries")
@needs(*STAFF)
def enter(draft_id: UUID) -> ResponseReturnValue:
    """One scan or choice into a draft; answers with its lines, or with lots to choose from."""
    kind = _kind()
    _keep(draft_id, kind, begin=False)
    found = drafts.enter(signin.here(), draft_id, kind, request.form.get("text", ""))
    if found:
        return _choices(found, request.form.get("text", "")[:100])
    return _lines_of(draft_id, kind)


@blueprint.post("/drafts/<uuid:draft_id>/removals")
@needs(*STAFF)
def remove_line(draft_id: UUID) -> ResponseReturnValue:
    """Take a line out of a draft."""
    kind = _kind()
    lot, _sep, zone = request.form.get("removed", "").partition(":")
    if not _keep(draft_id, kind, begin=False):
        raise NotFound
    drafts.remove(signin.here(), draft_id, kind, forms.whole(lot) or 0, zone)
    return _lines_of(draft_id, kind)


@blueprint.post("/drafts/<uuid:draft_id>/content")
@needs(*STAFF)
def keep_draft(draft_id: UUID) -> ResponseReturnValue:
    """Keep what was typed."""
    _keep(draft_id, _kind(), begin=True)
    return _lines_of(draft_id, _kind())


@blueprint.post("/drafts/<uuid:draft_id>/drops")
@needs(*STAFF)
def drop_draft(draft_id: UUID) -> ResponseReturnValue:
    """Throw a draft away."""
    kind = _kind()
    drafts.drop(signin.here(), draft_id, kind)
    return redirect(url_for(".list_moves") if kind == "move" else url_for(".list_transfers", view="sent"), 303)


def _kind() -> str:
    return "move" if request.form.get("kind") == "move" else "send"


def _keep(draft_id: UUID, kind: str, *, begin: bool) -> dict[str, Any] | None:
    """Write what was typed into the draft; a draft that is not there yet begins only where `begin` says so."""
    desk, form = signin.here(), request.form
    known = queries.find_draft(desk.facility_id, draft_id, kind)
    begin = begin and bool(form.get("to") or form.get("note"))  # An empty form is no draft.
    if known is None and not begin:
        return None
    shelf = queries.lots_on_shelf(desk.facility_id, [line["lot"] for line in known.content["lines"]]) if known else {}
    sizes = {key: int(place.pack_size) for key, place in shelf.items() if not place.codes}
    to: Any = forms.whole(form.get("to", "")) if kind == "send" else form.get("to", "")[:20]
    return drafts.write(desk, draft_id, kind, to, form.get("note", ""), forms.typed_quantities(form, sizes))


def _lines_of(draft_id: UUID, kind: str) -> ResponseReturnValue:
    found = queries.find_draft(signin.here().facility_id, draft_id, kind)
    if found is None:
        raise NotFound
    return render_template(
        "facility/stock/transfers/_draft_lines.html",
        kind=kind,
        content=found.content,
        lines=_shown(found.content),
        today=clock.business_date(),
    )


@blueprint.get("/goods")
@needs(*STAFF)
def find_goods() -> ResponseReturnValue:
    """Lots on the shelf that fit what is typed, for the entry's list."""
    text, facility = request.args.get("q", "").strip()[:100], signin.here().facility_id
    kind = "move" if request.args.get("kind") == "move" else "send"
    pack = queries.find_pack(facility, text) if len(text) >= 8 else None
    found = [] if pack or not text else queries.find_places(facility, text, drafts.TAKES[kind])
    return _choices(found, text, pack)


def _choices(found: list[Any], text: str, pack: Any = None) -> str:
    veiled = blind.veil().over(found, "product_id")
    return render_template("facility/stock/transfers/_choices.html", found=veiled, pack=pack, q=text, today=clock.business_date())  # fmt: skip


@blueprint.post("")
@needs(*STAFF)
def send() -> ResponseReturnValue:
    """Send what the draft holds (F9)."""
    desk, draft_id = signin.here(), forms.document_of(request.form.get("document", ""))
    if draft_id is None:
        raise WrongInput(what=_("调拨单"), why=_("页面不完整，请刷新后重填"))
    if queries.is_done(desk.facility_id, draft_id, "send"):  # Sent a moment ago, and the answer never came.
        return redirect(url_for(".show_transfer", transfer_id=draft_id), 303)
    content = _keep(draft_id, "send", begin=True) or drafts.empty("send")
    try:
        actions.send_transfer(desk, draft_id, content["to"] or 0, forms.lines_to_send(content), content["note"])
    except Refusal as refused:
        return _draft_page("send", draft_id, content, refused.message, refused.status)
    return redirect(url_for(".show_transfer", transfer_id=draft_id), 303)


# ---- one transfer ----


@blueprint.get("/<uuid:transfer_id>")
@needs(*STAFF)
def show_transfer(transfer_id: UUID) -> ResponseReturnValue:
    """One transfer, for either of its ends: what was sent, what arrived, how differences were settled."""
    return _transfer_page(transfer_id)


def _transfer_page(transfer_id: UUID, error: str = "", status: int = 200) -> ResponseReturnValue:
    desk = signin.here()
    head, lines = queries.get_transfer(desk.facility_id, transfer_id)
    claims = queries.list_claims(transfer_id) if head.state in {"claimed", "closed"} else []
    today = clock.business_date()
    zones = {
        line.line_no: rules.zones_to_arrive(line.from_zone, line.hold, expired=line.expires_on < today)
        for line in lines
    }
    return render_template(
        "facility/stock/transfers/transfer.html", head=head, lines=lines, claims=claims, zones=zones, receiver=head.to_facility_id == desk.facility_id,
        error=error, form=request.form, today=today,
    ), status  # fmt: skip


@blueprint.get("/<uuid:transfer_id>/print")
@needs(*STAFF)
def print_transfer(transfer_id: UUID) -> ResponseReturnValue:
    """The transfer note on A4 (调拨单), its number as Code 128 and QR, with places to sign for both ends."""
    head, lines = queries.get_transfer(signin.here().facility_id, transfer_id)
    return render_template(
        "facility/stock/transfers/print.html",
        head=head,
        lines=lines,
        size="a4",
        code128_svg=barcodes.code128_svg,
        qr_svg=barcodes.qr_svg,
    )


@blueprint.post("/<uuid:transfer_id>/claims")
@needs(*STAFF)
def settle(transfer_id: UUID) -> ResponseReturnValue:
    """Say where goods went that had not arrived; a loss is confirmed by a second person."""
    desk, form = signin.here(), request.form
    _head, lines = queries.get_transfer(desk.facility_id, transfer_id)
    claim, number = forms.document_of(form.get("document", "")), forms.whole(form.get("line", ""))
    line = next((each for each in lines if each.line_no == number), None)
    if claim is None or line is None:
        raise WrongInput(what=_("差异"), why=_("页面不完整，请刷新后重填"))
    outcome, codes = form.get("outcome", ""), forms.codes_in(form.get("codes", ""))
    unit = 1 if line.from_zone == "SPLIT" else line.pack_size
    try:
        second = (
            second_person(form.get("approver", ""), form.get("approver_password", ""), *rulebook.SENIOR)
            if outcome == "lost"
            else None
        )
        actions.settle_claim(
            desk, claim, transfer_id, line.line_no, outcome, (forms.whole(form.get("packs", "")) or 0) * unit, form.get("note", "").strip()[:201],
            zone="" if outcome == "lost" else form.get("zone", "")[:20], codes=codes, second_id=second,
        )  # fmt: skip
    except Refusal as refused:
        return _transfer_page(transfer_id, refused.message, refused.status)
    return redirect(url_for(".show_transfer", transfer_id=transfer_id), 303)


# ---- receiving ----


@blueprint.get("/<uuid:transfer_id>/receipt")
@needs(*STAFF)
def receive_page(transfer_id: UUID) -> ResponseReturnValue:
    """What should have come and what did, side by side, filled by scanning."""
    return _receipt_page(transfer_id)


def _receipt_page(transfer_id: UUID, error: str = "", status: int = 200) -> ResponseReturnValue:
    head, lines = queries.get_transfer(signin.here().facility_id, transfer_id)
    if head.to_facility_id != signin.here().facility_id or head.state != "sent":
        return redirect(url_for(".show_transfer", transfer_id=transfer_id), 303)
    return render_template(
        "facility/stock/transfers/receive.html", head=head, error=error, **_arrival(transfer_id, lines)
    ), status


def _arrival(transfer_id: UUID, lines: list[Any]) -> dict[str, Any]:
    """The lines beside what the draft says of them, and where each may be put."""
    desk, today = signin.here(), clock.business_date()
    draft = queries.find_draft(desk.facility_id, transfer_id, "receive")
    content = draft.content if draft else drafts.empty("receive")
    there = queries.homes(desk.facility_id, transfer_id)
    zones = {}
    for line in lines:
        allowed = rules.zones_to_arrive(line.from_zone, line.hold, expired=line.expires_on < today)
        home = there.get(line.line_no)
        zones[line.line_no] = (home, *(zone for zone in allowed if zone != home)) if home in allowed else allowed
    return {"lines": lines, "content": content, "zones": zones, "today": today}


def _coming(transfer_id: UUID) -> tuple[Any, list[Any]]:
    """A transfer on its way to this facility. Raises NotFound."""
    head, lines = queries.get_transfer(signin.here().facility_id, transfer_id)
    if head.to_facility_id != signin.here().facility_id:
        raise NotFound
    return head, lines


@blueprint.post("/<uuid:transfer_id>/receipt/entries")
@needs(*STAFF)
def enter_arrival(transfer_id: UUID) -> ResponseReturnValue:
    """One scan at the receiving end; answers with the lines."""
    head, lines = _coming(transfer_id)
    drafts.write_arrival(
        signin.here(), transfer_id, request.form.get("note", ""), forms.typed_arrival(request.form, lines)
    )
    if request.form.get("text"):
        drafts.arrive(signin.here(), transfer_id, request.form["text"], head.number, lines)
    return render_template("facility/stock/transfers/_arrival_lines.html", head=head, **_arrival(transfer_id, lines))


@blueprint.post("/<uuid:transfer_id>/receipts")
@needs(*STAFF)
def receive(transfer_id: UUID) -> ResponseReturnValue:
    """Take what arrived onto the shelf (F9)."""
    desk = signin.here()
    head, lines = _coming(transfer_id)
    if head.state != "sent":
        return redirect(url_for(".show_transfer", transfer_id=transfer_id), 303)
    content = drafts.write_arrival(
        desk, transfer_id, request.form.get("note", ""), forms.typed_arrival(request.form, lines)
    )
    zones = {line_no: allowed[0] for line_no, allowed in _arrival(transfer_id, lines)["zones"].items()}
    try:
        actions.receive_transfer(desk, transfer_id, forms.lines_arrived(content, lines, zones), content["note"])
    except Refusal as refused:
        return _receipt_page(transfer_id, refused.message, refused.status)
    return redirect(url_for(".show_transfer", transfer_id=transfer_id), 303)


# ---- moves between zones ----


@blueprint.get("/moves")
@needs(*STAFF)
def list_moves() -> ResponseReturnValue:
    """Moves between the zones of this facility, newest first."""
    rows = queries.list_moves(signin.here().facility_id, moment(request.args.get("before", "")))
    return render_template(
        "facility/stock/transfers/moves.html", rows=rows[: queries.PAGE], following=following(rows, "asked_at")
    )


@blueprint.get("/moves/new")
@needs(*STAFF)
def new_move() -> ResponseReturnValue:
    """An empty move."""
    return _draft_page("move", None, drafts.empty("move"))


@blueprint.post("/moves")
@needs(*STAFF)
def move() -> ResponseReturnValue:
    """Move what the draft holds (F9)."""
    desk, draft_id = signin.here(), forms.document_of(request.form.get("document", ""))
    if draft_id is None:
        raise WrongInput(what=_("移库单"), why=_("页面不完整，请刷新后重填"))
    if queries.is_done(desk.facility_id, draft_id, "move"):
        return redirect(url_for(".list_moves"), 303)
    content = _keep(draft_id, "move", begin=True) or drafts.empty("move")
    shifts = [
        moves.Shift(line.lot_id, line.zone, str(content["to"] or ""), line.quantity, line.codes)
        for line in forms.lines_to_send(content)
    ]
    try:
        moves.move_goods(desk, draft_id, shifts, content["note"])
    except Refusal as refused:
        return _draft_page("move", draft_id, content, refused.message, refused.status)
    return redirect(url_for(".list_moves"), 303)
