"""Files of patients: made, changed, merged; what somebody cannot bear; who looked at a file whole."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from psycopg import errors as pg

from app.core import clock, personal, trail
from app.core.errors import DocumentChanged, NotFound, WrongInput, words
from app.facility.clinic.errors import NotMergeable, PatientChanged, PatientIncomplete, PatientKnown
from app.facility.clinic.patients import rules
from app.facility.db import action, hot_action, transaction

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.hot import Hot
    from app.core.tenancy import Desk
    from app.facility.clinic.patients.rules import Person

INSERT = """
insert into patient (tenant_id, id, number, sealed, name_shown, name_hash, initials, certno_hash, phone_hash, psn_hash, sex, born_on, registered_at,
    registered_by, facility_id, digest)
select %(tenant)s, %(id)s, coalesce(max(number), 0) + 1, %(sealed)s, %(name_shown)s, %(name_hash)s, %(initials)s, %(certno_hash)s, %(phone_hash)s, %(psn_hash)s,
    %(sex)s, %(born_on)s::date, %(at)s, %(staff)s, %(facility)s, %(digest)s
from patient where tenant_id = %(tenant)s
having not exists (select from patient m where m.tenant_id = %(tenant)s and m.certno_hash = %(certno_hash)s and m.merged_into is not null and m.id <> %(id)s)
on conflict (tenant_id, id) do nothing returning number
"""
KNOWN = "select number, digest from patient where tenant_id = %(tenant)s and id = %(id)s"
BY_CERTNO = """
select k.id, k.number from patient p join patient k on k.tenant_id = p.tenant_id and k.id = coalesce(p.merged_into, p.id)
where p.tenant_id = %(tenant)s and p.certno_hash = %(certno_hash)s
"""
CHANGE = """
update patient set sealed = %(sealed)s, name_shown = %(name_shown)s, name_hash = %(name_hash)s, initials = %(initials)s, certno_hash = %(certno_hash)s,
    phone_hash = %(phone_hash)s, psn_hash = coalesce(%(psn_hash)s, psn_hash), sex = %(sex)s, born_on = %(born_on)s::date, version = version + 1
where tenant_id = %(tenant)s and id = %(id)s and version = %(version)s and merged_into is null returning version
"""
LOCK_TWO = "select id, number, merged_into, certno_hash, born_on, sex, sealed from patient where tenant_id = %(tenant)s and id = any(%(ids)s::uuid[]) order by id for update"
# Whoever was merged into the file that goes now stands under the one that stays.
MERGE = """
update patient set merged_into = %(keep)s, merged_at = case when id = %(gone)s then %(at)s else merged_at end,
    merged_by = case when id = %(gone)s then %(staff)s else merged_by end, merge_reason = case when id = %(gone)s then %(reason)s else merge_reason end
