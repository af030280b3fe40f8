"""The pages of papers: which run out soon, all of one owner, a new one from its original, and one taken out of use."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import NotFound, Refusal
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.organizations import parameters
from app.facility.stock.suppliers import actions, forms, paper_queries, queries, rules
from app.facility.stock.suppliers.actions import Owner, PaperDraft
from app.facility.stock.suppliers.views import ROOM, STAFF, said

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("purchase_licences", __name__, url_prefix="/stock/licences")
blueprint.before_request(forms.real_ids)
OPEN_TO_ALL = ("supplier", "product")  # Papers of the facility and of people are the owner's business.


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "purchase_licences.list_papers", "证照", STAFF, 35)


def _owners() -> tuple[str, ...]:
    return tuple(rules.OWNERS) if signin.me().has("owner") else OPEN_TO_ALL


@blueprint.get("")
@needs(*STAFF)
def list_papers() -> ResponseReturnValue:
    """Papers that have run out or will soon, of everybody; with an owner in the address, all of that one."""
    if forms.arg("owner") and forms.arg("id"):
        return _of_owner(forms.arg("owner"), forms.number(forms.arg("id")))
    today, steps = clock.business_date(), parameters.here().steps_of("licence_warning_days")
    kind, within = forms.arg("owner"), forms.arg("within")
    chosen = (kind,) if kind in _owners() else _owners()
    days = int(within) if within.isascii() and within.isdigit() and len(within) < 4 and int(within) in steps else None
    past, soon = paper_queries.counts(today, steps)
    until = today - timedelta(days=1) if within == "past" else today + timedelta(days=days or steps[0])
    rows = paper_queries.list_due(until, today if days else None, chosen, forms.after_day(forms.arg("after", 60)))
    last = rows[paper_queries.PAGE - 1] if len(rows) > paper_queries.PAGE else None
    return render_template(
        "facility/stock/suppliers/papers.html", rows=rows[: paper_queries.PAGE], today=today, steps=steps, past=past, soon=soon, within=within if days or within == "past" else "",
        owner=kind if kind in _owners() else "", owners={code: word for code, word in said(rules.OWNERS).items() if code in _owners()}, kinds=_words(),
        following=f"{last.valid_until}_{last.id}" if last else None, after=forms.arg("after", 60), may_own=signin.me().has("owner"), own_facility=signin.here().facility_id,
    )  # fmt: skip


def _of_owner(kind: str, owner_id: int | None) -> ResponseReturnValue:
    if kind not in _owners() or owner_id is None:
        raise NotFound
    name = paper_queries.get_owner(kind, owner_id)
    return render_template(
        "facility/stock/suppliers/papers_of.html", name=name, owner=kind, owner_id=owner_id, rows=paper_queries.list_of_owner(kind, owner_id), kinds=_words(),
        owners=said(rules.OWNERS), today=clock.business_date(), steps=parameters.here().steps_of("licence_warning_days"),
    )  # fmt: skip


def _words() -> dict[str, str]:
    return {code: _(kind.word) for code, kind in rules.KINDS.items()}


@blueprint.get("/<uuid:licence_id>")
@needs(*STAFF)
def show_paper(licence_id: UUID) -> ResponseReturnValue:
    """One paper, to be renewed or taken out of use."""
    paper = _mine(paper_queries.get_paper(licence_id))
    return render_template(
        "facility/stock/suppliers/paper.html", paper=paper, kinds=_words(), owners=said(rules.OWNERS), scopes=said(rules.SCOPES), today=clock.business_date(),
        steps=parameters.here().steps_of("licence_warning_days"),
    )  # fmt: skip


def _mine(paper: Any) -> Any:
    if paper.owner_kind not in _owners():
        raise NotFound
    return paper


@blueprint.route("/new", methods=["GET", "POST"])
@needs(*STAFF)
def new_paper() -> ResponseReturnValue:
    """Enter a paper from its original; in place of an old one, the old one ends in the same act."""
    typed = request.form if request.method == "POST" else request.args
    kind, owner_id = typed.get("owner", ""), forms.number(typed.get("id", ""))
    if kind not in _owners():
        raise NotFound
    if owner_id is None:
        return _choose(kind)
    old = _old(typed.get("replaces", ""))
    if request.method == "GET":
        return _form(kind, owner_id, old, {})
    try:
        actions.add_paper(signin.here(), forms.document(), Owner(kind, owner_id), _draft(), old.id if old else None)
    except NotFound:
        raise
    except Refusal as refused:
        return _form(kind, owner_id, old, request.form, refused)
    return redirect(_home(kind, owner_id), 303)


def _old(text: str) -> Any:
    try:
        return _mine(paper_queries.get_paper(UUID(text))) if text else None
    except ValueError:
        raise NotFound from None


def _home(kind: str, owner_id: int) -> str:
    if kind == "supplier":
        return url_for("purchase_suppliers.show_supplier", supplier_id=owner_id)
    return url_for(".list_papers", owner=kind, id=owner_id)


def _choose(kind: str) -> ResponseReturnValue:
    """Say first whose paper it is."""
    text, found = forms.arg("q"), []
    if kind == "product" and text:
        found = [(card.id, card.name, f"{card.spec} · {card.maker}") for card in catalog.find_products(text, limit=20)]
    elif kind == "supplier" and text:
        found = [(row.id, row.name, row.code) for row in queries.find_suppliers(text, limit=20)]
    elif kind == "staff":
        found = [(row.id, row.name, row.number) for row in paper_queries.list_people()]
    return render_template(
        "facility/stock/suppliers/paper_owner.html", owner=kind, q=text, found=found, owners=said(rules.OWNERS)
    )


def _form(
    kind: str, owner_id: int, old: Any, typed: Mapping[str, str], refused: Refusal | None = None
) -> ResponseReturnValue:
    names = ("kind", "number", "valid_from", "valid_until", "scope", "note")
    shown = {name: typed.get(name, "") for name in names}
    ticked = forms.codes("scope_codes", rules.SCOPES)
    if not old and not typed and kind == "supplier":
        shown["kind"] = _first_missing(owner_id)
    if old and not typed:
        shown |= {"kind": old.kind, "number": old.number, "scope": old.scope}
        ticked = tuple(old.scope_codes)
    page = render_template(
        "facility/stock/suppliers/paper_form.html", owner=kind, owner_id=owner_id, name=paper_queries.get_owner(kind, owner_id), old=old, form=shown, ticked=ticked,
        kinds=said(rules.kinds_of(kind)), owners=said(rules.OWNERS), scopes=said(rules.SCOPES), home=_home(kind, owner_id), error=refused.message if refused else "",
        document=typed.get("document", ""),
    )  # fmt: skip
    return page, refused.status if refused else 200


def _first_missing(supplier_id: int) -> str:
    """The paper a supplier still lacks stands chosen: papers are entered one after the other."""
    here = {paper.kind for paper in paper_queries.list_of_owner("supplier", supplier_id) if paper.ended_at is None}
    scope = queries.get_supplier(supplier_id).scope_codes
    return next((group[0] for group in rules.needed_papers(scope) if not here & set(group)), "")


def _draft() -> PaperDraft:
    return PaperDraft(
        forms.text("kind", 40), forms.text("number"), forms.day("valid_from", _("有效期起")), forms.day_or_none("valid_until", _("有效期止")),
        forms.text("scope"), forms.codes("scope_codes", rules.SCOPES), forms.text("note"),
    )  # fmt: skip


@blueprint.post("/<uuid:licence_id>/endings")
@needs(*STAFF)
def end_paper(licence_id: UUID) -> ResponseReturnValue:
    """Take a paper out of use, with a reason."""
    paper = _mine(paper_queries.get_paper(licence_id))
    actions.end_paper(signin.here(), licence_id, forms.text("why", 200))
    return redirect(_home(paper.owner_kind, paper.owner_id), 303)
