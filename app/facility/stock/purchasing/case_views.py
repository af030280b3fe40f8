"""The pages of cases (大小码): which are known, what lies in one, and a supplier's code file: preview, then all or nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import shell, signin
from app.core.errors import NotFound, Refusal, WrongInput
from app.core.signin import needs
from app.facility.catalog.errors import FileUnreadable
from app.facility.catalog.importer import reader
from app.facility.stock import rulebook
from app.facility.stock.purchasing import cascade, case_queries, delivery_forms, queries
from app.facility.stock.purchasing import cascade_rules as rules

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_cases", __name__, url_prefix="/stock/cases")
STAFF = rulebook.STAFF
PAGE = case_queries.PAGE
MOST_NUMBER = 2**31 - 1
FOLDER = "facility/stock/purchasing"


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(
        cast("Flask", state.app), "purchase_orders.list_orders", "purchase_cases.list_cases", "大小码", STAFF, 25
    )


@blueprint.get("")
@needs(*STAFF)
def list_cases() -> ResponseReturnValue:
    """The cases that are known, by code; beside them the way in for a supplier's code file."""
    return _list_page()


def _list_page(refusal: Refusal | None = None) -> tuple[str, int]:
    search, after = _code("q"), _code("after")
    rows = case_queries.list_cases(search, after)
    page = render_template(
        f"{FOLDER}/cases.html", rows=rows[:PAGE], q=search, following=rows[PAGE - 1].code if len(rows) > PAGE else "", files=case_queries.list_files(_here()),
        refusal=refusal, most_rows=reader.MOST_ROWS,
    )  # fmt: skip
    return page, refusal.status if refusal else 200


def _here() -> int:
    return signin.here().facility_id


def _code(name: str) -> str:
    return "".join(sign for sign in request.args.get(name, "") if sign.isalnum())[: rules.LONGEST]


@blueprint.get("/<case>")
@needs(*STAFF)
def show_case(case: str) -> ResponseReturnValue:
    """One case with the packs, or smaller cases, in it."""
    if not case.isalnum():
        raise NotFound
    rows = case_queries.codes_in(case[: rules.LONGEST], _code("after"))
    following = rows[PAGE - 1].code if len(rows) > PAGE else ""
    return render_template(
        f"{FOLDER}/case.html", head=case_queries.get_case(case[: rules.LONGEST]), rows=rows[:PAGE], following=following
    )


@blueprint.post("/files")
@needs(*STAFF)
def upload_file() -> ResponseReturnValue:
    """Keep a supplier's code file and go on to its preview."""
    file, document = request.files.get("file"), delivery_forms.document_of(request.form.get("document", ""))
    try:
        if document is None:
            raise WrongInput(what=_("大小码文件"), why=_("页面不完整，请刷新后重填"))
        if file is None or not file.filename:
            raise FileUnreadable(file=_("（未选择）"), why=_("没有选择文件"))
        cascade.upload_file(signin.here(), document, file.filename, file.read(reader.MOST_BYTES + 1))
    except Refusal as refusal:
        return _list_page(refusal)
    return redirect(url_for(".show_file", case_file_id=document), 303)


@blueprint.get("/files/<uuid:case_file_id>")
@needs(*STAFF)
def show_file(case_file_id: UUID) -> ResponseReturnValue:
    """A code file row by row, with what is wrong; once taken, what became of it."""
    return _file_page(case_file_id)


def _file_page(case_file_id: UUID, refusal: Refusal | None = None) -> tuple[str, int]:
    batch = case_queries.get_file(_here(), case_file_id)
    verdict = request.args.get("verdict", "")
    after = max(0, min(request.args.get("after", 0, type=int) or 0, MOST_NUMBER))
    rows = queries.import_rows(case_file_id, verdict if verdict in batch.verdicts else "", after)
    page = render_template(
        f"{FOLDER}/case_file.html", batch=batch, rows=rows[: queries.PAGE], verdict=verdict, refusal=refusal, problems={key: _(word) for key, word in rules.PROBLEMS.items()},
        fields=[_(rules.FIELDS[name]) for name in batch.mapping.values()], following=rows[queries.PAGE - 1].number if len(rows) > queries.PAGE else 0,
    )  # fmt: skip
    return page, refusal.status if refusal else 200


@blueprint.post("/files/<uuid:case_file_id>/takings")
@needs(*STAFF)
def take_file(case_file_id: UUID) -> ResponseReturnValue:
    """Learn the whole file (F9), or nothing of it."""
    try:
        learnt = cascade.take_file(signin.here(), case_file_id)
    except Refusal as refusal:
        if refusal.status != 422:
            raise
        return _file_page(case_file_id, refusal)
    flash(_("记住了 %(n)s 对大小码，以后扫箱码就自动展开。", n=f"{learnt:,}"), "ok")
    return redirect(url_for(".show_file", case_file_id=case_file_id), 303)
