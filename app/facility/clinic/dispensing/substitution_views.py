"""换药 in the browser: the dispenser proposes another product for a line; the prescriber sees what waits, consents or declines."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import shell, signin
from app.core.errors import NotFound, Refusal, WrongInput
from app.core.personal import mask_name
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.dispensing import queries, rules, substituting
from app.facility.clinic.dispensing.views import ROOM, STAFF, words_shown

if TYPE_CHECKING:
    from uuid import UUID

    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from app.facility.clinic.dispensing.queries import Paper
    from app.facility.clinic.dispensing.rules import Line

blueprint = Blueprint("clinic_substitutions", __name__, url_prefix="/clinic/substitutions")
PRESCRIBERS = ("doctor",)


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_substitutions.show", "换药", PRESCRIBERS, 30)


# ---- who dispenses -------------------------------------------------------------------------------------------------


@blueprint.get("/sheets/<uuid:sheet_id>")
@needs(*STAFF)
def choose(sheet_id: UUID) -> ResponseReturnValue:
    """What could go instead of one line of a paid sheet, and why something could not."""
    return _form(queries.get_sheet(signin.here(), sheet_id), forms.number(forms.arg("line", 6)) or 0)


@blueprint.post("/sheets/<uuid:sheet_id>")
@needs(*STAFF)
def propose(sheet_id: UUID) -> ResponseReturnValue:
    """Propose one of them to the prescriber."""
    desk, paper = signin.here(), queries.get_sheet(signin.here(), sheet_id)
    line = forms.number(forms.text("line", 6)) or 0
    try:
        product = forms.number(forms.text("product", 18)) or 0
        substituting.propose(desk, forms.document(), sheet_id, line, product, forms.text("reason", 20), forms.text("note", rules.MOST_NOTE))  # fmt: skip
    except Refusal as refused:
        return _form(paper, line, refused)
    flash(_("已请 %(doctor)s 医师答复换药", doctor=paper.head.doctor), "ok")
    return redirect(url_for("clinic_dispensing.show_sheet", sheet_id=sheet_id), 303)


@blueprint.post("/<uuid:swap_id>/withdrawal")
@needs(*STAFF)
def withdraw(swap_id: UUID) -> ResponseReturnValue:
    """Take a proposal back."""
    swap = queries.get_swap(signin.here(), swap_id)
    try:
        substituting.withdraw(signin.here(), swap_id)
    except Refusal as refused:
        flash(refused.message, "stop")
    return redirect(url_for("clinic_dispensing.show_sheet", sheet_id=swap.order_id), 303)


def _form(paper: Paper, line_no: int, refused: Refusal | None = None) -> ResponseReturnValue:
    lines = [line for line in paper.goods if substituting.may_change(paper.head.kind, line)]
    line: Line | None = next((one for one in lines if one.line_no == line_no), lines[0] if lines else None)
    found = substituting.choices(signin.here(), line, insured=paper.head.paid == "insured") if line else []
    page = render_template(
        "facility/clinic/dispensing/substitute.html", lines=lines, line=line, choices=found, reasons=rules.SWAP_REASONS, form=request.form,
        error=refused.message if refused else "", **words_shown() | {"paper": paper},
    )  # fmt: skip
    return page, refused.status if refused else 200


# ---- who prescribed ------------------------------------------------------------------------------------------------


@blueprint.get("")
@needs(*PRESCRIBERS)
def show() -> ResponseReturnValue:
    """What waits for the doctor's answer, the oldest first."""
    return _list()


@blueprint.get("/notice")
@needs(*PRESCRIBERS)
def notice() -> ResponseReturnValue:
    """How many wait, for the doctor's desk; nothing when none does."""
    many = len(queries.list_swaps(signin.here()))
    return render_template("facility/clinic/dispensing/_notice.html", many=many)


@blueprint.post("/<uuid:swap_id>/answer")
@needs(*PRESCRIBERS)
def answer(swap_id: UUID) -> ResponseReturnValue:
    """Consent or decline."""
    desk, said = signin.here(), forms.text("answer", 20)
    if said not in {"consented", "declined"}:
        raise WrongInput(what=_("换药"), why=_("要选同意或不同意"))
    try:
        substituting.answer(desk, swap_id, said, forms.text("note", rules.MOST_NOTE) if said == "declined" else "")
    except NotFound:
        raise
    except Refusal as refused:
        return _list(refused)
    flash(_("已同意换药，药房可以发了") if said == "consented" else _("已告诉药房不换"), "ok")
    return redirect(url_for(".show"), 303)


def _list(refused: Refusal | None = None) -> ResponseReturnValue:
    page = render_template(
        "facility/clinic/dispensing/substitutions.html", swaps=queries.list_swaps(signin.here()), most=queries.MOST_SWAPS, reasons=rules.SWAP_REASONS, mask=mask_name,
        error=refused.message if refused else "", **words_shown(),
    )  # fmt: skip
    return page, refused.status if refused else 200
