"""The officer's screens: a code's life, lots, products, documents, streams, alerts.

Row-level security shows each officer their own district, and another's record answers 404.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import msgspec
from flask import Blueprint, Response, redirect, render_template, request, url_for

from app.center.supervision import life, words
from app.center.supervision.bridge import bridge
from app.center.supervision.notice_views import blueprint as of_notices
from app.center.supervision.queries import alerts, codes, documents, goods, settlements, streams
from app.center.supervision.recall_views import blueprint as of_recalls
from app.core import clock
from app.core.errors import NotFound
from app.core.shell import add_room
from app.core.signin import needs
from app.national import codes as national_codes

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

# Three entries of the rail, so three blueprints: the rail shows which of them a page belongs to.
blueprint = Blueprint("supervision", __name__)
of_alerts = Blueprint("alerts", __name__)
of_streams = Blueprint("streams", __name__)
ROLES = ("officer", "auditor", "administrator")
MOST_TYPED = 100
TRACE_CODE_LENGTH = 20


@blueprint.record_once
def _install(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    for each in (bridge, of_alerts, of_streams, of_recalls, of_notices):
        app.register_blueprint(each)
    add_room(app, "supervision.overview", "id-badge-2", "护照", ROLES, order=10)
    add_room(app, "alerts.list_alerts", "alert-triangle", "预警", ROLES, order=20)
    add_room(app, "recalls.list_recalls", "urgent", "召回", ROLES, order=25)
    add_room(app, "notices.list_notices", "bell", "通知", ROLES, order=27)
    add_room(app, "streams.list_streams", "plug-connected", "数据流", ROLES, order=30)
    filters = app.jinja_env.filters
    filters["span"] = words.span
    filters["short_hash"] = lambda digest: f"{digest.hex()[:4]} {digest.hex()[4:8]}" if digest else "—"
    filters["base_units"] = _packs
    filters["as_moment"] = lambda told: datetime.fromisoformat(told) if told else None
    filters["place"] = national_codes.place
    filters["code_groups"] = lambda code: [code[place : place + 5] for place in range(0, len(code), 5)]


@blueprint.context_processor
@of_alerts.context_processor
@of_streams.context_processor
def _words() -> dict[str, Any]:
    return {"words": words, "now": clock.now()}


@blueprint.get("/supervision")
@needs(*ROLES)
def overview() -> ResponseReturnValue:
    """What an officer opens on: find a box, what is wrong, what just happened."""
    open_alerts, _ = alerts.list_alerts(most=8)
    return render_template(
        "center/supervision/overview.html",
        counts=streams.count_streams(),
        alert_counts=alerts.count_alerts(),
        alerts=open_alerts,
        recent=documents.list_recent(),
    )


@blueprint.get("/search")
@needs(*ROLES)
def search() -> ResponseReturnValue:
    """Open what was typed or scanned: a trace code at once, anything else as a list of what it may be."""
    typed = request.args.get("q", "").strip().replace("\0", "")[:MOST_TYPED]
    squeezed = "".join(typed.split())
    if squeezed.isascii() and squeezed.isdigit() and len(squeezed) >= TRACE_CODE_LENGTH:
        return redirect(url_for(".show_passport", code=squeezed), 303)
    found = documents.find_typed(typed) if typed else {}
    return render_template("center/supervision/search.html", typed=typed, found=found, is_empty=not any(found.values()))


@blueprint.get("/passport/<code>")
@needs(*ROLES)
def show_passport(code: str) -> ResponseReturnValue:
    """The life of a box (药盒护照): where it came from, where it went, who paid, and what proves it."""
    rows = codes.life_of(_clean(code))
    if not rows:
        raise NotFound
    paid = settlements.settlements_by_id([row.setl_id for row in rows if row.setl_id])
    breaches = life.breaches_of(rows)
    last = rows[-1]
    found = codes.alerts_of(code)
    return render_template(
        "center/supervision/passport.html",
        code=code,
        last=last,
        rows=rows,
        stops=life.draw(rows, paid, breaches),
        most_drawn=life.MOST_DRAWN,
        breach=breaches[-1] if breaches else None,
        sides=life.sides_of(rows, breaches[-1]) if breaches else None,
        comparison=life.compare(rows, paid, breaches[-1]) if breaches else [],
        open_alerts=[alert for alert in found if alert.cleared_at is None],
        same_lot=codes.same_lot(code, last.lot, last.name) if breaches else (0, 0),
        cut_at=codes.MOST_EVENTS if len(rows) >= codes.MOST_EVENTS else None,
    )


@blueprint.get("/passport/<code>/evidence")
@needs(*ROLES)
def export_evidence(code: str) -> ResponseReturnValue:
    """The facts behind a box's life as a file that anybody can hash again (证据包)."""
    facts = codes.evidence_of(_clean(code))
    if not facts:
        raise NotFound
    content = {
        "code": code,
        "made_at": clock.now(),
        "how_to_check": "hash = SHA-256(previous, stream, epoch, number, kind, version, body); see docs/architecture",
        "facts": [{**fact._asdict(), "body": b64encode(fact.body).decode(), "hash": fact.hash.hex(),
                   "previous": fact.previous.hex() if fact.previous else None} for fact in facts],
    }  # fmt: skip
    answer = Response(msgspec.json.format(msgspec.json.encode(content)), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="evidence-{_ascii(code)}.json"'
    return answer


@blueprint.get("/lots/<lot>")
@needs(*ROLES)
def show_lot(lot: str) -> ResponseReturnValue:
    """Where a lot went: facility by facility, then line by line."""
    lot, name = _clean(lot), _clean(request.args.get("name", ""))
    facilities = goods.get_lot(lot, name)
    lines, last = goods.list_lot_lines(lot, name, _after())
    return render_template(
        "center/supervision/lot.html",
        lot=lot,
        name=name,
        facilities=facilities,
        lines=lines,
        first_url=url_for(".show_lot", lot=lot, name=name or None) if request.args.get("at") else None,
        next_url=url_for(".show_lot", lot=lot, name=name or None, **_key(last)) if last else None,
    )


@blueprint.get("/products/<stream>/<path:product>")
@needs(*ROLES)
def show_product(stream: str, product: str) -> ResponseReturnValue:
    """A product at a facility: what came, what went, what should be there."""
    stream, product = _clean(stream), _clean(product)
    sums = goods.get_product(stream, product)
    lines, last = goods.list_product_lines(stream, product, _after())
    here: dict[str, Any] = {"stream": stream, "product": product}
    return render_template(
        "center/supervision/product.html",
        institution_code=stream,
        product=product,
        sums=sums,
        lots=goods.list_product_lots(stream, product),
        lines=lines,
        first_url=url_for(".show_product", **here) if request.args.get("at") else None,
        next_url=url_for(".show_product", **here, **_key(last)) if last else None,
    )


@blueprint.get("/sales/<uuid:document>")
@needs(*ROLES)
def show_sale(document: UUID) -> ResponseReturnValue:
    """One receipt, sale or refund: lines, codes, money, what became of it, and its proof."""
    head, related = documents.get_document(document)
    traced = documents.list_codes(head)
    paid = settlements.settlements_by_id([each for each in (head.setl_id, head.reversed_setl_id) if each])
    by_line: dict[int, list[Any]] = {}
    for each in traced:
        by_line.setdefault(each.line, []).append(each)
    return render_template(
        "center/supervision/sale.html",
        head=head,
        related=related,
        lines=documents.list_lines(head),
        codes=by_line,
        is_cut=len(traced) >= documents.MOST_CODES,
        alerted=[each.code for each in traced if each.is_alerted],
        settlement=paid.get(head.setl_id or ""),
        reversed_settlement=paid.get(head.reversed_setl_id or ""),
    )


@of_streams.get("/streams")
@needs(*ROLES)
def list_streams() -> ResponseReturnValue:
    """Every facility's stream: how many facts, how late, whether anything stands still."""
    state = request.args.get("state", "")
    state = state if state in {"ok", "late", "aside"} else ""
    after = _clean(request.args.get("after", ""))
    page, following = streams.list_streams(after, state)
    return render_template(
        "center/supervision/streams.html",
        counts=streams.count_streams(),
        state=state,
        streams=page,
        first_url=url_for(".list_streams", state=state or None) if after else None,
        next_url=url_for(".list_streams", state=state or None, after=following) if following else None,
    )


@of_streams.get("/streams/<stream>")
@needs(*ROLES)
def show_stream(stream: str) -> ResponseReturnValue:
    """The proof that a facility's stream is complete: numbers 1 to N, each fact chained to the one before."""
    stream = _clean(stream)
    proof = streams.get_stream(stream)
    before = _number("before")
    facts, following = streams.list_facts(stream, before)
    return render_template(
        "center/supervision/stream.html",
        proof=proof,
        is_gapless=streams.is_gapless(proof),
        is_chained=all(fact.is_chained for fact in facts),
        epochs=streams.list_epochs(stream),
        facts=facts,
        before=before,
        first_url=url_for(".show_stream", stream=stream) if before else None,
        next_url=url_for(".show_stream", stream=stream, before=following) if following else None,
    )


@of_alerts.get("/alerts")
@needs(*ROLES)
def list_alerts() -> ResponseReturnValue:
    """What contradicts itself in the officer's district, newest first."""
    cleared_too = request.args.get("show") == "all"
    before = _number("before")
    page, following = alerts.list_alerts(before, cleared_too=cleared_too)
    kept: dict[str, Any] = {"show": "all"} if cleared_too else {}
    return render_template(
        "center/supervision/alerts.html",
        counts=alerts.count_alerts(),
        cleared_too=cleared_too,
        alerts=page,
        first_url=url_for(".list_alerts", **kept) if before else None,
        next_url=url_for(".list_alerts", before=following, **kept) if following else None,
    )


# ---- what addresses carry ------------------------------------------------------------------------------------------


def _clean(typed: str) -> str:
    """A text of an address as the database can compare it; what it cannot hold is nobody's record."""
    if "\0" in typed or len(typed) > 400:
        raise NotFound
    return typed


def _number(name: str) -> int | None:
    value = request.args.get(name, type=int)
    return value if value is not None and 0 < value < 2**62 else None


def _key(row: Any) -> dict[str, Any]:
    return {"at": row.at.astimezone(UTC).isoformat(), "of": row.stream, "number": row.number, "line": row.line}


def _after() -> dict[str, Any] | None:
    """The last row of the page before, as the address carries it; an address that carries nonsense means the first page."""
    try:
        at = datetime.fromisoformat(request.args.get("at", ""))
    except ValueError:
        return None
    number, line = _number("number"), _number("line")
    if at.tzinfo is None or number is None or line is None:
        return None
    return {
        "at": at,
        "after_stream": _clean(request.args.get("of", "")),
        "number": number,
        "line": min(line, 2**31 - 1),
    }


def _packs(units: int | None, pack_size: int | None) -> str:
    """Base units as packs and loose units: 50 tablets of 7 → 7 packs and 1."""
    from flask_babel import gettext as _

    if units is None:
        return ""
    if not pack_size or pack_size == 1:
        return f"{units:,}"
    sign = "−" if units < 0 else ""
    packs, loose = divmod(abs(units), pack_size)
    if not loose:
        return f"{sign}{packs:,}"
    return f"{sign}{packs:,} + {loose}" if packs else _("拆零 %(sign)s%(loose)s", sign=sign, loose=loose)


def _ascii(code: str) -> str:
    return "".join(each for each in code if each.isascii() and each.isalnum())[:60] or "code"
