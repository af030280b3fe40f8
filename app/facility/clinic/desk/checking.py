"""The center looks at a draft while it is written (事前提醒, 3101); what was done with its warnings is told back (3103).

Nobody waits for it: without an answer in time the local reminders stand alone, and the page says that the check was partial.
Only a visit that is registered at the center is asked about; a self-paid one stays in the house. What an outage kept back of
the answers goes with the next look, or by the recovery worker.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from app.core import clock, personal
from app.core.errors import Outage, words
from app.core.tenancy import Desk
from app.facility.clinic.desk import wire
from app.facility.clinic.desk.reminders import Reminder
from app.facility.clinic.practice import actions as practice
from app.facility.db import hot_action, transaction
from app.facility.insurance import desk as desks
from app.facility.insurance import identify, messages
from app.facility.organizations import parameters
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from app.core.hot import Hot
    from app.facility.catalog.queries import ProductCard
    from app.facility.clinic.desk.limits import Broken
    from app.facility.clinic.desk.rules import Content
    from app.facility.clinic.desk.wire import Finding

_log = logging.getLogger(__name__)
CENTER_RULES = {
    "R044": words("药品限性别"),
    "R007": words("药品限年龄"),
    "R046": words("重复开药"),
    "R009": words("开药天数"),
}
MOST_TOLD = 100
TOLD_WITHIN = timedelta(days=7)
MOST_STANDING = 200

# What the newest look finds stands; what it no longer finds was changed by the doctor, unless they had gone on with it before.
KEEP = """
with found as (
    select f.jr_id, f.rule_id, f.firm, decode(f.sealed, 'hex') as sealed
    from jsonb_to_recordset(%(findings)s::jsonb) as f(jr_id text, rule_id text, firm boolean, sealed text)
), gone as (
    update center_warning w set standing = false, way = coalesce(w.way, '2')
    where w.tenant_id = %(tenant)s and w.visit_id = %(visit)s and w.standing and w.jr_id not in (select jr_id from found)
)
insert into center_warning (tenant_id, visit_id, jr_id, facility_id, rule_id, firm, sealed, standing, found_at)
select %(tenant)s, %(visit)s, jr_id, %(facility)s, rule_id, firm, sealed, true, %(at)s from found
on conflict (tenant_id, visit_id, jr_id) do update set standing = true, sealed = excluded.sealed,
    way = case when center_warning.way = '1' then '1' end, told_at = case when center_warning.way = '1' then center_warning.told_at end
"""
STANDING = f"""
select sealed from center_warning where tenant_id = %(tenant)s and visit_id = %(visit)s and standing order by found_at, jr_id limit {MOST_STANDING}
"""
UNTOLD = f"""
select visit_id, jr_id, way, reason from center_warning
where tenant_id = %(tenant)s and facility_id = %(facility)s and way is not null and told_at is null
    and found_at > %(since)s order by found_at limit {MOST_TOLD}
