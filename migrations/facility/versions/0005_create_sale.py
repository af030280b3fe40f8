"""Identification, attempts, prescriptions, shifts and tenders, baskets, sales and refunds (收银与医保结算)."""

from __future__ import annotations

from alembic import op

from migrations.helpers import force, isolate, open_to

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"

TABLES = (
    "identification", "center_sign_in", "insurance_attempt", "prescription", "prescription_line", "shift", "drawer_movement",
    "basket", "sale", "sale_line", "sale_pick", "sale_code", "refund", "refund_line", "refund_code", "tender", "receipt_print",
)  # fmt: skip

UP = [
    f"""
    create table identification (
        {TENANT},
        id uuid not null,
        facility_id bigint not null,
        staff_id bigint not null,
        credential text not null,
        read_how text not null,
        person_hash bytea not null,
        sealed bytea not null,
        shown jsonb not null,
        identity jsonb not null,
        buyer text not null default 'self',
        agent_sealed bytea,
        matched_by bigint,
        override_reason text,
        sign_no text not null default '',
        read_at timestamptz not null default now(),
        constraint identification_pk primary key (tenant_id, id),
        constraint identification_credential_known check (credential in ('card', 'certno', 'ecert')),
        constraint identification_read_known check (read_how in ('typed', 'card', 'ecert')),
        constraint identification_buyer_known check (buyer in ('self', 'agent', 'guardian')),
        constraint identification_names_agent check (buyer = 'self' or agent_sealed is not null)
    )""",
    "create index identification_recent on identification (tenant_id, facility_id, read_at desc)",
    f"""
    create table center_sign_in (
        {TENANT},
        facility_id bigint not null,
        staff_id bigint not null,
        signed_on date not null,
        sign_no text not null,
        signed_at timestamptz not null default now(),
        constraint center_sign_in_pk primary key (tenant_id, facility_id, staff_id, signed_on)
    )""",
    f"""
    create table insurance_attempt (
        {TENANT},
        id uuid not null,
        facility_id bigint not null,
        document_kind text not null,
        document_id uuid not null,
        infno text not null,
        state text not null,
        message_id text not null,
        digest bytea not null,
        sealed bytea not null,
        asked_at timestamptz not null,
        deadline_at timestamptz not null,
        tries int not null default 1,
        next_at timestamptz,
        given_up_at timestamptz,
        answer_code text,
        answer_text text,
        answered_at timestamptz,
        constraint insurance_attempt_pk primary key (tenant_id, id),
        constraint insurance_attempt_message_once unique (tenant_id, message_id),
        constraint insurance_attempt_state_known check (state in ('asked', 'recovering', 'accepted', 'refused', 'reversed'))
    )""",
    # A document has at most one open attempt.
    "create unique index insurance_attempt_open_once on insurance_attempt (tenant_id, document_id) where state in ('asked', 'recovering')",
    # The recovery worker reads only this.
    "create index insurance_attempt_overdue on insurance_attempt (deadline_at) where state in ('asked', 'recovering')",
    "create index insurance_attempt_of_document on insurance_attempt (tenant_id, document_id, asked_at)",
    # The worker may learn which attempts wait and whose they are; everything else it does as the application.
    """
    create function overdue_attempts(p_limit int)
    returns table (tenant_id bigint, facility_id bigint, id uuid, state text)
    language sql security definer set search_path = public as $$
        select a.tenant_id, a.facility_id, a.id, a.state from insurance_attempt a
        where a.state in ('asked', 'recovering') and a.deadline_at < clock_timestamp() and coalesce(a.next_at, a.deadline_at) < clock_timestamp()
        order by a.deadline_at limit p_limit
    $$""",
    "revoke all on function overdue_attempts(int) from public",
    "grant execute on function overdue_attempts(int) to facility_worker",
    f"""
    create table prescription (
        {TENANT},
        id uuid not null,
        facility_id bigint not null,
        number text not null,
        patient_sealed bytea not null,
        patient_shown text not null,
        patient_hash bytea,
        prescriber text not null,
        institution text not null,
        diagnosis text not null default '',
        issued_on date not null,
        valid_until date not null,
        state text not null default 'pending',
        staff_id bigint not null,
        entered_at timestamptz not null default now(),
        reviewer_id bigint,
        reviewer_name text,
        reviewed_at timestamptz,
        review_note text not null default '',
        sale_id uuid,
        constraint prescription_pk primary key (tenant_id, id),
        constraint prescription_number_once unique (tenant_id, facility_id, number),
        constraint prescription_state_known check (state in ('pending', 'passed', 'refused', 'used', 'void')),
        constraint prescription_reviewed_by_another check (reviewer_id is null or reviewer_id <> staff_id)
    )""",
    "create index prescription_queue on prescription (tenant_id, facility_id, state, entered_at desc, id)",
    f"""
    create table prescription_line (
        {TENANT},
        prescription_id uuid not null,
        line_no int not null,
        product_id bigint not null,
        quantity bigint not null,
        dosage text not null default '',
        constraint prescription_line_pk primary key (tenant_id, prescription_id, line_no),
        constraint prescription_line_head_fk foreign key (tenant_id, prescription_id) references prescription (tenant_id, id),
        constraint prescription_line_product_fk foreign key (tenant_id, product_id) references product (tenant_id, id),
        constraint prescription_line_asks check (quantity > 0)
    )""",
    "create index prescription_line_of_product on prescription_line (tenant_id, product_id)",
    f"""
    create table shift (
        {TENANT},
        id uuid not null,
        facility_id bigint not null,
        station text not null,
        staff_id bigint not null,
        opened_at timestamptz not null default now(),
        opened_on date not null,
        float_fen bigint not null,
        closed_at timestamptz,
        closed_by bigint,
        counted_fen bigint,
        expected_fen bigint,
        difference_reason text,
        constraint shift_pk primary key (tenant_id, id),
        constraint shift_closed_whole check ((closed_at is null) = (counted_fen is null) and (closed_at is null) = (expected_fen is null)),
        constraint shift_difference_explained check (closed_at is null or counted_fen = expected_fen or coalesce(difference_reason, '') <> '')
    )""",
    "create unique index shift_open_once on shift (tenant_id, station) where closed_at is null",
    "create index shift_recent on shift (tenant_id, facility_id, opened_at desc, id)",
    f"""
    create table drawer_movement (
        {TENANT},
        id uuid not null,
        shift_id uuid not null,
        amount_fen bigint not null,
        reason text not null,
        staff_id bigint not null,
        at timestamptz not null default now(),
        constraint drawer_movement_pk primary key (tenant_id, id),
        constraint drawer_movement_shift_fk foreign key (tenant_id, shift_id) references shift (tenant_id, id),
        constraint drawer_movement_moves check (amount_fen <> 0)
    )""",
    "create index drawer_movement_of_shift on drawer_movement (tenant_id, shift_id)",
    f"""
    create table basket (
        {TENANT},
        id uuid not null,
        facility_id bigint not null,
        station text not null,
        staff_id bigint not null,
        state text not null default 'open',
        version int not null default 1,
        content jsonb not null,
        created_at timestamptz not null default now(),
        changed_at timestamptz not null default now(),
        constraint basket_pk primary key (tenant_id, id),
        constraint basket_state_known check (state in ('open', 'held', 'asked', 'closed'))
    )""",
    "create unique index basket_open_once on basket (tenant_id, station) where state = 'open'",
    "create index basket_held on basket (tenant_id, facility_id, changed_at desc) where state = 'held'",
    f"""
    create table sale (
        {TENANT},
        id uuid not null,
        facility_id bigint not null,
        station text not null,
        terminal text not null,
        shift_id uuid not null,
        staff_id bigint not null,
        state text not null,
        paid text not null,
        digest bytea not null,
        receipt text not null,
        sold_on date not null,
        total_fen bigint not null,
        identification_id uuid,
        replaces_id uuid,
        setl_id text,
        mdtrt_id text,
        money jsonb,
        cash_fen bigint,
        tendered jsonb not null,
        asked_at timestamptz not null default now(),
        settled_at timestamptz,
        stream_number bigint,
        stream_hash bytea,
        refusal text,
        constraint sale_pk primary key (tenant_id, id),
        constraint sale_receipt_once unique (tenant_id, facility_id, receipt),
        constraint sale_shift_fk foreign key (tenant_id, shift_id) references shift (tenant_id, id),
        constraint sale_state_known check (state in ('asked', 'settled', 'refused')),
        constraint sale_paid_known check (paid in ('insured', 'self')),
        constraint sale_costs check (total_fen >= 0),
        constraint sale_insured_person check (paid = 'self' or identification_id is not null)
    )""",
    "create index sale_recent on sale (tenant_id, facility_id, asked_at desc, id)",
    "create index sale_waiting on sale (tenant_id, station) where state = 'asked'",
    f"""
    create table sale_line (
        {TENANT},
        sale_id uuid not null,
        line_no int not null,
        product_id bigint not null,
        quantity bigint not null,
        split boolean not null,
        price numeric(16, 6) not null,
        amount_fen bigint not null,
        prescription_id uuid,
        scanned_at timestamptz not null,
        described jsonb not null,
        constraint sale_line_pk primary key (tenant_id, sale_id, line_no),
        constraint sale_line_sale_fk foreign key (tenant_id, sale_id) references sale (tenant_id, id),
        constraint sale_line_sells check (quantity > 0 and amount_fen >= 0)
    )""",
    f"""
    create table sale_pick (
        {TENANT},
        sale_id uuid not null,
        line_no int not null,
        lot_id bigint not null,
        zone text not null,
        quantity bigint not null,
        constraint sale_pick_pk primary key (tenant_id, sale_id, line_no, lot_id, zone),
        constraint sale_pick_line_fk foreign key (tenant_id, sale_id, line_no) references sale_line (tenant_id, sale_id, line_no) deferrable initially deferred,
        constraint sale_pick_lot_fk foreign key (tenant_id, lot_id) references lot (tenant_id, id),
        constraint sale_pick_takes check (quantity > 0)
    )""",
    f"""
    create table sale_code (
        {TENANT},
        sale_id uuid not null,
        code text not null,
        line_no int not null,
        quantity bigint not null,
        constraint sale_code_pk primary key (tenant_id, sale_id, code),
        constraint sale_code_line_fk foreign key (tenant_id, sale_id, line_no) references sale_line (tenant_id, sale_id, line_no) deferrable initially deferred,
        constraint sale_code_code_fk foreign key (tenant_id, code) references trace_code (tenant_id, code)
    )""",
    f"""
    create table refund (
        {TENANT},
        id uuid not null,
        facility_id bigint not null,
        station text not null,
        terminal text not null,
        shift_id uuid not null,
        staff_id bigint not null,
        approver_id bigint,
        sale_id uuid not null,
        state text not null,
        receipt text not null,
        reason text not null,
        digest bytea not null,
        whole boolean not null,
        refund_fen bigint not null,
        cash_fen bigint not null,
        reversed_setl_id text,
        new_setl_id text,
        new_mdtrt_id text,
        money jsonb,
        asked_at timestamptz not null default now(),
        refunded_at timestamptz,
        stream_number bigint,
        refusal text,
        constraint refund_pk primary key (tenant_id, id),
        constraint refund_receipt_once unique (tenant_id, facility_id, receipt),
        constraint refund_sale_fk foreign key (tenant_id, sale_id) references sale (tenant_id, id),
        constraint refund_state_known check (state in ('asked', 'reversed_unsettled', 'refunded', 'refused')),
        constraint refund_reason_known check (reason in ('quality', 'recall', 'dispensing_error', 'billing_error', 'not_handed_over'))
    )""",
    "create unique index refund_open_once on refund (tenant_id, sale_id) where state in ('asked', 'reversed_unsettled')",
    "create index refund_of_sale on refund (tenant_id, sale_id)",
    "create index refund_recent on refund (tenant_id, facility_id, asked_at desc, id)",
    f"""
    create table refund_line (
        {TENANT},
        refund_id uuid not null,
        line_no int not null,
        sale_id uuid not null,
        lot_id bigint not null,
        quantity bigint not null,
        amount_fen bigint not null,
        goods text not null,
        constraint refund_line_pk primary key (tenant_id, refund_id, line_no, lot_id),
        constraint refund_line_head_fk foreign key (tenant_id, refund_id) references refund (tenant_id, id),
        constraint refund_line_sold_fk foreign key (tenant_id, sale_id, line_no) references sale_line (tenant_id, sale_id, line_no),
        constraint refund_line_goods_known check (goods in ('kept', 'quarantine', 'shelf')),
        constraint refund_line_gives_back check (quantity > 0 and amount_fen >= 0)
    )""",
    "create index refund_line_of_sale on refund_line (tenant_id, sale_id, line_no)",
    f"""
    create table refund_code (
        {TENANT},
        refund_id uuid not null,
        code text not null,
        line_no int not null,
        quantity bigint not null,
        goods text not null,
        constraint refund_code_pk primary key (tenant_id, refund_id, code),
        constraint refund_code_head_fk foreign key (tenant_id, refund_id) references refund (tenant_id, id),
        constraint refund_code_code_fk foreign key (tenant_id, code) references trace_code (tenant_id, code)
    )""",
    f"""
    create table tender (
        {TENANT},
        id bigint generated always as identity,
        document_id uuid not null,
        shift_id uuid not null,
        kind text not null,
        amount_fen bigint not null,
        at timestamptz not null default now(),
        constraint tender_pk primary key (tenant_id, id),
        constraint tender_shift_fk foreign key (tenant_id, shift_id) references shift (tenant_id, id),
        constraint tender_kind_known check (kind in ('cash', 'bank', 'wechat', 'alipay', 'fund', 'account', 'mutual')),
        constraint tender_pays check (amount_fen <> 0)
    )""",
    "create index tender_of_document on tender (tenant_id, document_id)",
    "create index tender_of_shift on tender (tenant_id, shift_id, kind)",
    f"""
    create table receipt_print (
        {TENANT},
        id bigint generated always as identity,
        document_id uuid not null,
        staff_id bigint not null,
        size text not null,
        at timestamptz not null default now(),
        constraint receipt_print_pk primary key (tenant_id, id)
    )""",
    # One row a worker, so that /healthz can say whether open attempts are being finished.
    """
    create table worker_heartbeat (
        name text not null,
        beat_at timestamptz not null,
        waiting int not null default 0,
        note text not null default '',
        constraint worker_heartbeat_pk primary key (name)
    )""",
    "create index receipt_print_of_document on receipt_print (tenant_id, document_id)",
    "grant select, insert, update on identification, center_sign_in, insurance_attempt, prescription, shift, basket, sale, refund to facility_app",
    "grant select, insert, update on worker_heartbeat to facility_worker",
    "grant select on worker_heartbeat to facility_app",
    "grant select, insert on prescription_line, drawer_movement, sale_line, sale_pick, sale_code, refund_line, refund_code, tender, receipt_print to facility_app",
]


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)
    for statement in (
        *force("worker_heartbeat", "facility_owner"),
        *open_to("worker_heartbeat", "facility_worker"),
        *open_to("worker_heartbeat", "facility_app"),
    ):
        op.execute(statement)
    for table in TABLES:
        for statement in isolate(table, worker=False):
            op.execute(statement)


def downgrade() -> None:
    op.execute("drop function overdue_attempts(int)")
    op.execute("drop table worker_heartbeat")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
