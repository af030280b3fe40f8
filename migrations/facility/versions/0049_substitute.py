"""Keep which other product of the same drug was proposed for a paid line, by whom and why, and what its prescriber said (换药). Only added to."""

from __future__ import annotations

from alembic import op

from migrations.helpers import backed_up, isolate

revision = "0049"
down_revision = "0048"
branch_labels = None
depends_on = None

TENANT = "tenant_id bigint not null default nullif(current_setting('app.tenant_id', true), '')::bigint"
SUBSTITUTION = f"""
create table substitution (
    {TENANT},
    id uuid not null,
    facility_id bigint not null,
    order_id uuid not null,
    staff_id bigint not null,
    at timestamptz not null,
    digest bytea not null,
    bill_id uuid not null,
    bill_line_no int not null,
    product_id bigint not null,
    instead_of_id bigint not null,
    quantity bigint not null,
    reason text not null,
    note text not null default '',
    described jsonb not null,
    constraint substitution_pkey primary key (tenant_id, id),
    constraint substitution_order_fkey foreign key (tenant_id, order_id) references clinic_order (tenant_id, id),
    constraint substitution_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint substitution_line_fkey foreign key (tenant_id, bill_id, bill_line_no) references bill_line (tenant_id, bill_id, line_no),
    constraint substitution_product_fkey foreign key (tenant_id, product_id) references product (tenant_id, id),
    constraint substitution_instead_fkey foreign key (tenant_id, instead_of_id) references product (tenant_id, id),
    constraint substitution_other_product check (product_id <> instead_of_id and quantity > 0),
    constraint substitution_reason_check check (
        reason in ('out_of_stock', 'recalled', 'patient', 'other') and char_length(note) <= 200 and (reason <> 'other' or note <> '')
    )
)
"""
# Who proposes is not who agrees; whoever dispenses may withdraw.
ANSWER = f"""
create table substitution_answer (
    {TENANT},
    substitution_id uuid not null,
    proposer_id bigint not null,
    staff_id bigint not null,
    at timestamptz not null,
    digest bytea not null,
    answer text not null,
    note text not null default '',
    constraint substitution_answer_pkey primary key (tenant_id, substitution_id),
    constraint substitution_answer_substitution_fkey foreign key (tenant_id, substitution_id) references substitution (tenant_id, id),
    constraint substitution_answer_staff_fkey foreign key (tenant_id, staff_id) references staff (tenant_id, id),
    constraint substitution_answer_other_eyes check (answer = 'withdrawn' or staff_id <> proposer_id),
    constraint substitution_answer_check check (
        answer in ('consented', 'declined', 'withdrawn') and char_length(note) <= 200 and (answer <> 'declined' or note <> '')
    )
)
"""
TABLES = {
    "substitution": (
        SUBSTITUTION, "create index substitution_of_line on substitution (tenant_id, bill_id, bill_line_no, at)",
        "create index substitution_of_order on substitution (tenant_id, order_id)",
    ),
    "substitution_answer": (ANSWER,),
}  # fmt: skip
GIVEN = """
alter table dispensing_line add column substitution_id uuid,
    add constraint dispensing_line_substitution_fkey foreign key (tenant_id, substitution_id) references substitution (tenant_id, id)
"""


def upgrade() -> None:
    for table, statements in TABLES.items():
        for statement in (*statements, *isolate(table, worker=False), *backed_up(table, "facility")):
            op.execute(statement)
    op.execute(f"grant select, insert on {', '.join(TABLES)} to facility_app")
    op.execute(GIVEN)
    op.execute("create index product_of_name on product (tenant_id, generic_name)")


def downgrade() -> None:
    op.execute("drop index product_of_name")
    op.execute("alter table dispensing_line drop column substitution_id")
    for table in reversed(TABLES):
        op.execute(f"drop table {table}")
