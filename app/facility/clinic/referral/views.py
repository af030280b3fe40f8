"""转诊: patients sent on and patients who come; the letter, its paper, what the other side says."""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import msgspec
from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _

from app.core import clock, personal, shell, signin
from app.core.ages import age_of
from app.core.barcodes import code128_svg
from app.core.errors import NotFound, Outage, Refusal, WrongInput
from app.core.signin import needs
from app.facility.clinic import forms
from app.facility.clinic.desk import queries as desk_queries
from app.facility.clinic.desk import signing
from app.facility.clinic.errors import PatientIncomplete
from app.facility.clinic.patients import queries as patients
from app.facility.clinic.patients import rules as patient_rules
from app.facility.clinic.patients.views import said
from app.facility.clinic.referral import actions, queries, rules, wire
from app.facility.clinic.referral.rules import Letter
from app.facility.db import db, transaction

if TYPE_CHECKING:
    from flask import Flask
    from flask.blueprints import BlueprintSetupState
    from flask.typing import ResponseReturnValue

    from app.facility.clinic.desk.rules import Record
    from app.facility.clinic.referral.wire import Slip

blueprint = Blueprint("clinic_referral", __name__, url_prefix="/clinic/referrals")
LOOKERS = ("doctor", "nurse", "clerk", "owner")
MOVERS = ("doctor", "nurse", "owner")
REGISTER = ("clerk", "nurse", "owner")  # As the reception, which gives the ticket.
ROOM = "clinic_care.show"
NUMBER = re.compile(r"Z\d{10}")


@blueprint.record_once
def _among_the_tabs(state: BlueprintSetupState) -> None:
    shell.add_page(cast("Flask", state.app), ROOM, "clinic_referral.show", "转诊", LOOKERS, 60)


def _common() -> dict[str, Any]:
    me = signin.me()
    return {
        "states": said(rules.STATES), "looks": rules.LOOKS, "sexes": said(patient_rules.SEXES), "age_of": age_of, "today": clock.business_date(),
        "may_move": me.has(*MOVERS), "may_withdraw": lambda row: row.doctor_id == me.staff_id or me.has("owner"), "may_register": me.has(*REGISTER), "most": rules.MOST_TEXT,
    }  # fmt: skip


# ---- those we sent, those who come ---------------------------------------------------------------------------------


@blueprint.get("")
@needs(*LOOKERS)
def show() -> ResponseReturnValue:
    """Patients who come, as the center tells it now, or those we sent, as it was last heard."""
    return _coming() if request.args.get("show") == "in" else _sent()


def _sent() -> ResponseReturnValue:
    return render_template(
        "facility/clinic/referral/sent.html", **_sent_page(forms.arg("before", 90), forms.arg("open"))
    )


def _sent_page(before: str, opened: str) -> dict[str, Any]:
    facility = signin.here().facility_id
    rows = queries.list_sent(facility, _moment(before))
    more, rows = len(rows) > queries.PAGE, rows[: queries.PAGE]
    chosen, wanted = rows[0] if rows else None, forms.uuid_or_none(opened)
    if wanted:  # A doctor comes from the desk to one that may stand on another page.
        chosen = next((row for row in rows if row.id == wanted), None) or queries.get_sent(facility, wanted)
    return {
        "rows": rows, "one": chosen, "letter": _letter(chosen) if chosen else None, "answer": _answer(chosen) if chosen else "",
        "diagnoses": queries.diagnoses_of(chosen.visit_id, chosen.version) if chosen else [], "before": before or None, "standing": _standing,
        "next_url": url_for(".show", before=f"{rows[-1].asked_at.isoformat()}_{rows[-1].id}") if more else None,
        "first_url": url_for(".show") if before else None, **_common(),
    }  # fmt: skip


def _standing(row: Any) -> str:
    return rules.state_of(row.state, row.valid_until, clock.business_date())


def _letter(row: Any) -> Letter:
    return msgspec.json.decode(personal.unseal_bytes(str(signin.here().tenant_id), bytes(row.sealed)), type=Letter)


def _answer(row: Any) -> str:
    return personal.unseal(str(signin.here().tenant_id), bytes(row.answer_sealed)) if row.answer_sealed else ""


def _moment(text: str) -> tuple[datetime, str] | None:
    at, _sep, last = text.partition("_")
    try:
        moment = datetime.fromisoformat(at)
        return (moment, str(UUID(last))) if moment.tzinfo else None
    except ValueError:
        return None


@blueprint.post("/standing")
@needs(*LOOKERS)
def refresh() -> ResponseReturnValue:
    """Ask the center how the listed ones stand; the page asks by itself when it is there."""
    desk, away, before = signin.here(), "", forms.text("before", 90)
    numbers = [row.number for row in queries.list_sent(desk.facility_id, _moment(before)) if row.number]
    db.end_reading()
    try:
        if numbers:
            actions.refresh(desk, max(wire.turn_of(number) for number in numbers) + 1)
    except Outage:
        away = _("中心现在没有回答，下面是上次知道的状态。")
    except Refusal as refused:
        away = refused.message
    page = _sent_page(before, forms.arg("open"))
    return render_template("facility/clinic/referral/_sent.html", away=away, at=clock.now(), **page)


