"""Ask for and confirm a sale in one call each: the same steps as before in the same order, without one giant plan.

A statement of thirty common table expressions costs more to start than to run. Inside a function each step is a small
plan kept by the connection, the locks are taken in the order in which the steps stand (document, lots, codes, head), and
a step that is not needed (prescriptions, codes) is not run. Row-level security acts as ever: they run as their caller.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

# The one ledger function, as of 0004; rows that only leave no longer look for balances to open, and lot and lock are one step.
POST_MOVEMENTS = """
create or replace function post_movements(p_tenant bigint, p_facility bigint, p_document uuid, p_staff bigint, p_at timestamptz, p_rows jsonb)
returns int language plpgsql as $$
declare
    posted int;
begin
    if jsonb_path_exists(p_rows, '$[*].quantity ? (@ > 0)') then
        insert into lot_balance (tenant_id, lot_id, zone, facility_id, product_id, expires_on)
        select distinct p_tenant, r.lot_id, r.zone, l.facility_id, l.product_id, l.expires_on
        from jsonb_to_recordset(p_rows) as r(lot_id bigint, zone text, quantity bigint)
        join lot l on l.tenant_id = p_tenant and l.id = r.lot_id
        where r.quantity > 0
        on conflict do nothing;
    end if;

    with changed as (
        update lot_balance b set on_hand = b.on_hand + k.quantity, reserved = b.reserved - k.release
        from (
            select x.lot_id, x.zone, s.quantity, s.release
            from (
                select r.lot_id, r.zone, sum(r.quantity) as quantity, sum(coalesce(r.release, 0)) as release
                from jsonb_to_recordset(p_rows) as r(lot_id bigint, zone text, quantity bigint, release bigint)
                group by r.lot_id, r.zone
            ) s
            join lot_balance x on x.tenant_id = p_tenant and x.facility_id = p_facility and x.lot_id = s.lot_id and x.zone = s.zone
            order by x.lot_id, x.zone for no key update of x
        ) k
        where b.tenant_id = p_tenant and b.lot_id = k.lot_id and b.zone = k.zone
        returning b.lot_id, b.zone, b.product_id, b.on_hand
    )
    insert into stock_movement (tenant_id, facility_id, lot_id, zone, product_id, kind, quantity, balance, document_id, line_no, staff_id, moved_at)
    select p_tenant, p_facility, r.lot_id, r.zone, c.product_id, r.kind, r.quantity,
        c.on_hand - coalesce(sum(r.quantity) over (partition by r.lot_id, r.zone order by r.line_no desc, r.kind desc
            rows between unbounded preceding and 1 preceding), 0),
        p_document, r.line_no, p_staff, p_at
    from jsonb_to_recordset(p_rows) as r(line_no int, lot_id bigint, zone text, kind text, quantity bigint)
    join changed c on c.lot_id = r.lot_id and c.zone = r.zone
    order by r.line_no, r.lot_id, r.zone;
    get diagnostics posted = row_count;
    if posted <> jsonb_array_length(p_rows) then
        raise exception 'posted % of % movements', posted, jsonb_array_length(p_rows) using errcode = 'check_violation';
    end if;
    return posted;
end $$
"""

# Reserves the goods, writes the sale and, for an insured one, the attempt with its message id. Everything or an error, so
# that the call may travel together with its COMMIT: basket or lots taken by another till meanwhile are a lost race, which
# is tried again; codes and prescriptions that cannot be taken are named, the codes that could in the detail.
ASK_SALE = """
create function ask_sale(p_sale jsonb, p_digest bytea, p_message_digest bytea, p_sealed bytea)
returns table (receipt text, message_id text) language plpgsql as $$
#variable_conflict use_column
declare
    a record;
    head record;
    counted int;
    taken_codes text[];
    named uuid[];
