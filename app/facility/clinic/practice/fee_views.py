"""诊查费: the owner says what a visit to a department or a doctor costs from a day on; what was said before stays to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, shell, signin
from app.core.errors import NotFound, Refusal
from app.core.signin import needs
from app.facility.catalog import queries as catalog
from app.facility.clinic import forms
from app.facility.clinic.practice import fees, queries

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_fees", __name__, url_prefix="/clinic/fees")
KEEPERS = ("owner",)


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), "clinic_reception.show", "clinic_fees.show", "诊查费", KEEPERS, 85)


@blueprint.get("")
@needs(*KEEPERS)
def show() -> ResponseReturnValue:
    """What is charged today, what will be, and what was said before."""
    return _page()


@blueprint.post("")
@needs(*KEEPERS)
def set_fee() -> ResponseReturnValue:
    """Say what a visit costs from a day on."""
    try:
        first = forms.day("first", _("生效日期"))
        fees.set_fee(
            signin.here(), _payee(), forms.text("service", 50), first, emergency=bool(forms.text("emergency", 1))
        )
    except NotFound:
        raise
    except Refusal as refused:
        return _page(refused)
    flash(_("已保存，自 %(day)s 起按这个收", day=first), "ok")
    return redirect(url_for(".show"), 303)


def _payee() -> fees.Payee:
    """A department is told as d12, a doctor as s34. Raises NotFound."""
    told = forms.text("payee", 20)
    number = forms.number(told[1:])
    if number is None or told[0] not in "ds":
        raise NotFound
    return fees.Payee(department=number) if told[0] == "d" else fees.Payee(doctor=number)


def _page(refused: Refusal | None = None) -> ResponseReturnValue:
    here = signin.here().facility_id
    said = fees.list_said(here, forms.number(forms.arg("before", 17)))
    standing, coming = fees.list_fees(here), fees.list_coming(here)
    doctors = [one for one in queries.list_practitioners(here) if one.prescribes]
    cards = catalog.get_products({one.service_id for one in (*standing, *coming) if one.service_id})
    page = render_template(
        "facility/clinic/practice/fees.html", standing=standing, coming=coming, said=said[: fees.PAGE], following=said[fees.PAGE - 1].id if len(said) > fees.PAGE else None,
        before=forms.arg("before", 17), cards=cards, departments=queries.list_departments(here), doctors=doctors, services=queries.list_services(),
        today=clock.business_date(), form=request.form, of=forms.arg("of", 20), error=refused.message if refused else "",
    )  # fmt: skip
    return page, refused.status if refused else 200