where tenant_id = %(tenant)s and (id = %(gone)s or merged_into = %(gone)s)
"""
NOTE_ALLERGY = """
insert into allergy (tenant_id, id, patient_id, substance, reaction, severity, told_by, noted_at, noted_by)
select %(tenant)s, %(id)s, p.id, %(substance)s, %(reaction)s, %(severity)s, %(told_by)s, %(at)s, %(staff)s
from patient p where p.tenant_id = %(tenant)s and p.id = %(patient)s
on conflict (tenant_id, id) do nothing returning id
"""
HAS_ALLERGY = "select 1 as known from allergy where tenant_id = %(tenant)s and id = %(id)s"
WITHDRAW = """
update allergy set withdrawn_at = %(at)s, withdrawn_by = %(staff)s, withdrawn_why = %(why)s
where tenant_id = %(tenant)s and id = %(id)s and withdrawn_at is null returning id
"""
SEVERITIES = {"severe": "严重", "mild": "一般", "unknown": "不清楚"}
TOLD_BY = {"patient": "本人陈述", "record": "病历记载", "test": "皮试阳性"}


@hot_action
def register_patient(desk: Desk, patient_id: UUID, person: Person, psn_no: str = "") -> int:
    """Make a patient's file (建档) and return its number (病历号). Sent again it changes nothing.

    Raises PatientIncomplete; PatientKnown with the number of the file that has this citizen id; DocumentChanged.
    """
    params = {**desk.keys, **_columns(desk, person, psn_no), "id": patient_id, "at": clock.now()}
    try:
        with transaction(settings=desk.settings) as hot:
            made = hot.run(INSERT, params)
            if made:
                return int(made[0].number)
            known = hot.run(KNOWN, params)
    except pg.UniqueViolation as twin:
        if twin.diag.constraint_name != "patient_certno_once":
            raise pg.SerializationFailure from twin  # Two files at once took the same number: the later one tries again.
        raise _known(desk, params) from twin
    if not known:  # The paper of a file that was merged into another.
        raise _known(desk, params)
    if bytes(known[0].digest) != params["digest"]:
        raise DocumentChanged
    return int(known[0].number)


@hot_action
def change_patient(desk: Desk, patient_id: UUID, version: int, person: Person) -> int:
    """Change a file; returns its new version. Raises PatientIncomplete, PatientKnown, PatientChanged."""
    params = {**desk.keys, **_columns(desk, person, ""), "id": patient_id, "version": version}
    try:
        with transaction(settings=desk.settings) as hot:
            changed = hot.run_last(CHANGE, params)
    except pg.UniqueViolation as twin:
        raise _known(desk, params) from twin
    if not changed:
        raise PatientChanged
    return int(changed[0].version)


def _known(desk: Desk, params: dict[str, Any]) -> PatientKnown:
    with transaction(settings=desk.settings) as hot:
        rows = hot.run(BY_CERTNO, params)
    return PatientKnown(number=rows[0].number if rows else "—")


def _columns(desk: Desk, person: Person, psn_no: str) -> dict[str, Any]:
    told = rules.tidy(person)
    if why := rules.problem(told, clock.business_date()):
        raise PatientIncomplete(why=why)
    plain = rules.encoded(told)
    return {
        "sealed": personal.seal(str(desk.tenant_id), plain), "name_shown": personal.mask_name(told.name), "name_hash": personal.lookup(f"name:{told.name}"),
        "initials": rules.initials(told.name), "certno_hash": personal.lookup(rules.document_key(told.cert_type, told.certno)) if told.certno else None,
        "phone_hash": personal.lookup(f"phone:{told.phone}") if told.phone else None, "psn_hash": personal.lookup(f"psn:{psn_no}") if psn_no else None,
        "sex": told.sex, "born_on": told.born_on, "digest": hashlib.sha256(plain).digest(),
    }  # fmt: skip


@hot_action
def merge_patients(desk: Desk, keep: UUID, gone: UUID, reason: str) -> None:
    """Say that two files are one person (合并): the second is read under the first from now on; both stay. Raises NotMergeable."""
    if not reason.strip():
        raise NotMergeable(why=words("要写合并的原因"))
    keys = {
        **desk.keys,
        "keep": keep,
        "gone": gone,
        "ids": [keep, gone],
        "reason": reason.strip()[:200],
        "at": clock.now(),
    }
    with transaction(settings=desk.settings) as hot:
        files = {row.id: row for row in hot.run(LOCK_TWO, keys)}
        if len(files) < 2:
            raise NotFound if keep != gone else NotMergeable(why=words("选了同一份档案"))
        if files[gone].merged_into == keep:
            return
        _check_merge(desk, files[keep], files[gone])
        hot.run_last(MERGE, keys)


def _check_merge(desk: Desk, keep: Any, gone: Any) -> None:
    if keep.merged_into or gone.merged_into:
        raise NotMergeable(why=words("其中一份已经并入别的档案"))
    if keep.certno_hash and gone.certno_hash and bytes(keep.certno_hash) != bytes(gone.certno_hash):
        kinds = {rules.opened(str(desk.tenant_id), row.sealed).cert_type for row in (keep, gone)}
        if len(kinds) == 1:  # A passport and a citizen id may be one person's.
            raise NotMergeable(why=words("两份档案的证件号码不同，是两个人"))
    if keep.sex != gone.sex or (keep.born_on and gone.born_on and keep.born_on != gone.born_on):
        raise NotMergeable(why=words("性别或出生日期不同，请先改好其中一份"))


@hot_action
def note_allergy(
    desk: Desk, allergy_id: UUID, patient_id: UUID, substance: str, reaction: str, severity: str, told_by: str
) -> None:
    """Note what somebody cannot bear (过敏史). Sent again it changes nothing. Raises WrongInput, NotFound."""
    if not 1 <= len(substance.strip()) <= 60 or severity not in SEVERITIES or told_by not in TOLD_BY:
        raise WrongInput(what="过敏", why="要写过敏的药品或物质（最多 60 个字），并选程度和来源")
    keys = {
        **desk.keys, "id": allergy_id, "patient": patient_id, "substance": substance.strip(), "reaction": reaction.strip()[:100], "severity": severity,
        "told_by": told_by, "at": clock.now(),
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        if not hot.run(NOTE_ALLERGY, keys) and not hot.run(HAS_ALLERGY, keys):
            raise NotFound


@hot_action
def withdraw_allergy(desk: Desk, allergy_id: UUID, why: str) -> None:
    """Say that an allergy was noted by mistake or is disproved; the note stays, struck out. Raises WrongInput, NotFound."""
    if not why.strip():
        raise WrongInput(what="撤销过敏", why="要写原因")
    keys = {**desk.keys, "id": allergy_id, "why": why.strip()[:200], "at": clock.now()}
    with transaction(settings=desk.settings) as hot:
        if not hot.run(WITHDRAW, keys) and not hot.run(HAS_ALLERGY, keys):
            raise NotFound


@action
def note_look(number: int) -> None:
    """Write into the audit trail that somebody opened a file whole: name, numbers and address unmasked."""
    trail.record("patient.revealed", str(number))


# Everybody who is one person with a patient: the file, and those merged into it.
FAMILY = "(select f.id from patient f where f.tenant_id = %(tenant)s and (f.id = %(patient)s or f.merged_into = %(patient)s))"
ALLERGIES = f"""
select id, substance, reaction, severity, told_by, noted_at from allergy
where tenant_id = %(tenant)s and patient_id in {FAMILY} and withdrawn_at is null order by severity = 'severe' desc, noted_at desc limit 50
"""


def allergies(hot: Hot, desk: Desk, patient_id: UUID) -> list[Any]:
    """What somebody cannot bear, the severe first."""
    return list(hot.run(ALLERGIES, {"tenant": desk.tenant_id, "patient": patient_id}))
