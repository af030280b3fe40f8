"""The pages of an opening file (期初导入): upload, columns, checking, preview, posting, result. Its state says which page it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from uuid import UUID, uuid4

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import shell, signin
from app.core.errors import Refusal
from app.core.signin import needs
from app.core.web import is_htmx
from app.facility.catalog import queries as catalog
from app.facility.catalog.errors import FileUnreadable
from app.facility.catalog.importer import reader
from app.facility.stock.purchasing import files, import_queries, imports, queries

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_imports", __name__, url_prefix="/stock/imports")
STAFF = ("clerk", "pharmacist", "owner")
MOST_NUMBER = 2**31 - 1
MOST_CHOICES = 8


@blueprint.record_once
def _announce(state: BlueprintSetupState) -> None:
    app = cast("Flask", state.app)
    shell.add_page(app, "purchase_orders.list_orders", "purchase_imports.list_imports", "期初导入", STAFF, 60)


@blueprint.get("")
@needs(*STAFF)
def list_imports() -> ResponseReturnValue:
    """The upload form and the latest files."""
    return _upload_page()


def _upload_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    page = render_template(
        "facility/stock/imports/list.html",
        batches=import_queries.list_openings(_here()),
        states=_state_words(),
        refusal=refusal,
        most_rows=reader.MOST_ROWS,
    )
    return page, refusal.status if refusal else 200


@blueprint.post("")
@needs(*STAFF)
def upload() -> ResponseReturnValue:
    """Keep an uploaded file and go on to its columns."""
    file, import_id = request.files.get("file"), _document(request.form.get("document", ""))
    try:
        if file is None or not file.filename:
            raise FileUnreadable(file=_("（未选择）"), why=_("没有选择文件"))
        imports.upload_file(signin.here(), import_id, file.filename, file.read(reader.MOST_BYTES + 1))
    except Refusal as refusal:
        return _upload_page(refusal)
    return _to(import_id)


def _document(text: str) -> UUID:
    """The browser makes the id; a browser without scripts gets one here."""
    try:
        return UUID(text)
    except ValueError:
        return uuid4()


@blueprint.get("/<uuid:import_id>")
@needs(*STAFF)
def show_import(import_id: UUID) -> ResponseReturnValue:
    """The file at the step it has reached."""
    head = import_queries.get_opening(_here(), import_id)
    if head.state == "columns":
        return _columns_page(head)
    if head.state in ("checking", "posting"):
        return _progress_page(head)
    return _preview_page(head)


# ---- columns and checking ------------------------------------------------------------------------------------------


@blueprint.route("/<uuid:import_id>/columns", methods=["GET", "POST"])
@needs(*STAFF)
def choose_columns(import_id: UUID) -> ResponseReturnValue:
    """Say what each column means; the guess, or what was said last time, is filled in."""
    head = import_queries.get_opening(_here(), import_id)
    if request.method == "GET":
        return _columns_page(head)
    chosen = {
        name.removeprefix("column-"): field
        for name, field in request.form.items()
        if name.startswith("column-") and field
    }
    try:
        imports.choose_columns(signin.here(), import_id, chosen)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _columns_page(head, chosen, refusal)
    return _to(import_id)


def _columns_page(
    head: Any, chosen: dict[str, str] | None = None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    mapping = head.mapping if chosen is None else chosen
    page = render_template(
        "facility/stock/imports/columns.html",
        batch=head,
        mapping=mapping,
        samples=import_queries.sample_rows(head.id),
        fields={key: _(word) for key, word in files.FIELDS.items()},
        lacks=[_(word) for word in files.missing_columns(mapping)],
        refusal=refusal,
    )
    return page, refusal.status if refusal else 200


def _progress_page(head: Any, refusal: Refusal | None = None) -> ResponseReturnValue:
    """How far it has come; with a refusal the page stops asking: what was posted stays, and it says why."""
    part = "_progress" if is_htmx() else "progress"
    page = render_template(
        f"facility/stock/imports/{part}.html", batch=head, percent=import_queries.percent(head), refusal=refusal
    )
    return page, refusal.status if refusal and not is_htmx() else 200  # htmx does not swap an error in.


@blueprint.post("/<uuid:import_id>/checks")
@needs(*STAFF)
def check(import_id: UUID) -> ResponseReturnValue:
    """Check the next portion; the page asks again until the preview is ready."""
    import_queries.get_opening(_here(), import_id)
    return _next(import_id, ready=imports.check_next(signin.here(), import_id))


def _next(import_id: UUID, *, ready: bool) -> ResponseReturnValue:
    if not is_htmx():
        return _to(import_id)
    if ready:
        return "", 200, {"HX-Redirect": url_for(".show_import", import_id=import_id)}
    return _progress_page(import_queries.get_opening(_here(), import_id))


# ---- preview -------------------------------------------------------------------------------------------------------


def _preview_page(head: Any, refusal: Refusal | None = None) -> ResponseReturnValue:
    verdict = request.args.get("verdict", "")
    verdict = verdict if verdict in import_queries.VERDICTS else ""
    rows = queries.import_rows(head.id, verdict, _number("after"))
    asked = import_queries.find_unmatched(head.id, _number("row")) if head.state == "preview" else None
    text = request.args.get("q", asked.said["name"] if asked else "").strip()[:100]
    page = render_template(
        "facility/stock/imports/preview.html",
        batch=head,
        rows=rows[: queries.PAGE],
        following=rows[queries.PAGE - 1].number if len(rows) > queries.PAGE else 0,
        verdict=verdict,
        problems={key: _(word) for key, word in files.PROBLEMS.items()},
        asked=asked,
        q=text,
        found=catalog.find_products(text, limit=MOST_CHOICES) if asked and text else [],
        receipts=import_queries.list_receipts(head.id) if head.posted_count else [],
        refusal=refusal,
    )
    return page, refusal.status if refusal else 200


@blueprint.post("/<uuid:import_id>/rows/<int:row_number>/products")
@needs(*STAFF)
def choose_product(import_id: UUID, row_number: int) -> ResponseReturnValue:
    """Say which product a row means, or leave the row out; then the next row that asks."""
    import_queries.get_opening(_here(), import_id)
    product = request.form.get("product", "")
    chosen = int(product) if product.isascii() and product.isdigit() and len(product) < 18 else None
    imports.choose_product(signin.here(), import_id, min(row_number, MOST_NUMBER), chosen)
    following = import_queries.next_unmatched(import_id) if request.form.get("on") else None
    if following is None:
        return _to(import_id)
    return redirect(url_for(".show_import", import_id=import_id, verdict="unmatched", row=following), 303)


@blueprint.post("/<uuid:import_id>/leavings")
@needs(*STAFF)
def leave_rest(import_id: UUID) -> ResponseReturnValue:
    """Leave out every row in error or without a product."""
    import_queries.get_opening(_here(), import_id)
    left = imports.leave_rest(signin.here(), import_id)
    flash(_("已跳过 %(n)s 行，其余的可以入库。", n=left), "ok")
    return _to(import_id)


@blueprint.post("/<uuid:import_id>/rechecks")
@needs(*STAFF)
def check_again(import_id: UUID) -> ResponseReturnValue:
    """Check what is not ready against the catalog as it is now; a row that was left out comes back when it is named."""
    import_queries.get_opening(_here(), import_id)
    number = request.form.get("row", 0, type=int) or 0
    imports.check_again(signin.here(), import_id, max(0, min(number, MOST_NUMBER)))
    imports.check_next(signin.here(), import_id)
    return _to(import_id)


# ---- onto the shelf ------------------------------------------------------------------------------------------------


@blueprint.post("/<uuid:import_id>/takings")
@needs(*STAFF)
def take(import_id: UUID) -> ResponseReturnValue:
    """Begin to put the file onto the shelf, when nothing in it is undecided."""
    head = import_queries.get_opening(_here(), import_id)
    try:
        begun = imports.take_opening(signin.here(), import_id)
    except Refusal as refusal:
        if refusal.status == 404 or head.state != "preview":
            raise
        return _preview_page(head, refusal)
    if not begun:
        flash(_("什么也没有入库：检查之后有了变化，请看标出的行。"), "warn")
    return _to(import_id)


@blueprint.post("/<uuid:import_id>/postings")
@needs(*STAFF)
def post(import_id: UUID) -> ResponseReturnValue:
    """Put the next portion onto the shelf; the page asks again until nothing is left."""
    head = import_queries.get_opening(_here(), import_id)
    try:
        done = imports.post_next(signin.here(), import_id)
    except Refusal as refusal:
        if refusal.status == 404 or head.state != "posting":
            raise
        return _progress_page(head, refusal)
    return _next(import_id, ready=done)


def _here() -> int:
    return int(signin.here().facility_id)


def _number(name: str) -> int:
    return max(0, min(request.args.get(name, 0, type=int) or 0, MOST_NUMBER))


def _to(import_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show_import", import_id=import_id), 303)


def _state_words() -> dict[str, str]:
    return {state: _(word) for state, word in imports.STATES.items()}
