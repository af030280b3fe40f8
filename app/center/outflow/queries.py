"""Out-flow prescriptions as officers see them: who issued, who has it, how it stands. What it says stays with who holds its code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.center.db import run
from app.core import clock
from app.core.errors import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

PAGE = 50
LAST = 2**62
# An institution of another district is not in the registry an officer sees; it is named by its code.
# The state of this moment, as `rules.state_of` reads it.
STATE = """
    case when p.state in ('CLOSED', 'VOID') then p.state when p.frees_at > :now then 'LOCKED' when p.valid_until < :today then 'EXPIRED'
        when p.dispensed_at is not null then 'DISPENSED' else 'REVIEWED' end
"""
LIST = f"""
    select p.id, p.number, p.patient_shown, p.issued_on, p.issued_at, p.valid_until, p.overrun, {STATE} as state, i.name as institution,
        coalesce(k.name, p.lock_institution, p.dispensed_by) as keeper
    from eprescription p join institution i on i.code = p.institution_code left join institution k on k.code = coalesce(p.lock_institution, p.dispensed_by)
    where p.id < :before and p.issued_on between :since and :until and (:state = '' or {STATE} = :state)
        and (:institution = '' or p.institution_code = :institution or i.name like '%' || :institution || '%')
    order by p.id desc limit :most
"""
ONE = f"""
    select p.*, {STATE} as shown_state, i.name as institution, coalesce(k.name, p.lock_institution) as keeper,
        (select count(*) from eprescription_line l where l.prescription_id = p.id) as drugs,
        (select count(*) from eprescription_line l where l.prescription_id = p.id and l.dispensed >= l.quantity) as drugs_had
    from eprescription p join institution i on i.code = p.institution_code left join institution k on k.code = p.lock_institution where p.id = :id
"""
EVENTS = """
    select e.kind, e.at, e.operator, e.note, e.lines, e.fact, coalesce(i.name, e.institution_code) as institution from eprescription_event e
    left join institution i on i.code = e.institution_code where e.prescription_id = :id order by e.at, e.id limit 100
"""


def list_prescriptions(
    since: date, until: date, state: str = "", institution: str = "", before: int | None = None
) -> Sequence[Any]:
    """The district's out-flow prescriptions, newest first, one more than a page."""
    return run(
        LIST, since=since, until=until, state=state, institution=institution, before=before or LAST, now=clock.now(), today=clock.business_date(), most=PAGE + 1,
    ).all()  # fmt: skip


def get_prescription(prescription_id: int) -> tuple[Any, Sequence[Any]]:
    """One prescription and what happened to it. Raises NotFound."""
    row = run(ONE, id=prescription_id, now=clock.now(), today=clock.business_date()).one_or_none()
    if row is None:
        raise NotFound
    return row, run(EVENTS, id=prescription_id).all()
