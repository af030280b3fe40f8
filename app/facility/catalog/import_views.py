"""The import's pages: upload, columns, checking, preview, result. The import's state says which page its address shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from flask import flash, redirect, render_template, request, url_for
from flask_babel import gettext

from app.core.errors import Refusal
from app.core.signin import me, needs
from app.core.web import is_htmx
from app.facility.catalog import import_queries, imports
from app.facility.catalog.errors import FileUnreadable
from app.facility.catalog.importer import reader
from app.facility.catalog.importer.columns import FILE_FIELDS
from app.facility.catalog.importer.problems import TEXTS, level
from app.facility.catalog.rules import RX_CLASSES

if TYPE_CHECKING:
    from flask import Blueprint
    from flask.typing import ResponseReturnValue

    from app.facility.catalog.import_queries import Batch


def join(blueprint: Blueprint) -> None:
    """Add the import's pages to the room."""
    add = blueprint.add_url_rule
    add("/imports", view_func=list_imports, methods=["GET"])
    add("/imports", view_func=upload, methods=["POST"])
    add("/imports/<uuid:batch_id>", view_func=show_import, methods=["GET"])
    add("/imports/<uuid:batch_id>/columns", view_func=choose_columns, methods=["GET", "POST"])
    add("/imports/<uuid:batch_id>/checks", view_func=check, methods=["POST"])
    add("/imports/<uuid:batch_id>/rechecks", view_func=check_again, methods=["POST"])
    add("/imports/<uuid:batch_id>/decisions", view_func=decide, methods=["POST"])
    add("/imports/<uuid:batch_id>/rows/<int:number>/decisions", view_func=decide_row, methods=["POST"])
    add("/imports/<uuid:batch_id>/takings", view_func=take, methods=["POST"])
    add("/imports/<uuid:batch_id>/undoings", view_func=undo, methods=["POST"])
    blueprint.app_template_global()(problem_sentence)
    blueprint.app_template_global()(problem_level)


def problem_sentence(problem: dict[str, Any]) -> str:
    """Say a stored problem in the language of the page: what, why, what now."""
    facts = {**problem}
    for name in ("field", "why", "result", "basis"):
        if isinstance(facts.get(name), str):
            facts[name] = gettext(facts[name])
    return str(gettext(TEXTS[problem["code"]][2]).format(**facts))


def problem_level(problem: dict[str, Any]) -> str:
    """Say how bad a stored problem is: error, warning, note."""
    return level(problem)


@needs("owner")
def list_imports() -> ResponseReturnValue:
    """Show the upload form and the latest imports."""
    return _upload_page()


def _upload_page(refusal: Refusal | None = None) -> ResponseReturnValue:
    page = render_template(
        "facility/catalog/imports.html",
        batches=import_queries.list_batches(),
        states=_state_words(),
        refusal=refusal,
        most_rows=reader.MOST_ROWS,
    )
    return page, refusal.status if refusal else 200


@needs("owner")
def upload() -> ResponseReturnValue:
    """Keep an uploaded file and go on to its columns."""
    file = request.files.get("file")
    batch_id = _document(request.form.get("document", ""))
    try:
        if file is None or not file.filename:
            raise FileUnreadable(file=gettext("（未选择）"), why=gettext("没有选择文件"))
        imports.upload_file(batch_id, file.filename, file.read(reader.MOST_BYTES + 1), me().staff_id)
    except Refusal as refusal:
        return _upload_page(refusal)
    return _to(batch_id)


def _document(text: str) -> UUID:
    """The browser makes the id; a browser without scripts gets one here."""
    try:
        return UUID(text)
    except ValueError:
        return uuid4()


@needs("owner")
def show_import(batch_id: UUID) -> ResponseReturnValue:
    """Show the import at the step it has reached."""
    batch = import_queries.get_batch(batch_id)
    if batch.state == "uploaded":
        return _columns_page(batch)
    if batch.state == "checking":
        return render_template("facility/catalog/checking.html", batch=batch)
    return _preview_page(batch)