begin
    select * into a from jsonb_to_record(p_sale) as r(
        tenant bigint, facility bigint, document uuid, staff bigint, station text, terminal text, shift uuid, version int,
        at timestamptz, today date, paid text, total_fen bigint, identification uuid, tendered jsonb,
        lines jsonb, picks jsonb, lots jsonb, codes jsonb, prescriptions jsonb,
        attempt uuid, infno text, institution text, deadline timestamptz);

    update basket set state = 'asked', changed_at = a.at
    where tenant_id = a.tenant and id = a.document and state = 'open' and version = a.version;
    if not found then
        raise exception 'basket' using errcode = 'serialization_failure';
    end if;

    update lot_balance b set reserved = b.reserved + k.quantity
    from (
        select x.lot_id, x.zone, w.quantity
        from jsonb_to_recordset(a.lots) as w(lot_id bigint, zone text, quantity bigint)
        join lot_balance x on x.tenant_id = a.tenant and x.facility_id = a.facility and x.lot_id = w.lot_id and x.zone = w.zone
        order by x.lot_id, x.zone for no key update of x
    ) k
    where b.tenant_id = a.tenant and b.lot_id = k.lot_id and b.zone = k.zone and b.on_hand - b.reserved >= k.quantity;
    get diagnostics counted = row_count;
    if counted < jsonb_array_length(a.lots) then
        raise exception 'lots' using errcode = 'serialization_failure';
    end if;

    if jsonb_array_length(a.codes) > 0 then
        with taken as (
            update trace_code t set reserved = t.reserved + k.quantity, document_id = a.document,
                state = case when t.state = 'IN_STOCK' then 'RESERVED' else t.state end
            from (
                select x.code, c.quantity, c.split
                from jsonb_to_recordset(a.codes) as c(code text, quantity bigint, split boolean)
                join trace_code x on x.tenant_id = a.tenant and x.code = c.code
                order by x.code for no key update of x
            ) k
            where t.tenant_id = a.tenant and t.code = k.code and t.facility_id = a.facility and t.remaining - t.reserved >= k.quantity
                and t.state = case when k.split then 'SPLIT_OPEN' else 'IN_STOCK' end
            returning t.code
        )
        select array_agg(taken.code) into taken_codes from taken;
        if coalesce(cardinality(taken_codes), 0) < jsonb_array_length(a.codes) then
            raise exception 'codes' using detail = to_jsonb(coalesce(taken_codes, '{}'))::text;
        end if;
    end if;

    if jsonb_array_length(a.prescriptions) > 0 then
        named := array(select jsonb_array_elements_text(a.prescriptions)::uuid);  -- As an array it finds its index under the fence.
        update prescription p set state = 'used', sale_id = a.document
        where p.tenant_id = a.tenant and p.id = any (named) and p.facility_id = a.facility and p.state = 'passed' and p.valid_until >= a.today;
        get diagnostics counted = row_count;
        if counted < jsonb_array_length(a.prescriptions) then
            raise exception 'prescriptions';
        end if;
    end if;

    update stream_head set
        receipt_number = case when receipt_day = a.today then receipt_number + 1 else 1 end, receipt_day = a.today,
        message_number = message_number + 1
    where tenant_id = a.tenant and facility_id = a.facility
    returning receipt_number, message_number into strict head;
    receipt := 'S' || to_char(a.today, 'YY-MMDD') || '-' || lpad(head.receipt_number::text, 4, '0');

    insert into sale (tenant_id, id, facility_id, station, terminal, shift_id, staff_id, state, paid, digest, receipt, sold_on, total_fen,
        identification_id, tendered, asked_at)
    values (a.tenant, a.document, a.facility, a.station, a.terminal, a.shift, a.staff, 'asked', a.paid, p_digest, receipt, a.today, a.total_fen,
        a.identification, a.tendered, a.at);
    insert into sale_line (tenant_id, sale_id, line_no, product_id, quantity, split, price, amount_fen, prescription_id, scanned_at, described)
    select a.tenant, a.document, l.line_no, l.product_id, l.quantity, l.split, l.price, l.amount_fen, l.prescription_id, l.scanned_at, l.described
    from jsonb_to_recordset(a.lines) as l(line_no int, product_id bigint, quantity bigint, split boolean, price numeric, amount_fen bigint,
        prescription_id uuid, scanned_at timestamptz, described jsonb);
    insert into sale_pick (tenant_id, sale_id, line_no, lot_id, zone, quantity)
    select a.tenant, a.document, k.line_no, k.lot_id, k.zone, k.quantity
    from jsonb_to_recordset(a.picks) as k(line_no int, lot_id bigint, zone text, quantity bigint);
    if jsonb_array_length(a.codes) > 0 then
        insert into sale_code (tenant_id, sale_id, code, line_no, quantity)
        select a.tenant, a.document, c.code, c.line_no, c.quantity
        from jsonb_to_recordset(a.codes) as c(code text, line_no int, quantity bigint);
    end if;
    if a.infno is not null then
        message_id := a.institution || to_char(a.at at time zone 'Asia/Shanghai', 'YYYYMMDDHH24MISS')
            || lpad((head.message_number % 10000)::text, 4, '0');
        insert into insurance_attempt (tenant_id, id, facility_id, document_kind, document_id, infno, state, message_id, digest, sealed,
            asked_at, deadline_at)
        values (a.tenant, a.attempt, a.facility, 'sale', a.document, a.infno, 'asked', message_id, p_message_digest, p_sealed, a.at, a.deadline);
    end if;
    return next;
