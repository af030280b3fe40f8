"""Close a basket in the statement that settles its sale, so that what is sold no longer stands as asked for (单据结清).

A sale for cash closes its basket as it is asked for, for it is settled in the same transaction; an insured one with the outcome
of its attempt.
"""

from __future__ import annotations

from importlib import import_module

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

FUNCTIONS = import_module("migrations.facility.versions.0009_add_sale_functions")
ASKED = (
    "update basket set state = 'asked',",
    "update basket set state = case when a.infno is null then 'closed' else 'asked' end,",
)
CONFIRMED = (
    """
        update insurance_attempt set state = a.outcome, answered_at = a.at, answer_code = a.answer_code, answer_text = a.answer_text
        where tenant_id = a.tenant and id = a.attempt and document_id = a.document and state = a.was;""",
    """
        with told as (
            update insurance_attempt set state = a.outcome, answered_at = a.at, answer_code = a.answer_code, answer_text = a.answer_text
            where tenant_id = a.tenant and id = a.attempt and document_id = a.document and state = a.was returning tenant_id, document_id
        )
        update basket b set state = 'closed' from told where b.tenant_id = told.tenant_id and b.id = told.document_id;""",
)
SOLD = """
update basket b set state = 'closed' from sale s
where s.tenant_id = b.tenant_id and s.id = b.id and s.state = 'settled' and b.state = 'asked'
"""


def _changed(text: str, old: str, new: str) -> str:
    if text.count(old) != 1:
        raise ValueError(f"not once in the function: {old}")
    return text.replace(old, new)


def _again(text: str) -> str:
    return _changed(text, "create function", "create or replace function")


def upgrade() -> None:
    op.execute(_again(_changed(FUNCTIONS.ASK_SALE, *ASKED)))
    op.execute(_again(_changed(FUNCTIONS.CONFIRM_SALE, *CONFIRMED)))
    op.execute(SOLD)


def downgrade() -> None:
    op.execute(_again(FUNCTIONS.ASK_SALE))
    op.execute(_again(FUNCTIONS.CONFIRM_SALE))