def _preview_page(batch: Batch, refusal: Refusal | None = None) -> ResponseReturnValue:
    verdict, problem = request.args.get("verdict", ""), request.args.get("problem", "")
    after = min(request.args.get("after", 0, type=int) or 0, 2**31 - 1)
    rows, following = import_queries.list_rows(batch.id, verdict, problem, max(after, 0))
    errors, duplicates, will_take = import_queries.waiting(batch.id)
    kept: dict[str, Any] = {name: value for name, value in (("verdict", verdict), ("problem", problem)) if value}
    page = render_template(
        "facility/catalog/preview.html",
        batch=batch,
        rows=rows,
        errors=errors,
        duplicates=duplicates,
        will_take=will_take,
        verdict=verdict,
        problem=problem,
        texts={code: (kind, gettext(title)) for code, (kind, title, _) in TEXTS.items()},
        refusal=refusal,
        next_url=url_for(".show_import", batch_id=batch.id, **kept, after=following) if following else None,
        first_url=url_for(".show_import", batch_id=batch.id, **kept) if after else None,
    )
    return page, refusal.status if refusal else 200


@needs("owner")
def choose_columns(batch_id: UUID) -> ResponseReturnValue:
    """Say what each column means; the guess is filled in."""
    batch = import_queries.get_batch(batch_id)
    if request.method == "GET":
        return _columns_page(batch)
    chosen = {
        name.removeprefix("column-"): field
        for name, field in request.form.items()
        if name.startswith("column-") and field
    }
    try:
        imports.choose_columns(batch_id, chosen, me().staff_id, request.form.get("rx_class", ""))
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _columns_page(batch, chosen, refusal)
    return _to(batch_id)


def _columns_page(
    batch: Batch, chosen: dict[str, str] | None = None, refusal: Refusal | None = None
) -> ResponseReturnValue:
    page = render_template(
        "facility/catalog/columns.html",
        batch=batch,
        mapping=batch.mapping if chosen is None else chosen,
        samples=import_queries.sample_rows(batch.id),
        fields={key: gettext(word) for key, word in FILE_FIELDS.items()},
        rx_classes={key: gettext(word) for key, word in RX_CLASSES.items()},
        refusal=refusal,
    )
    return page, refusal.status if refusal else 200


@needs("owner")
def check(batch_id: UUID) -> ResponseReturnValue:
    """Check the next portion; the page asks again until the preview is ready."""
    ready = imports.check_next(batch_id)
    if not is_htmx():
        return _to(batch_id)
    answer = render_template("facility/catalog/_progress.html", batch=import_queries.get_batch(batch_id))
    return (answer, 200, {"HX-Redirect": url_for(".show_import", batch_id=batch_id)}) if ready else answer


@needs("owner")
def check_again(batch_id: UUID) -> ResponseReturnValue:
    """Check everything against the catalog as it is now."""
    imports.check_again(batch_id)
    return _to(batch_id)


@needs("owner")
def decide(batch_id: UUID) -> ResponseReturnValue:
    """Say what happens to rows in error, shared national codes and products no longer named."""
    imports.decide(
        batch_id, **{name: request.form[name] for name in ("duplicates", "errors", "gone") if name in request.form}
    )
    return _to(batch_id)


@needs("owner")
def decide_row(batch_id: UUID, number: int) -> ResponseReturnValue:
    """Take or skip one row, and come back to the same place of the preview."""
    imports.decide_row(batch_id, min(number, 2**31 - 1), request.form.get("decision"))
    place: dict[str, Any] = {
        name: value for name in ("verdict", "problem", "after") if (value := request.form.get(name, ""))
    }
    return redirect(url_for(".show_import", batch_id=batch_id, **place, _anchor=f"row-{number}"), 303)


@needs("owner")
def take(batch_id: UUID) -> ResponseReturnValue:
    """Bring the file into the catalog."""
    try:
        taken = imports.take_import(batch_id, me().staff_id)
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return _preview_page(import_queries.get_batch(batch_id), refusal)
    flash(gettext("已导入：新增 %(new)s，改动 %(changed)s，停用 %(stopped)s。", **taken), "ok")
    return _to(batch_id)


@needs("owner")
def undo(batch_id: UUID) -> ResponseReturnValue:
    """Take an import back."""
    try:
        imports.undo_import(batch_id, me().staff_id)
    except Refusal as refusal:
        if refusal.status == 404:
            raise
        return _preview_page(import_queries.get_batch(batch_id), refusal)
    flash(gettext("已撤销，目录回到导入前。"), "ok")
    return _to(batch_id)


def _to(batch_id: UUID) -> ResponseReturnValue:
    return redirect(url_for(".show_import", batch_id=batch_id), 303)


def _state_words() -> dict[str, str]:
    return {state: gettext(word) for state, word in imports.STATES.items()}
