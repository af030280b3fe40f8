"""Sales on out-flow prescriptions, as the facts of the sales tell of them (取药回写), in the transaction that takes the facts.

A fact is applied once, so a prescription is dispensed once, whatever was lost or repeated on the way. A sale that came after its
lock had lapsed counts too: the goods are gone; when that is more than was written, the prescription says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection

# In the order of their ids; the next statement sees what whoever held them before wrote.
LOCK = text("""
    select id from eprescription
    where number = any(array(select distinct r.prescription from jsonb_to_recordset(cast(:rows as jsonb)) as r(prescription text)))
    order by id for no key update
""")
APPLY = text("""
    with said as (
        select r.*, p.id from jsonb_to_recordset(cast(:rows as jsonb))
            as r(stream text, epoch bigint, number bigint, at timestamptz, operator text, prescription text, line int, quantity bigint)
        join eprescription p on p.number = r.prescription
    ), sums as (
        select id, line, sum(quantity) as quantity from said group by id, line
    ), lines as (
        update eprescription_line l set dispensed = l.dispensed + s.quantity from sums s where l.prescription_id = s.id and l.line_no = s.line
    ), after as (
        select l.prescription_id as id, sum(greatest(l.quantity - l.dispensed - coalesce(s.quantity, 0), 0)) as left_over,
            bool_or(l.dispensed + coalesce(s.quantity, 0) > l.quantity) as overrun
        from eprescription_line l left join sums s on s.id = l.prescription_id and s.line = l.line_no
        where l.prescription_id = any(array(select id from sums)) group by l.prescription_id
    ), latest as (
        select distinct on (id) id, stream, at from said order by id, at desc
    ), places as (
        select distinct id, stream from said
    ), heads as (
        update eprescription p set
            state = case when p.state = 'VOID' then 'VOID' when a.left_over = 0 then 'CLOSED' when k.still then 'LOCKED' else 'DISPENSED' end,
            lock_institution = case when k.still then p.lock_institution end, locked_until = case when k.still then p.locked_until end,
            frees_at = case when k.still then p.frees_at end,
            dispensed_at = t.at, dispensed_by = t.stream, overrun = p.overrun or a.overrun, changed_at = clock_timestamp()
        from after a join latest t on t.id = a.id
        cross join lateral (
            select a.left_over > 0 and q.state <> 'VOID' and q.lock_institution is not null
                and not exists (select from places s where s.id = a.id and s.stream = q.lock_institution) as still
            from eprescription q where q.id = a.id
        ) k
        where p.id = a.id
    ), sold as (
        insert into eprescription_event (prescription_id, district, kind, institution_code, operator, at, lines, epoch, fact)
        select s.id, p.district, 'DISPENSED', s.stream, s.operator, s.at, jsonb_agg(jsonb_build_object('line', s.line, 'quantity', s.quantity) order by s.line),
            s.epoch, s.number
        from said s join eprescription p on p.id = s.id group by s.id, p.district, s.stream, s.operator, s.at, s.epoch, s.number
        order by s.at
    )
    insert into eprescription_event (prescription_id, district, kind, institution_code, operator, at)
    select a.id, p.district, 'CLOSED', t.stream, '', t.at from after a join latest t on t.id = a.id join eprescription p on p.id = a.id
    where a.left_over = 0 and p.state not in ('CLOSED', 'VOID')
""")


def apply_sales(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Count what was sold on prescriptions. `rows`: stream, epoch, number, at, operator, prescription, line, quantity."""
    told = {"rows": msgspec.json.encode(rows).decode()}
    connection.execute(LOCK, told)
    connection.execute(APPLY, told)
