"""How facts become records: one statement a batch and kind, all rows at once (jsonb in, plain rows out)."""

from __future__ import annotations

from sqlalchemy import text

# Everything a batch tells of. The codes are locked in their order: two streams selling the same pack wait here for each
# other, so that the second sees what the first wrote when it reads the codes' lives in its next statement.
WRITE = text("""
    with movements as (
        insert into movement (stream, epoch, number, district, kind, document, receipt, at, operator, terminal, paid,
            total_fen, setl_id, reversed_setl_id, fund_fen, account_fen, mutual_fen, cash_fen, original_document,
            original_receipt, reason, act, approver, counterpart, delivery_note)
        select stream, epoch, number, district, kind, document, receipt, at, operator, terminal, paid,
            total_fen, setl_id, reversed_setl_id, fund_fen, account_fen, mutual_fen, cash_fen, original_document,
            original_receipt, reason, act, approver, counterpart, delivery_note
        from jsonb_to_recordset(cast(:movements as jsonb)) as r (stream text, district text, epoch bigint, number bigint, kind text, document uuid,
            receipt text, at timestamptz, operator text, terminal text, paid text, total_fen bigint, setl_id text,
            reversed_setl_id text, fund_fen bigint, account_fen bigint, mutual_fen bigint, cash_fen bigint,
            original_document uuid, original_receipt text, reason text, act text, approver text, counterpart text, delivery_note text)
    ), lines as (
        insert into movement_line (stream, epoch, number, line, line_no, district, kind, at, document, product, national, barcode,
            name, spec, maker, approval, lot, produced_on, expires_on, quantity, pack_size, split, price, amount_fen,
            scanned_at, original_line, goods, zone, code_count, act, from_zone, to_zone, cost_price, rx)
        select stream, epoch, number, line, line_no, district, kind, at, document, product, national, barcode,
            name, spec, maker, approval, lot, produced_on, expires_on, quantity, pack_size, split, price, amount_fen,
            scanned_at, original_line, goods, zone, code_count, act, from_zone, to_zone, cost_price, rx
        from jsonb_to_recordset(cast(:lines as jsonb)) as r (stream text, district text, epoch bigint, number bigint, line integer, line_no integer, kind text,
            at timestamptz, document uuid, product text, national text, barcode text, name text, spec text, maker text,
            approval text, lot text, produced_on date, expires_on date, quantity bigint, pack_size bigint, split boolean,
            price numeric, amount_fen bigint, scanned_at timestamptz, original_line integer, goods text, zone text,
            code_count integer, act text, from_zone text, to_zone text, cost_price numeric, rx text)
    ), codes as (
        insert into trace_code (code)
        select code from jsonb_array_elements_text(cast(:codes as jsonb)) as c (code) order by code
        on conflict (code) do update set first_heard_at = trace_code.first_heard_at
    )
    insert into trace_event (stream, epoch, number, line, code, district, kind, at, document, original_document, units,
        pack_size, split, is_back)
    select stream, epoch, number, line, code, district, kind, at, document, original_document, units,
        pack_size, split, is_back
    from jsonb_to_recordset(cast(:events as jsonb)) as r (stream text, district text, epoch bigint, number bigint, line integer, code text, kind text,
        at timestamptz, document uuid, original_document uuid, units bigint, pack_size bigint, split boolean, is_back boolean)
""")

# All sales and returns of the codes, whoever told of them. Codes only ever received once need no judging.
READ_EVENTS = text("""
    select e.code, e.stream, e.epoch, e.number, e.line, e.kind, e.at, e.document, e.original_document, e.units, e.pack_size,
        e.split, e.is_back
    from trace_event e
    where e.code in (select jsonb_array_elements_text(cast(:codes as jsonb))) and not e.orphaned and e.kind not in ('received', 'moved')
    order by e.code, e.at, e.stream, e.number, e.line
""")

