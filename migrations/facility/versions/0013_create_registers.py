"""Create what the registers (登记簿) lack: who bought controlled drugs, who checked a split, discounts given, invoices.

Everything else in a register is read from sales, prescriptions and attendance. The two-box limit of ephedrine compounds
(含麻黄碱类复方制剂, DOMAIN 3.5) is kept here by a function: it takes a lock on the buyer and counts what they bought at all
facilities of the organization, so two tills at once follow each other.
"""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

# Name and citizen id of somebody who buys what must be registered; sealed, found by a keyed hash.
BUYER_CHECK = f"""
create table buyer_check (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    staff_id bigint not null,
    person_hash bytea not null,
    sealed bytea not null,
    shown jsonb not null,
    checked_on date not null,
    checked_at timestamptz not null,
    constraint buyer_check_pk primary key (tenant_id, id),
    constraint buyer_check_facility_fk foreign key (tenant_id, facility_id) references facility (tenant_id, id),
    constraint buyer_check_staff_fk foreign key (tenant_id, staff_id) references staff (tenant_id, id)
)
"""

# One row a line of a specially controlled drug, written with the sale. The sale's own state says whether it counts.
SPECIAL_SALE_LINE = f"""
create table special_sale_line (
    {TENANT},
    sale_id uuid not null,
    line_no int not null,
    facility_id bigint not null,
    special_class text not null,
    quantity bigint not null,
    pack_size bigint not null,
    prescription_id uuid,
    buyer_check_id uuid,
    person_hash bytea,
    sold_on date not null,
    at timestamptz not null,
    constraint special_sale_line_pk primary key (tenant_id, sale_id, line_no),
    constraint special_sale_line_sale_fk foreign key (tenant_id, sale_id, line_no)
        references sale_line (tenant_id, sale_id, line_no) deferrable initially deferred,
    constraint special_sale_line_buyer_fk foreign key (tenant_id, buyer_check_id) references buyer_check (tenant_id, id),
    constraint special_sale_line_prescription_fk foreign key (tenant_id, prescription_id) references prescription (tenant_id, id),
    constraint special_sale_line_class_known check (special_class in ('PSYCHOTROPIC_2', 'TOXIC', 'EPHEDRINE', 'SPECIAL_COMPOUND')),
    constraint special_sale_line_sells check (quantity > 0 and pack_size > 0),
    constraint special_sale_line_names_somebody check (prescription_id is not null or person_hash is not null)
)
"""

SPLIT_CHECK = f"""
create table split_check (
    {TENANT},
    sale_id uuid not null,
    line_no int not null,
    facility_id bigint not null,
    staff_id bigint not null,
    checked_at timestamptz not null,
    constraint split_check_pk primary key (tenant_id, sale_id, line_no),
    constraint split_check_sale_fk foreign key (tenant_id, sale_id, line_no) references sale_line (tenant_id, sale_id, line_no),
    constraint split_check_staff_fk foreign key (tenant_id, staff_id) references staff (tenant_id, id)
)
"""

SALE_DISCOUNT = f"""
create table sale_discount (
    {TENANT},
    sale_id uuid not null,
    line_no int not null,
    facility_id bigint not null,
    list_price numeric(16, 6) not null,
    price numeric(16, 6) not null,
    list_fen bigint not null,
    amount_fen bigint not null,
    reason text not null,
    staff_id bigint not null,
    approver_id bigint,
    sold_on date not null,
    at timestamptz not null,
    constraint sale_discount_pk primary key (tenant_id, sale_id, line_no),
    constraint sale_discount_sale_fk foreign key (tenant_id, sale_id, line_no)
        references sale_line (tenant_id, sale_id, line_no) deferrable initially deferred,
    constraint sale_discount_staff_fk foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint sale_discount_approver_fk foreign key (tenant_id, approver_id) references staff (tenant_id, id),
    constraint sale_discount_lowers check (price > 0 and price < list_price and amount_fen <= list_fen),
    constraint sale_discount_by_another check (approver_id is null or approver_id <> staff_id),
    constraint sale_discount_reason_check check (char_length(reason) between 1 and 100)
)
"""

# The states of a sale's invoice, one row a step; the last one holds.
SALE_INVOICE = f"""
create table sale_invoice (
    {TENANT},
    id bigint generated always as identity,
    sale_id uuid not null,
    facility_id bigint not null,
    provider text not null,
    state text not null,
    buyer_kind text not null,
    title text not null default '',
    tax_number text not null default '',
    buyer_sealed bytea,
    number text not null default '',
    amount_fen bigint not null,
    note text not null default '',
    staff_id bigint not null,
    at timestamptz not null,
    constraint sale_invoice_pk primary key (tenant_id, id),
    constraint sale_invoice_sale_fk foreign key (tenant_id, sale_id) references sale (tenant_id, id),
    constraint sale_invoice_staff_fk foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint sale_invoice_state_known check (state in ('asked', 'issued', 'red', 'failed')),
    constraint sale_invoice_buyer_known check (buyer_kind in ('person', 'firm')),
    constraint sale_invoice_person_sealed check (buyer_kind = 'firm' or (buyer_sealed is not null and tax_number = '')),
    constraint sale_invoice_numbered check (state not in ('issued', 'red') or number <> ''),
    constraint sale_invoice_amount_check check (amount_fen >= 0)
)
"""

