"""Write a settlement in one call: the same rows as before in the same order, each step a small plan that the connection keeps.

The locks are those of the reading statement before it (message, account, year); the codes are claimed in their order.
"""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The settlement travels as one JSON row: few parameters, and every other step takes its figures from it.
WRITE_SETTLEMENT = """
create function write_settlement(p_settlement jsonb, p_answer bytea, p_entries jsonb, p_claims jsonb, p_lines jsonb, p_token bytea)
returns void language plpgsql as $$
declare
    s settlement := jsonb_populate_record(null::settlement, p_settlement);
begin
    insert into settlement values (s.*);
    update message set answer = p_answer, state = 'accepted', setl_id = s.setl_id
    where institution_code = s.institution_code and msgid = s.msgid;
    update person_year set
        deductible_fen = deductible_fen + s.deductible_fen,
        inscope_fen = inscope_fen + s.shared_fen,
        aid_burden_fen = aid_burden_fen + s.aid_burden_fen,
        hifp_fen = hifp_fen + s.hifp_fen,
        hifob_fen = hifob_fen + s.hifob_fen,
        cvlserv_fen = cvlserv_fen + s.cvlserv_fen,
        hifes_fen = hifes_fen + s.hifes_fen,
        hifmi_fen = hifmi_fen + s.hifmi_fen,
        maf_fen = maf_fen + s.maf_fen,
        oth_fen = oth_fen + s.oth_fen
    where psn_no = s.psn_no and insutype = s.insutype and year = s.year;
    if s.current_fen + s.prior_fen + s.mutual_fen > 0 then
        update account set
            current_fen = current_fen - s.current_fen, prior_fen = prior_fen - s.prior_fen, mutual_fen = mutual_fen - s.mutual_fen
        where psn_no = s.psn_no;
        insert into account_entry (psn_no, district, pot, amount_fen, balance_fen, reason, setl_id, entered_at)
        select s.psn_no, s.district, e.pot, e.amount, e.balance, 'settled', s.setl_id, s.settled_at
        from jsonb_to_recordset(p_entries) as e (pot text, amount bigint, balance bigint);
    end if;
    insert into settlement_line (setl_id, position, district, number, code, own_code, name, price, quantity, grade, selfpay,
        ceiling, pooled, rxno, amount_fen, full_fen, over_fen, pre_fen, inscope_fen, fund_fen, deductible_fen)
    select s.setl_id, l.position, s.district, l.number, l.code, l.own_code, l.name, l.price, l.quantity, l.grade, l.selfpay,
        l.ceiling, l.pooled, l.rxno, l.amount_fen, l.full_fen, l.over_fen, l.pre_fen, l.inscope_fen, l.fund_fen, l.deductible_fen
    from jsonb_populate_recordset(null::settlement_line, p_lines) as l;
    if jsonb_array_length(p_claims) > 0 then
        insert into code_claim (code, institution_code, district, source, document, line, split, holds, duplicate, claimed_at)
        select c.code, s.institution_code, s.district, 'settlement', s.setl_id, c.line, c.split, c.holds, c.duplicate, s.settled_at
        from jsonb_to_recordset(p_claims) as c (code text, line text, split boolean, holds boolean, duplicate boolean)
        order by c.code;
    end if;
    if p_token is not null then
        insert into ecert_use (lookup, setl_id, used_at) values (p_token, s.setl_id, s.settled_at);
    end if;
end $$
"""


def upgrade() -> None:
    op.execute(WRITE_SETTLEMENT)


def downgrade() -> None:
    op.execute("drop function write_settlement(jsonb, bytea, jsonb, jsonb, jsonb, bytea)")