# Each district concerned gets the alert. `facts` holds what both may know: where, when, which document, how it was paid.
RAISE_ALERTS = text("""
    with breach as (
        select * from jsonb_to_recordset(cast(:rows as jsonb)) as r (kind text, code text,
            first_stream text, first_epoch bigint, first_number bigint, first_line integer,
            stream text, epoch bigint, number bigint, line integer)
    ), told as (
        select b.kind, b.code, b.stream, b.epoch, b.number, b.line, two.at, array[one.district, two.district] as districts,
            jsonb_build_object(
                'product', line.name, 'spec', line.spec, 'lot', line.lot,
                'first', jsonb_build_object('stream', one.stream, 'name', there.name, 'district', one.district,
                    'at', one.at, 'document', one.document, 'receipt', one.receipt, 'paid', one.paid,
                    'operator', one.operator, 'fund_fen', one.fund_fen, 'number', one.number),
                'second', jsonb_build_object('stream', two.stream, 'name', here.name, 'district', two.district,
                    'at', two.at, 'document', two.document, 'receipt', two.receipt, 'paid', two.paid,
                    'operator', two.operator, 'fund_fen', two.fund_fen, 'number', two.number)
            ) as facts
        from breach b
        join movement one on one.stream = b.first_stream and one.epoch = b.first_epoch and one.number = b.first_number
        join movement two on two.stream = b.stream and two.epoch = b.epoch and two.number = b.number
        join movement_line line
            on line.stream = b.stream and line.epoch = b.epoch and line.number = b.number and line.line = b.line
        left join institution there on there.code = one.stream
        left join institution here on here.code = two.stream
    )
    insert into alert (district, kind, code, stream, epoch, number, line, at, facts)
    select distinct district, kind, code, stream, epoch, number, line, at, facts
    from told cross join unnest(districts) as concerned (district)
    on conflict on constraint alert_once do nothing
""")

# A fact that came late (a return between the two sales) explains what looked like a contradiction.
CLEAR_ALERTS = text("""
    update alert a set cleared_at = clock_timestamp(), cleared_reason = 'explained'
    where a.code in (select jsonb_array_elements_text(cast(:codes as jsonb))) and a.cleared_at is null
        and a.kind in ('trace.duplicate', 'trace.oversplit')
        and not exists (
            select from jsonb_to_recordset(cast(:rows as jsonb)) as b (kind text, code text, stream text, epoch bigint,
                number bigint, line integer)
            where (b.kind, b.code, b.stream, b.epoch, b.number, b.line) = (a.kind, a.code, a.stream, a.epoch, a.number, a.line)
        )
""")

# Claims the codes of self-paid sales and of hand-overs at clinics (insured sales were claimed when they settled): the first holds the code.
CLAIM_CODES = text("""
    insert into code_claim (code, institution_code, district, source, document, line, split, holds, duplicate, claimed_at)
    select w.code, w.stream, w.district, 'fact', w.document, w.line::text, w.split,
        held.code is null and w.turn = 1,
        case
            when held.code is not null then not (w.split and held.split and held.institution_code = w.stream)
            else w.turn > 1 and not (w.split and w.first_stream = w.stream)
        end,
        w.at
    from (
        select r.*, row_number() over told as turn, first_value(r.stream) over told as first_stream
        from jsonb_to_recordset(cast(:rows as jsonb)) as r (stream text, district text, number bigint, line integer, code text, document text,
            split boolean, at timestamptz)
        window told as (partition by r.code order by r.at, r.stream, r.number, r.line)
    ) as w
    left join code_claim held on held.code = w.code and held.holds and held.released_at is null
    order by w.code
    on conflict do nothing
""")

# Goods of a self-paid sale or of a hand-over came back: its claims end.
RELEASE_CLAIMS = text("""
    update code_claim c set released_at = r.at
    from jsonb_to_recordset(cast(:rows as jsonb)) as r (stream text, code text, original_document text, at timestamptz)
    where c.source = 'fact' and c.institution_code = r.stream and c.code = r.code and c.document = r.original_document
        and c.released_at is null
""")

# What institutions say of recalls: frozen (also when that is nothing), freed, reported.
WRITE_ANSWERS = text("""
    insert into recall_answer (stream, epoch, number, district, recall_id, kind, at, operator, lots, quantity, packs, report)
    select stream, epoch, number, district, recall_id, kind, at, operator, lots, quantity, packs, report
    from jsonb_to_recordset(cast(:rows as jsonb)) as r (stream text, epoch bigint, number bigint, district text, recall_id uuid, kind text, at timestamptz,
        operator text, lots integer, quantity bigint, packs integer, report jsonb)
""")

ORPHAN = tuple(
    text(
        f"update {table} set orphaned = true where stream = :stream and number > :after and epoch <= :epoch and not orphaned"
    )
    for table in ("movement", "movement_line", "trace_event", "recall_answer")
)

TELL_OF_REWIND = text("""
    insert into alert (district, kind, stream, epoch, number, at, facts)
    values (:district, 'stream.rewound', :stream, :epoch, :after, clock_timestamp(),
        jsonb_build_object('after', cast(:after as bigint), 'epoch', cast(:epoch as bigint), 'facts', (
            select count(*) from inbox_fact where stream = :stream and orphaned_at is not null and number > :after)))
    on conflict on constraint alert_once do nothing
""")
