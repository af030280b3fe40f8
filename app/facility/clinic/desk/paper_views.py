"""The desk's papers on A5: prescription, treatment sheet, summary of a visit. They carry the whole name, so they open by id only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, render_template
from flask_babel import gettext

from app.core import signin
from app.core.ages import age_of
from app.core.barcodes import code128_svg
from app.core.signin import needs
from app.facility.clinic.desk import papers, rules, signing
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.terms import usage
from app.facility.clinic.terms.dictionaries import DECOCTIONS, FREQUENCIES, HANDLINGS
from app.facility.db import transaction
from app.national import codes

if TYPE_CHECKING:
    from uuid import UUID

    from flask.typing import ResponseReturnValue

blueprint = Blueprint("clinic_papers", __name__, url_prefix="/clinic/desk")
STAFF = ("doctor", "pharmacist", "nurse", "clerk", "owner")
TREATED = frozenset({"TREATMENT", "TEST", "INFUSION", "FEE"})
MOST_TIMES = 12  # Executions that have a line to be signed on.


@blueprint.get("/sheets/<uuid:sheet_id>/paper")
@needs(*STAFF)
def prescription(sheet_id: UUID) -> ResponseReturnValue:
    """A prescription (处方笺) in the colour and with the mark of its kind; a treatment's sheet where it holds no medicines."""
    head, lines, diagnoses = papers.get_sheet(signin.here().facility_id, sheet_id)
    name = "prescription" if head.kind in rules.MEDICINES else "treatment"
    return _paper(name, head, lines, diagnoses)


@blueprint.get("/sheets/<uuid:sheet_id>/treatment")
@needs(*STAFF)
def treatment(sheet_id: UUID) -> ResponseReturnValue:
    """What the nurse carries out and signs (治疗单、输液单)."""
    return _paper("treatment", *papers.get_sheet(signin.here().facility_id, sheet_id))


def _paper(name: str, head: Any, lines: list[Any], diagnoses: list[Any]) -> str:
    times = max((_times(line) for line in lines), default=1)
    return render_template(
        f"facility/clinic/desk/{name}.html", head=head, lines=lines, diagnoses=diagnoses, look=papers.LOOKS[head.tag], total_fen=sum(line.amount_fen for line in lines),
        times=min(times, MOST_TIMES), weight=_weight(head), **_person(head), **_words(),
    )  # fmt: skip


def _times(line: Any) -> int:
    """How often a line is carried out: services by their number, infusions by frequency and days."""
    if line.described.get("rx_class") == "SERVICE":
        return int(line.quantity)
    per_day = FREQUENCIES[line.frequency].per_day if line.frequency in FREQUENCIES else None
    return max(1, int((per_day or 1) * (line.days or 1)))


def _weight(head: Any) -> str:
    """The weight that was written down, which a child's prescription says."""
    if head.tag != "paediatric":
        return ""
    desk = signin.here()
    with transaction(settings=desk.settings) as hot:
        return signing.read_signed(hot, desk, head.visit_id, head.version).record.vitals.get("weight", "")


@blueprint.get("/visits/<uuid:visit_id>/summary")
@needs("doctor")
def summary(visit_id: UUID) -> ResponseReturnValue:
    """The visit for the patient to take home (就诊小结): record, diagnoses, orders, advice."""
    desk = signin.here()
    head, sheets, diagnoses = papers.get_visit(desk.facility_id, visit_id)
    with transaction(settings=desk.settings) as hot:
        content = signing.read_signed(hot, desk, visit_id, head.version)
    return render_template(
        "facility/clinic/desk/summary.html", head=head, sheets=sheets, diagnoses=diagnoses, record=content.record, **_person(head), **_words()
    )  # fmt: skip


def _person(head: Any) -> dict[str, Any]:
    row = patients.get_patient(head.patient_id)
    return {
        "person": patients.unseal(row), "file": row, "age": age_of(row.born_on, head.visit_on),
        "payer": codes.name("insutype", head.insutype or "") if head.mdtrt_id else gettext("自费"),
    }  # fmt: skip


def _words() -> dict[str, Any]:
    return {
        "kinds": rules.KINDS, "diagnosis_kinds": rules.DIAGNOSES, "usage": usage.usage, "amount": usage.amount, "handlings": HANDLINGS, "decoctions": DECOCTIONS,
        "sexes": patient_rules.SEXES, "say": gettext, "code128_svg": code128_svg,
    }  # fmt: skip
