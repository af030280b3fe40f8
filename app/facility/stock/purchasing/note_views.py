"""A supplier's delivery note out of a file (随货同行单): upload, columns, checking, preview, into the delivery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import signin
from app.core.errors import NotFound, Refusal, WrongInput
from app.core.signin import needs
from app.core.web import is_htmx
from app.facility.catalog import queries as catalog
from app.facility.catalog.errors import FileUnreadable
from app.facility.catalog.importer import reader
from app.facility.stock.purchasing import delivery_forms, files, imports, queries
from app.facility.stock.purchasing.delivery_views import STAFF, blueprint

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

MOST_NUMBER = 2**31 - 1
SAMPLES = 6
MOST_CHOICES = 8
FOLDER = "facility/stock/purchasing"


@blueprint.post("/<uuid:delivery_id>/notes")
@needs(*STAFF)
def upload_note(delivery_id: UUID) -> ResponseReturnValue:
    """Keep the supplier's file and go on to its columns."""
    file, document = request.files.get("file"), delivery_forms.document_of(request.form.get("document", ""))
    if document is None:
        raise WrongInput(what=_("随货同行单"), why=_("页面不完整，请刷新后重填"))
    if file is None or not file.filename:
        raise FileUnreadable(file=_("（未选择）"), why=_("没有选择文件"))
    imports.upload_file(signin.here(), document, file.filename, file.read(reader.MOST_BYTES + 1), delivery_id)
    return _to(delivery_id, document)


def _to(delivery_id: UUID, note_id: UUID, **more: Any) -> ResponseReturnValue:
    return redirect(url_for(".show_note", delivery_id=delivery_id, note_id=note_id, **more), 303)


def _note(delivery_id: UUID, note_id: UUID) -> tuple[Any, Any]:
    """A delivery and its file. Raises NotFound when they do not belong together."""
    facility = signin.here().facility_id
    head, batch = queries.get_delivery(facility, delivery_id), queries.get_import(facility, note_id)
    if batch.delivery_id != head.id:
        raise NotFound
    return head, batch


@blueprint.get("/<uuid:delivery_id>/notes/<uuid:note_id>")
@needs(*STAFF)
def show_note(delivery_id: UUID, note_id: UUID) -> ResponseReturnValue:
    """The file at the step it has reached."""
    head, batch = _note(delivery_id, note_id)
    if batch.state == "columns" or (request.args.get("columns") and batch.state == "preview"):
        return _columns_page(head, batch)
    if batch.state == "checking":
        return render_template(f"{FOLDER}/note_checking.html", head=head, batch=batch)
    return _preview_page(head, batch)


@blueprint.post("/<uuid:delivery_id>/notes/<uuid:note_id>/columns")
@needs(*STAFF)
def choose_note_columns(delivery_id: UUID, note_id: UUID) -> ResponseReturnValue:
    """Say what each column means; the guess, or what was said last time, is filled in."""
    head, batch = _note(delivery_id, note_id)
    chosen = {
        name.removeprefix("column-"): field
        for name, field in request.form.items()
        if name.startswith("column-") and field
    }
    try:
        imports.choose_columns(signin.here(), note_id, chosen)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _columns_page(head, batch, chosen, refusal)
    return _to(delivery_id, note_id)


def _columns_page(
    head: Any, batch: Any, chosen: dict[str, str] | None = None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    samples = [row.raw for row in queries.import_rows(batch.id)[:SAMPLES]]
    page = render_template(
        f"{FOLDER}/note_columns.html", head=head, batch=batch, mapping=batch.mapping if chosen is None else chosen, samples=samples,
        fields={key: _(word) for key, word in files.FIELDS.items()}, refusal=refusal,
    )  # fmt: skip
    return page, refusal.status if refusal else 200


@blueprint.post("/<uuid:delivery_id>/notes/<uuid:note_id>/checks")
@needs(*STAFF)
def check_note(delivery_id: UUID, note_id: UUID) -> ResponseReturnValue:
    """Check the next portion; the page asks again until the preview is ready."""
    head, _batch = _note(delivery_id, note_id)
    ready = imports.check_next(signin.here(), note_id)
    if not is_htmx():
        return _to(delivery_id, note_id)
    if ready:
        return "", 200, {"HX-Redirect": url_for(".show_note", delivery_id=delivery_id, note_id=note_id)}
    batch = queries.get_import(signin.here().facility_id, note_id)
    return render_template(f"{FOLDER}/_note_progress.html", head=head, batch=batch)


def _preview_page(head: Any, batch: Any) -> ResponseReturnValue:
    verdict = request.args.get("verdict", "")
    rows = queries.import_rows(batch.id, verdict if verdict in batch.verdicts else "", _number("after"))
    asked = next((row for row in rows if row.number == _number("row") and row.verdict == "unmatched"), None)
    text = request.args.get("q", asked.said["name"] if asked else "").strip()[:100]
    return render_template(
        f"{FOLDER}/note_preview.html", head=head, batch=batch, rows=rows[: queries.PAGE], verdict=verdict, asked=asked, q=text,
        found=catalog.find_products(text, limit=MOST_CHOICES) if asked and text else [], problems={key: _(word) for key, word in files.PROBLEMS.items()},
        following=rows[queries.PAGE - 1].number if len(rows) > queries.PAGE else 0,
    )  # fmt: skip


def _number(name: str) -> int:
    return max(0, min(request.args.get(name, 0, type=int) or 0, MOST_NUMBER))


@blueprint.post("/<uuid:delivery_id>/notes/<uuid:note_id>/rows/<int:row_number>/products")
@needs(*STAFF)
def choose_note_product(delivery_id: UUID, note_id: UUID, row_number: int) -> ResponseReturnValue:
    """Say which product a row means, or leave the row out."""
    _note(delivery_id, note_id)
    product = delivery_forms.whole(request.form.get("product", ""))
    imports.choose_product(signin.here(), note_id, min(row_number, MOST_NUMBER), product or None)
    return _to(delivery_id, note_id)


@blueprint.post("/<uuid:delivery_id>/notes/<uuid:note_id>/takings")
@needs(*STAFF)
def take_note(delivery_id: UUID, note_id: UUID) -> ResponseReturnValue:
    """Put what is ready into the delivery, to be checked against the goods (F9)."""
    _note(delivery_id, note_id)
    imports.fill_delivery(signin.here(), note_id)
    batch = queries.get_import(signin.here().facility_id, note_id)
    flash(_("随货同行单已带入 %(n)s 行，请逐行核对实物。", n=batch.posted_count), "ok")
    return redirect(url_for(".show_delivery", delivery_id=delivery_id), 303)