"""
KEPT_BACK = "select tenant_id, facility_id from untold_warnings(%(since)s::timestamptz, %(most)s::int)"
NOBODY, RECOVERY = 0, "0 自动补报"
MOST_PLACES = 50
TOLD = """
update center_warning w set told_at = %(at)s
from jsonb_to_recordset(%(told)s::jsonb) as t(visit_id uuid, jr_id text, way text, reason text)
where w.tenant_id = %(tenant)s and w.visit_id = t.visit_id and w.jr_id = t.jr_id and w.way = t.way and w.reason = t.reason
"""


def check_draft(desk: Desk, visit: Any, content: Content, cards: Mapping[int, ProductCard]) -> str:
    """Ask the center about a draft and keep what it finds: "full", "partial" when it did not answer in time, "none" when it is not asked."""
    if not visit.mdtrt_id or visit.identification_id is None:
        return "none"
    asked, today = wire.places(content, cards), clock.business_date()
    if not asked:
        _keep(desk, visit.id, [])
        return "full"
    loaded: Any = identify.get(desk, visit.identification_id)
    with transaction(settings=desk.settings) as hot:
        doctor = practice.rights_of(hot, desk)
    here = desks.institution(desk.tenant_id, desk.facility_id).wire
    question = wire.draft(visit, psn_no_of(desk, loaded), doctor, here, content, cards, asked, today)
    try:
        answer = ask(desk, "3101", question, loaded.sign_no or "")
    except Outage:
        return "partial"
    if answer is None:
        return "partial"
    _keep(desk, visit.id, wire.read_warnings(answer, asked))
    return "full"


def psn_no_of(desk: Desk, loaded: Any) -> str:
    """The insured number a card was read for, however long ago: the visit stands registered under it."""
    sealed = personal.unseal_bytes(str(desk.tenant_id), bytes(loaded.sealed))
    return msgspec.json.decode(sealed, type=messages.Person).psn_no


def ask(desk: Desk, infno: str, question: Mapping[str, Any], sign_no: str) -> Mapping[str, Any] | None:
    """The center's answer within the site's time; None when it refuses to look. Raises Outage."""
    seconds = parameters.of(desk.tenant_id).count("center_check_ms") / 1000
    answer = desks.ask_once(desk, infno, question, sign_no=sign_no, seconds=seconds)
    if not answer.accepted:
        _log.warning("%s was refused: %s", infno, answer.code)
        return None
    return answer.output or {}


@hot_action
def _keep(desk: Desk, visit_id: UUID, findings: Sequence[Finding]) -> None:
    rows = [
        {"jr_id": one.jr_id, "rule_id": one.rule_id, "firm": one.firm, "sealed": personal.seal(str(desk.tenant_id), msgspec.json.encode(one)).hex()}
        for one in {each.jr_id: each for each in findings}.values()
    ]  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        hot.run_last(KEEP, {**desk.keys, "visit": visit_id, "findings": as_json(rows), "at": clock.now()})


def tell_answers(desk: Desk) -> int:
    """Tell the center what was done with its warnings (3103), also what an outage kept back; returns how many were told.

    The center takes the same answer twice as one. Raises Outage: what does not arrive is told later.
    """
    with transaction(settings=desk.settings) as hot:
        rows = hot.run_last(UNTOLD, {**desk.keys, "since": clock.now() - TOLD_WITHIN})
    if not rows or ask(desk, "3103", wire.feedback(rows), "") is None:
        return 0
    _note_told(desk, rows)
    return len(rows)


def tell_kept_back() -> int:
    """Tell at every facility what an outage kept back, or what no later look took along; returns how many were told.

    The recovery worker's, across tenants: it learns where something waits and tells it as that tenant's application. While the
    center is away it stops at the first.
    """
    with transaction("worker", settings={}) as hot:
        places = hot.run_last(KEPT_BACK, {"since": clock.now() - TOLD_WITHIN, "most": MOST_PLACES})
    told = 0
    for place in places:
        try:
            told += tell_answers(Desk(place.tenant_id, place.facility_id, NOBODY, RECOVERY))
        except Outage as outage:
            _log.warning("answers to warnings wait: %s", outage.reason)
            break
    return told


@hot_action
def _note_told(desk: Desk, rows: Sequence[Any]) -> None:
    told = [{"visit_id": str(row.visit_id), "jr_id": row.jr_id, "way": row.way, "reason": row.reason} for row in rows]
    with transaction(settings=desk.settings) as hot:
        hot.run_last(TOLD, {**desk.keys, "told": as_json(told), "at": clock.now()})


def standing(hot: Hot, desk: Desk, visit_id: UUID) -> list[Finding]:
    """What the center's newest look at a visit's draft found."""
    rows = hot.run(STANDING, {"tenant": desk.tenant_id, "visit": visit_id})
    opened = (personal.unseal_bytes(str(desk.tenant_id), bytes(row.sealed)) for row in rows)
    return [msgspec.json.decode(plain, type=wire.Finding) for plain in opened]


def _as_said(text: str) -> str:
    """The center's own sentence, whatever braces stand in it."""
    return text.replace("{", "（").replace("}", "）")


def merged(
    local: Sequence[Reminder],
    findings: Sequence[Finding],
    content: Content,
    cards: Mapping[int, ProductCard],
    broken: Sequence[Broken] = (),
) -> list[Reminder]:
    """Local reminders and the center's, each fact once: a line that changed since it was asked about has to be looked at again."""
    lines = {one.rx_id: one for one in wire.places(content, cards)}
    known = {(one.sheet, one.line) for one in local if one.rule == "in_use"}
    limited = {(one.sheet, one.line) for one in broken if one.days}
    found = list(local)
    for one in findings:
        place = lines.get(one.rx_id)
        if place is None or (place.days, place.quantity) != (one.days, one.quantity):
            continue
        at = (place.sheet, place.line)
        if not one.firm and ((one.rule_id == "R009" and at in limited) or ("在本机构" in one.text and at in known)):
            continue  # Said already by what stands beside it.
        name = CENTER_RULES.get(one.rule_id) or words(_as_said(one.rule_name))
        found.append(
            Reminder(
                "center", f"center:{one.jr_id}", words(_as_said(one.text)), one.firm, *at, name=name, jr_id=one.jr_id
            )
        )
    return found