def _coming(refused: Refusal | None = None, number: str = "") -> ResponseReturnValue:
    """Those who come, asked of the center now; without an answer the page says so and lets ask again."""
    desk, before = signin.here(), forms.arg("before", 18)
    turn, opened = _turn(before), number or forms.arg("open", 20)
    slips: list[Slip] = []
    chosen: Slip | None = None
    away = ""
    try:
        slips = wire.look(desk, "in", turn)
        chosen = next((one for one in slips if one.number == opened), None) or (_one(opened) if NUMBER.fullmatch(opened) else next(iter(slips), None))  # fmt: skip
    except Outage:
        away = _("中心现在没有回答，转入的患者要问过中心才看得到。")
    except NotFound:
        raise
    except Refusal as told:
        away = told.message
    page = render_template(
        "facility/clinic/referral/coming.html", rows=slips, one=chosen, away=away, at=clock.now(), before=before or None, form=request.form,
        refused=refused.message if refused else "", masked=_masked, next_url=url_for(".show", show="in", before=slips[-1].turn) if len(slips) == wire.PAGE else None,
        first_url=url_for(".show", show="in") if turn else None, **_common(),
    )  # fmt: skip
    return page, refused.status if refused else 503 if away else 200


def _turn(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 10**15 else None


def _one(number: str) -> Slip:
    """One that came, by its number: the newest before the one after it. Raises NotFound."""
    if not NUMBER.fullmatch(number):
        raise NotFound
    found = next(iter(wire.look(signin.here(), "in", wire.turn_of(number) + 1)), None)
    if found is None or found.number != number:
        raise NotFound
    return found


def _masked(slip: Slip) -> dict[str, str]:
    return {"name": personal.mask_name(slip.name) if slip.taken_on else slip.name, "certno": personal.mask_certno(slip.certno), "phone": personal.mask_phone(slip.phone)}  # fmt: skip


# ---- taking on, declining, answering -------------------------------------------------------------------------------


@blueprint.post("/in/<number>/moves")
@needs(*MOVERS)
def move(number: str) -> ResponseReturnValue:
    """Take somebody on, decline with a reason, or answer the one who sent them."""
    act, done = forms.text("act", 10), {
        "accept": _("已接收。患者来了，在这里按「去挂号」，资料会带过去。"), "decline": _("已谢绝，转出医师会看到原因。"), "close": _("已回复，转出医师会看到。"),
    }  # fmt: skip
    if not NUMBER.fullmatch(number):
        raise NotFound
    if act not in done:
        raise WrongInput(what=_("转诊"), why=_("页面不完整，请刷新后重填"))
    try:
        actions.move(signin.here(), number, act, forms.text("said", rules.MOST_TEXT))
    except Outage:
        return _not_sure(url_for(".show", show="in", open=number))
    except Refusal as refused:
        return _coming(refused, number)
    flash(done[act], "ok")
    return redirect(url_for(".show", show="in", open=number), 303)


def _not_sure(back: str) -> ResponseReturnValue:
    """The center did not say whether it was done; doing it again is safe."""
    flash(_("中心没有回答，不知道办成了没有。请刷新看状态，没有变就再按一次，不会重复。"), "warn")
    return redirect(back, 303)


@blueprint.post("/in/<number>/registration")
@needs(*REGISTER)
def register(number: str) -> ResponseReturnValue:
    """Make or find the file of somebody taken on, and go on to the registration."""
    slip = _one(number)
    try:
        patient_id = actions.file_of(signin.here(), slip)
    except PatientIncomplete:
        flash(_("转诊单上的资料不足以自动建档。请手工建档，再从患者页挂号。"), "warn")
        return redirect(url_for("clinic_patients.new", then="visit"), 303)
    return redirect(url_for("clinic_reception.new_visit", patient_id=patient_id), 303)


# ---- sending somebody on -------------------------------------------------------------------------------------------


@blueprint.route("/visits/<uuid:visit_id>", methods=["GET", "POST"])
@needs("doctor")
def new(visit_id: UUID) -> ResponseReturnValue:
    """Write the letter of a visit; it begins with what the record says."""
    desk = signin.here()
    visit = desk_queries.get_visit(desk.facility_id, visit_id)
    if request.method == "GET":
        return _form(visit)
    document = forms.document()
    try:
        became = actions.refer(desk, document, visit_id, _written())
    except Refusal as refused:
        return _form(visit, refused)
    if became == "refused":
        why = queries.get_sent(desk.facility_id, document).refusal
        flash(_("中心没有受理，患者没有转出：%(why)s", why=why), "stop")
        return redirect(url_for(".new", visit_id=visit_id, again=document), 303)
    if became == "asked":
        flash(_("中心还没有回答，转诊单已留下，会自动再送，不用重复提交。"), "warn")
    return redirect(url_for(".show", open=document), 303)


def _written() -> Letter:
    code, _sep, name = forms.text("target", 160).partition("|")
    typed = forms.text("target_code", 30)
    return Letter(
        target_code=(typed or code).strip().upper()[:40], target_name="" if typed else name[:100], urgent=bool(forms.text("urgent", 1)),
        valid_days=forms.number(forms.text("valid_days", 4)) or 0, reason=forms.text("reason", rules.MOST_TEXT), summary=forms.text("summary", rules.MOST_TEXT),
    )  # fmt: skip


def _form(visit: Any, refused: Refusal | None = None) -> ResponseReturnValue:
    desk, again = signin.here(), forms.uuid_or_none(forms.arg("again"))
    if request.method == "POST":
        letter = _written()
    elif again:
        letter = _letter(queries.get_sent(desk.facility_id, again))
    else:
        letter = Letter("", "", urgent=False, valid_days=rules.DAYS, reason="", summary=_told(visit))
    page = render_template(
        "facility/clinic/referral/new.html", visit=visit, letter=letter, refused=refused.message if refused else "", age=age_of(visit.born_on, clock.business_date()),
        diagnoses=queries.diagnoses_of(visit.id, visit.version) if visit.version else [], earlier=queries.list_of_visit(desk.facility_id, visit.id),
        standing=_standing, treating=visit.doctor_id == desk.staff_id, most_days=rules.MOST_DAYS, **_common(),
    )  # fmt: skip
    return page, refused.status if refused else 200


def _told(visit: Any) -> str:
    """What the record says, for the doctor to shorten."""
    if not visit.version:
        return ""
    desk = signin.here()
    with transaction(settings=desk.settings) as hot:
        record: Record = signing.read_signed(hot, desk, visit.id, visit.version).record
    parts = [
        (_("主诉"), record.complaint), (_("现病史"), record.history), (_("既往史"), record.past), (_("查体"), record.exam),
        (_("血压"), record.vitals.get("bp", "")), (_("医嘱"), record.advice),
    ]  # fmt: skip
    return "\n".join(_("%(what)s：%(said)s", what=word, said=text) for word, text in parts if text)[: rules.MOST_TEXT]


@blueprint.get("/institutions")
@needs("doctor")
def find_institutions() -> ResponseReturnValue:
    """Whom the patient may be sent to; when the center does not answer, where people were sent lately, or a code typed by hand."""
    desk, asked, away = signin.here(), forms.arg("q", 50), ""
    found: list[tuple[str, str, bool]] = []
    try:
        found = wire.find_institutions(desk, asked)
    except Outage:
        away = _("中心现在没有回答。")
        found = [(row.target_code, row.target_name, True) for row in queries.list_recent_targets(desk.facility_id)]
    except Refusal as refused:
        away = refused.message
    return render_template(
        "facility/clinic/referral/_institutions.html", found=found, q=asked, away=away, chosen=forms.arg("chosen", 40)
    )


@blueprint.get("/visits/<uuid:visit_id>/state")
@needs("doctor")
def show_state(visit_id: UUID) -> ResponseReturnValue:
    """The part of the doctor's desk that says whether, and how, the patient of this visit was sent on."""
    desk = signin.here()
    visit = desk_queries.get_visit(desk.facility_id, visit_id)
    rows = queries.list_of_visit(desk.facility_id, visit_id)
    return render_template(
        "facility/clinic/referral/_state.html", visit=visit, rows=rows, standing=_standing, **_common()
    )


@blueprint.post("/<uuid:referral_id>/withdrawal")
@needs("doctor", "owner")
def withdraw(referral_id: UUID) -> ResponseReturnValue:
    """Withdraw one that nobody took on: its writer, or the owner."""
    try:
        actions.withdraw(
            signin.here(), referral_id, forms.text("why", rules.MOST_TEXT), as_head=signin.me().has("owner")
        )
    except Outage:
        return _not_sure(url_for(".show", open=referral_id))
    flash(_("已撤回，对方不再看到这张转诊单。"), "ok")
    return redirect(url_for(".show", open=referral_id), 303)


@blueprint.get("/<uuid:referral_id>/print")
@needs(*LOOKERS)
def show_print(referral_id: UUID) -> ResponseReturnValue:
    """The paper that goes with the patient, on A5 (转诊单)."""
    row = queries.get_sent(signin.here().facility_id, referral_id)
    if row.number is None or row.state == "withdrawn":
        raise NotFound
    file = patients.get_patient(row.patient_id)
    return render_template(
        "facility/clinic/referral/print.html", one=row, letter=_letter(row), diagnoses=queries.diagnoses_of(row.visit_id, row.version), person=patients.unseal(file), file=file,
        age=age_of(file.born_on, clock.business_date(row.asked_at)), code128_svg=code128_svg, facility_name=signin.me().facility_name, sexes=said(patient_rules.SEXES),
    )  # fmt: skip
