"""The page of one person who counts, goods that were not on the list, and the sheets on paper and in Excel."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from app.core import barcodes, clock, signin, workbook
from app.core.errors import Refusal, WrongInput
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.stock import rulebook
from app.facility.stock.counts import entering, queries, rules, sheets
from app.facility.stock.counts.rules import Counted
from app.facility.stock.counts.views import STAFF, blueprint, whole

if TYPE_CHECKING:
    from werkzeug.datastructures import FileStorage

_CODES = re.compile(r"[\s,，;；]+")


@blueprint.get("/<uuid:count_id>/counting")
@needs(*STAFF)
def count_here(count_id: UUID) -> ResponseReturnValue:
    """Scan or type what lies before you, give the quantity, and go on. The place stays until it is changed."""
    return _page(count_id)


def _page(count_id: UUID, error: str = "", status: int = 200, typed: Any = None) -> ResponseReturnValue:
    desk = signin.here()
    head = queries.get_count(desk.facility_id, count_id)
    if head.state != "open":
        return redirect(url_for(".show_count", count_id=count_id), 303)
    q, line_no = request.values.get("q", "").strip()[:100], whole(request.values.get("line", ""))
    found = queries.find_lines(count_id, q) if q and not line_no else []
    if len(found) == 1 and not line_no:
        line_no = found[0].line_no
    line, entries = queries.get_line(count_id, line_no) if line_no else (None, [])
    place = request.values.get("place", "").strip()[: rules.MOST_PLACE]
    return render_template(
        "facility/stock/counts/counting.html", head=head, q=q, found=found, line=line, entries=entries, place=place, error=error, typed=typed or {},
        standing=next((one for one in entries if one.place == place), None), mine=queries.entries_of(count_id, desk.staff_id), my_id=desk.staff_id,
        scanned=q if line and _is_code(q) else "", code=queries.find_code(desk.facility_id, q) if q and not found and not line and _is_code(q) else None,
        today=clock.business_date(),
    ), status  # fmt: skip


def _is_code(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]{20}", text))


@blueprint.get("/<uuid:count_id>/lines")
@needs(*STAFF)
def lines_of_code(count_id: UUID) -> ResponseReturnValue:
    """Which lines a scanned code means, for the page's script; numbers of lines and nothing else."""
    desk = signin.here()
    queries.get_count(desk.facility_id, count_id)
    q = request.args.get("q", "").strip()[:100]
    lines = [row.line_no for row in queries.find_lines(count_id, q)] if q else []
    return {
        "lines": lines,
        "known": bool(lines) or not _is_code(q) or queries.find_code(desk.facility_id, q) is not None,
    }


@blueprint.post("/<uuid:count_id>/entries")
@needs(*STAFF)
def enter(count_id: UUID) -> ResponseReturnValue:
    """Write down one entry; a code scanned meanwhile opens what comes next."""
    form = request.form
    try:
        line, _entries = queries.get_line(count_id, whole(form.get("line", "")))
        counted = _counted(line)
        entering.enter_count(signin.here(), _id(form.get("document", "")), count_id, line.line_no, counted)
    except Refusal as refused:
        if refused.status == 404:
            raise
        return _page(count_id, refused.message, refused.status, form)
    return redirect(
        url_for(".count_here", count_id=count_id, place=counted.place or None, q=form.get("next", "")[:100] or None),
        303,
    )


def _counted(line: Any) -> Counted:
    form = request.form
    packs, units = form.get("packs", "").strip(), form.get("units", "").strip()
    if not packs and not units:
        raise WrongInput(what=_("点数"), why=_("没有填数量；一盒都没有就填 0"))
    quantity = _number(packs or "0") * line.pack_size + _number(units or "0")
    codes = tuple(code for code in _CODES.split(form.get("codes", "").strip()) if code)
    if any(not re.fullmatch(r"[0-9A-Za-z]{8,100}", code) for code in codes):
        raise WrongInput(what=_("追溯码"), why=_("有认不出的码，请删掉后重扫"))
    return Counted(
        quantity, form.get("place", "").strip()[: rules.MOST_PLACE + 1], codes, form.get("replaces", "")[:36]
    )


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise WrongInput(what=_("数量"), why=_("请填整数"))
    return int(text)


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise WrongInput(what=_("点数"), why=_("页面不完整，请刷新后重填")) from None


