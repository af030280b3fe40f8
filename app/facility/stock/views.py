"""The stock room's plain pages: receipts, and what their forms ask for. The shelf's own pages stand in `shelf`."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import Refusal, WrongInput
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.stock import code_files, queries, receiving, rules, typed
from app.facility.stock.errors import ReceiptNotTaken

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("stock", __name__, url_prefix="/stock")
STAFF = ("clerk", "pharmacist", "owner")


@blueprint.record_once
def _on_the_rail(state: BlueprintSetupState) -> None:
    shell.add_room(cast("Flask", state.app), "stock.show", "packages", "库存", STAFF, 20)


@blueprint.get("/receipts")
@needs(*STAFF)
def list_receipts() -> ResponseReturnValue:
    """Receipts, newest first."""
    rows = queries.list_receipts(signin.here().facility_id, _moment(request.args.get("before", "")))
    last = rows[queries.PAGE - 1] if len(rows) > queries.PAGE else None
    return render_template(
        "facility/stock/receipts.html",
        rows=rows[: queries.PAGE],
        following=f"{last.received_at.isoformat()}_{last.id}" if last else None,
    )


@blueprint.get("/receipts/<uuid:receipt_id>")
@needs(*STAFF)
def show_receipt(receipt_id: UUID) -> ResponseReturnValue:
    """One receipt with its lines."""
    head, lines = queries.get_receipt(signin.here().facility_id, receipt_id)
    return render_template("facility/stock/receipt.html", head=head, lines=lines)


@blueprint.route("/receipts/new", methods=["GET", "POST"])
@needs("owner", "clerk", "pharmacist")
def new_receipt() -> ResponseReturnValue:
    """Enter opening stock by hand: product, lot, dates, quantity, cost, and the codes scanned or read from a file."""
    if request.method == "GET":
        return render_template(
            "facility/stock/receipt_new.html", lines=[], form={}, error="", today=clock.business_date()
        )
    typed_lines = _typed()
    try:
        document = UUID(request.form.get("document", ""))
        lines = [_line(number, row) for number, row in enumerate(typed_lines, 1)]
        receiving.open_stock(signin.here(), document, lines, request.form.get("note", "")[:200])
    except ValueError:
        raise WrongInput(what=_("入库单"), why=_("页面不完整，请刷新后重填")) from None
    except Refusal as refused:
        return render_template(
            "facility/stock/receipt_new.html",
            lines=typed_lines,
            form=request.form,
            error=refused.message,
            today=clock.business_date(),
        ), refused.status
    return redirect(url_for(".show_receipt", receipt_id=document), 303)


@blueprint.post("/receipts/code-files")
@needs(*STAFF)
def read_codes() -> ResponseReturnValue:
    """Read trace codes out of an uploaded Excel or text file, to be put into a receipt line."""
    upload = request.files.get("file")
    if upload is None or not upload.filename:
        raise WrongInput(what=_("追溯码文件"), why=_("没有选择文件"))
    codes = code_files.read_codes(upload.filename, upload.read())
    return {"codes": codes}


@blueprint.get("/products")
@needs(*STAFF)
def find_products() -> ResponseReturnValue:
    """Products by scan, pinyin or part of a name, for the receipt form."""
    text = request.args.get("q", "").strip()[:100]
    found = catalog.find_products(text, limit=8) if text else []
    return render_template("facility/stock/_choices.html", products=found, q=text)


def _typed() -> list[dict[str, str]]:
    """The lines as they were typed, so that nothing is lost when the receipt is refused."""
    names = ("product", "product_name", "lot", "produced_on", "expires_on", "packs", "cost", "zone", "codes")
    columns = [request.form.getlist(name) for name in names]
    rows = [dict(zip(names, (value.strip() for value in row), strict=True)) for row in zip(*columns, strict=False)]
    return rows[: rules.MOST_LINES + 1]  # One too many is seen and said, not cut off.


def _line(number: int, row: dict[str, str]) -> rules.ReceiptLine:
    codes = tuple(dict.fromkeys(re.split(r"[\s,，;；]+", row["codes"].strip()))) if row["codes"].strip() else ()
    if len(codes) > rules.MOST_CODES_PER_LINE:
        raise ReceiptNotTaken(problems=_("第 %(n)s 行：追溯码太多，请分成几行。", n=number))
    return rules.ReceiptLine(
        product_id=_whole(row["product"], number, _("药品")), lot_number=row["lot"], expires_on=_day(row["expires_on"], number, _("效期")), packs=_whole(row["packs"], number, _("数量")),
        zone=row["zone"] or "SALEABLE", produced_on=_day(row["produced_on"], number, _("生产日期")) if row["produced_on"] else None,
        cost_price=_price(row["cost"], number) if row["cost"] else None, codes=codes,
    )  # fmt: skip


def _whole(text: str, number: int, what: str) -> int:
    found = typed.whole(text)
    if found is None:
        raise ReceiptNotTaken(problems=_("第 %(n)s 行：%(what)s没有填对，请填整数。", n=number, what=what))
    return found


def _day(text: str, number: int, what: str) -> date:
    found = typed.day(text)
    if found is None:
        raise ReceiptNotTaken(problems=_("第 %(n)s 行：%(what)s请写成 2027-05-31 或 202705。", n=number, what=what))
    return found


def _price(text: str, number: int) -> Decimal:
    price = typed.price(text)
    if price is None:
        raise ReceiptNotTaken(problems=_("第 %(n)s 行：进价请写每盒多少元。", n=number))
    return price


def _moment(text: str) -> tuple[datetime, UUID] | None:
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, UUID(last)) if moment.tzinfo else None
    except ValueError:
        return None