end $$
"""

# Takes the goods off the shelf, closes the attempt, notes the money and appends the fact; the head is locked last, until
# the commit that travels with it. No row: somebody else wrote the outcome before, and nothing was changed.
CONFIRM_SALE = """
create function confirm_sale(p_sale jsonb, p_facts jsonb)
returns table (stream_number bigint) language plpgsql as $$
#variable_conflict use_column
declare
    a record;
    sold_in uuid;
    fact record;
begin
    select * into a from jsonb_to_record(p_sale) as r(
        tenant bigint, facility bigint, document uuid, staff bigint, at timestamptz, attempt uuid, was text, outcome text,
        answer_code text, answer_text text, setl_id text, mdtrt_id text, money jsonb, cash_fen bigint,
        movements jsonb, codes jsonb, tenders jsonb);

    if a.attempt is not null then
        update insurance_attempt set state = a.outcome, answered_at = a.at, answer_code = a.answer_code, answer_text = a.answer_text
        where tenant_id = a.tenant and id = a.attempt and document_id = a.document and state = a.was;
        if not found then
            return;
        end if;
    end if;
    select shift_id into sold_in from sale where tenant_id = a.tenant and id = a.document and state = 'asked' for no key update;
    if not found then
        return;
    end if;

    perform post_movements(a.tenant, a.facility, a.document, a.staff, a.at, a.movements);
    if jsonb_array_length(a.codes) > 0 then
        with sold as (
            update trace_code t set remaining = t.remaining - k.quantity, reserved = t.reserved - k.quantity,
                state = case when t.remaining = k.quantity then 'SOLD' else 'SPLIT_OPEN' end
            from (
                select x.code, c.line_no, c.quantity
                from jsonb_to_recordset(a.codes) as c(code text, line_no int, quantity bigint)
                join trace_code x on x.tenant_id = a.tenant and x.code = c.code
                order by x.code for no key update of x
            ) k
            where t.tenant_id = a.tenant and t.code = k.code
            returning t.code, k.line_no, k.quantity
        )
        insert into trace_event (tenant_id, code, kind, quantity, document_id, line_no, facility_id, staff_id, at)
        select a.tenant, sold.code, 'SA', sold.quantity, a.document, sold.line_no, a.facility, a.staff, a.at from sold;
    end if;
    insert into tender (tenant_id, document_id, shift_id, kind, amount_fen, at)
    select a.tenant, a.document, sold_in, t.kind, t.amount_fen, a.at
    from jsonb_to_recordset(a.tenders) as t(kind text, amount_fen bigint) where t.amount_fen <> 0;

    select f.number, f.hash into strict fact from append_facts(a.tenant, a.facility, p_facts) f;
    update sale set state = 'settled', settled_at = a.at, setl_id = a.setl_id, mdtrt_id = a.mdtrt_id, money = a.money, cash_fen = a.cash_fen,
        stream_number = fact.number, stream_hash = fact.hash
    where tenant_id = a.tenant and id = a.document;
    stream_number := fact.number;
    return next;
end $$
"""


def upgrade() -> None:
    for statement in (POST_MOVEMENTS, ASK_SALE, CONFIRM_SALE):
        op.execute(statement)


def downgrade() -> None:
    """`post_movements` does what it did before; its older text need not come back."""
    op.execute("drop function confirm_sale(jsonb, jsonb)")
    op.execute("drop function ask_sale(jsonb, bytea, bytea, bytea)")