@blueprint.route("/<uuid:count_id>/finds", methods=["GET", "POST"])
@needs(*STAFF)
def find_goods(count_id: UUID) -> ResponseReturnValue:
    """Goods that are not on the list: which product, lot and expiry; then they are counted like the others."""
    desk, error, status = signin.here(), "", 200
    head = queries.get_count(desk.facility_id, count_id)
    if request.method == "POST":
        try:
            line_no = _found(count_id)
            return redirect(
                url_for(
                    ".count_here", count_id=count_id, line=line_no, place=request.form.get("place", "")[:20] or None
                ),
                303,
            )
        except Refusal as refused:
            if refused.status == 404:
                raise
            error, status = refused.message, refused.status
    q = request.values.get("q", "").strip()[:60]
    return render_template(
        "facility/stock/counts/find.html", head=head, q=q, products=catalog.find_products(q, limit=20) if q else [], form=request.values, error=error,
        house=rulebook.HOUSE, place=request.values.get("place", "")[:20],
    ), status  # fmt: skip


def _found(count_id: UUID) -> int:
    form, desk = request.form, signin.here()
    if form.get("lot_id"):
        return entering.add_lot(desk, count_id, _number(form["lot_id"]), form.get("zone", ""))
    product = form.get("product", "")
    if not product.isdigit():
        raise WrongInput(what=_("药品"), why=_("请先查找并选中一个药品"))
    return entering.find_goods(
        desk, count_id, _number(product), form.get("lot", ""), _day(form.get("expires_on", "")), form.get("zone", "")
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise WrongInput(what=_("效期"), why=_("请写成 2027-05-31")) from None


# ---- sheets ----------------------------------------------------------------------------------------------------------


@blueprint.get("/<uuid:count_id>/sheet")
@needs(*STAFF)
def print_sheet(count_id: UUID) -> ResponseReturnValue:
    """The count sheet on A4 with the count's number as a barcode, some lines a sheet."""
    head = queries.get_count(signin.here().facility_id, count_id)
    rows = queries.sheet_lines(count_id, whole(request.args.get("after", "")), queries.SHEET_PAGE + 1)
    return render_template(
        "facility/stock/counts/sheet.html", head=head, rows=rows[: queries.SHEET_PAGE], barcode=barcodes.code128_svg(head.number),
        following=rows[queries.SHEET_PAGE - 1].line_no if len(rows) > queries.SHEET_PAGE else None,
    )  # fmt: skip


@blueprint.get("/<uuid:count_id>/sheet.xlsx")
@needs(*STAFF)
def export_sheet(count_id: UUID) -> ResponseReturnValue:
    """The whole list as an Excel file; the book only where the count is not blind."""
    head = queries.get_count(signin.here().facility_id, count_id)
    content = sheets.write_sheet(head, queries.sheet_lines(count_id), signin.me().facility_name)
    return workbook.as_file(head.number, content)


@blueprint.route("/<uuid:count_id>/sheets", methods=["GET", "POST"])
@needs(*STAFF)
def import_sheet(count_id: UUID) -> ResponseReturnValue:
    """Take a filled-in sheet back, judged by the time in which it was filled in."""
    head = queries.get_count(signin.here().facility_id, count_id)
    error, status = "", 200
    if request.method == "POST":
        try:
            _import(head, request.files.get("file"))
            return redirect(url_for(".show_count", count_id=count_id), 303)
        except Refusal as refused:
            error, status = refused.message, refused.status
    return render_template(
        "facility/stock/counts/import.html", head=head, form=request.form, error=error, now=clock.now()
    ), status


def _import(head: Any, upload: FileStorage | None) -> None:
    if upload is None or not upload.filename:
        raise WrongInput(what=_("盘点表"), why=_("没有选择文件"))
    lines = {row.line_no: row for row in queries.sheet_lines(head.id)}
    rows = sheets.read_sheet(head.number, lines, upload.filename, upload.read())
    now = clock.now()
    since, until = _moment("since", head.opened_at), _moment("until", now)
    entering.take_sheet(
        signin.here(), _id(request.form.get("document", "")), head.id, rows, max(since, head.opened_at), min(until, now)
    )


def _moment(name: str, otherwise: datetime) -> datetime:
    """A time on the wall as typed; the other one where nothing is."""
    typed = request.form.get(name, "").strip()
    if not typed:
        return otherwise
    try:
        return datetime.fromisoformat(typed).replace(tzinfo=clock.CHINA)
    except ValueError:
        raise WrongInput(what=_("点数时间"), why=_("请写成 2026-11-22 09:30")) from None
