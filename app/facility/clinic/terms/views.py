"""The lists that the doctor's pages look into while somebody types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from app.core import signin
from app.core.errors import WrongInput
from app.core.signin import needs
from app.facility.clinic.terms import queries

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_terms", __name__, url_prefix="/clinic/terms")
STAFF = ("doctor", "nurse", "pharmacist", "owner")
MOST = 12


@blueprint.get("/diagnoses")
@needs(*STAFF)
def find_diagnoses() -> ResponseReturnValue:
    """Diagnoses by initials, name or code for a field that looks them up; nothing typed shows the doctor's usual ones.

    `kind` narrows to WESTERN, TCM_DISEASE or TCM_SYNDROME, and may be given several times.
    """
    text, kinds = request.args.get("q", "").strip()[: queries.MOST_TEXT], request.args.getlist("kind")
    if not set(kinds) <= queries.KINDS.keys():
        raise WrongInput(what=_("诊断类别"), why=_("没有这一类诊断"))
    staff = signin.here().staff_id
    found = queries.find_diagnoses(text, staff, kinds, MOST) if text else queries.frequent_diagnoses(staff, kinds, MOST)
    return render_template(
        "facility/clinic/terms/_diagnoses.html", diagnoses=found, q=text, kinds=queries.KINDS, most=MOST
    )