# Serves whoever sells a special drug, before the sale itself is written. The lock is on the buyer's keyed hash: the second
# till waits here and counts the first one's boxes. What was refused by the center or came back is not counted.
KEEP_SPECIAL_LINES = """
create function keep_special_lines(p_lines jsonb, p_person bytea) returns numeric language plpgsql as $$
declare
    a record;
    bought numeric := 0;
begin
    select * into a from jsonb_to_record(p_lines) as r(tenant bigint, facility bigint, document uuid, at timestamptz, today date, since date,
        most numeric, packs numeric, buyer uuid, lines jsonb);
    if p_person is not null then
        perform pg_advisory_xact_lock(hashtextextended('special ' || a.tenant || encode(p_person, 'hex'), 0));
        select coalesce(round(sum((c.quantity - coalesce(back.quantity, 0))::numeric / c.pack_size), 6), 0) into bought
        from special_sale_line c
        join sale s on s.tenant_id = c.tenant_id and s.id = c.sale_id and s.state in ('asked', 'settled')
        left join lateral (
            select sum(n.quantity) as quantity from refund_line n
            join refund r on r.tenant_id = n.tenant_id and r.id = n.refund_id and r.state = 'refunded'
            where n.tenant_id = c.tenant_id and n.sale_id = c.sale_id and n.line_no = c.line_no and n.goods <> 'kept') back on true
        where c.tenant_id = a.tenant and c.person_hash = p_person and c.sold_on >= a.since and c.special_class = 'EPHEDRINE'
            and c.prescription_id is null and c.sale_id <> a.document;
        if a.packs + bought > a.most then
            raise exception 'ephedrine' using detail = trim_scale(bought)::text;
        end if;
    end if;
    insert into special_sale_line (tenant_id, sale_id, line_no, facility_id, special_class, quantity, pack_size, prescription_id, buyer_check_id,
        person_hash, sold_on, at)
    select a.tenant, a.document, l.line_no, a.facility, l.special_class, l.quantity, l.pack_size, l.prescription_id,
        case when l.named then a.buyer end, case when l.named then p_person end, a.today, a.at
    from jsonb_to_recordset(a.lines) as l(line_no int, special_class text, quantity bigint, pack_size bigint, prescription_id uuid, named boolean)
    on conflict do nothing;
    return bought;
end $$
"""

INDEXES = (
    "create index special_sale_line_of_person on special_sale_line (tenant_id, person_hash, sold_on) where person_hash is not null",
    "create index special_sale_line_recent on special_sale_line (tenant_id, facility_id, at desc, sale_id, line_no)",
    "create index sale_discount_recent on sale_discount (tenant_id, facility_id, at desc, sale_id, line_no)",
    "create index sale_invoice_of_sale on sale_invoice (tenant_id, sale_id, id desc)",
    "create index sale_invoice_recent on sale_invoice (tenant_id, facility_id, id desc)",
    "create unique index sale_invoice_number_once on sale_invoice (tenant_id, number) where state = 'issued'",
    # What a register asks of sales: few lines of many, so each index holds only its own.
    "create index sale_line_prescribed on sale_line (tenant_id, sale_id, line_no) where prescription_id is not null",
    "create index sale_line_split on sale_line (tenant_id, sale_id, line_no) where split",
    "create index sale_line_near on sale_line (tenant_id, sale_id, line_no) where described ? 'near'",
)
TABLES = {
    "buyer_check": BUYER_CHECK, "special_sale_line": SPECIAL_SALE_LINE, "split_check": SPLIT_CHECK, "sale_discount": SALE_DISCOUNT,
    "sale_invoice": SALE_INVOICE,
}  # fmt: skip


def upgrade() -> None:
    for table, made in TABLES.items():
        op.execute(made)
        for statement in (*isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
        op.execute(f"grant select, insert on {table} to facility_app")
    op.execute("grant select on sequence sale_invoice_id_seq to facility_backup")
    for statement in (*INDEXES, KEEP_SPECIAL_LINES):
        op.execute(statement)


def downgrade() -> None:
    op.execute("drop function keep_special_lines(jsonb, bytea)")
    for index in ("sale_line_near", "sale_line_split", "sale_line_prescribed"):
        op.execute(f"drop index {index}")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
