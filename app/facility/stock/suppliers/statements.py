"""The statements of suppliers, one constant each."""

from __future__ import annotations

# Everything that the gate must know, in one row: the supplier, its papers, the products with theirs, and our own papers.
GATE = """
select s.name, s.state, s.state_reason, s.review_due_on, s.scope_codes,
    coalesce((select jsonb_agg(jsonb_build_object('kind', l.kind, 'number', l.number, 'from', l.valid_from, 'until', l.valid_until) order by l.kind, l.valid_until)
        from licence l where l.tenant_id = s.tenant_id and l.supplier_id = s.id and l.ended_at is null), '[]') as papers,
    coalesce((select jsonb_agg(jsonb_build_object('kind', l.kind, 'number', l.number, 'from', l.valid_from, 'until', l.valid_until) order by l.kind, l.valid_until)
        from licence l where l.tenant_id = s.tenant_id and l.facility_id = %(facility)s and l.ended_at is null), '[]') as own_papers,
    coalesce((select array_agg(distinct code) from licence l cross join unnest(l.scope_codes) as code
        where l.tenant_id = s.tenant_id and l.facility_id = %(facility)s and l.ended_at is null), '{}') as own_scope,
    coalesce((select jsonb_agg(jsonb_build_object('id', p.id, 'name', p.generic_name, 'rx_class', p.rx_class, 'special', p.special_class, 'storage', p.storage,
        'approved', coalesce(a.state = 'approved', false), 'due', a.review_due_on, 'papers', coalesce((
            select jsonb_agg(jsonb_build_object('kind', l.kind, 'number', l.number, 'from', l.valid_from, 'until', l.valid_until) order by l.kind, l.valid_until)
            from licence l where l.tenant_id = p.tenant_id and l.product_id = p.id and l.ended_at is null), '[]')) order by p.pinyin, p.id)
        from product p left join product_approval a on a.tenant_id = p.tenant_id and a.product_id = p.id
        where p.tenant_id = s.tenant_id and p.id = any(%(products)s::bigint[])), '[]') as products
from supplier s where s.tenant_id = %(tenant)s and s.id = %(supplier)s
"""

# ---- suppliers -------------------------------------------------------------------------------------------------------

KNOWN_SUPPLIER = "select id, digest from supplier where tenant_id = %(tenant)s and entry_id = %(entry)s"
NEXT_CODE = """
select 'S' || lpad((coalesce(max(substring(code from '^S([0-9]{1,8})$')::bigint), 0) + 1)::text, 4, '0') as code
from supplier where tenant_id = %(tenant)s and code ~ '^S[0-9]{1,8}$'
"""
INSERT_SUPPLIER = """
insert into supplier (tenant_id, entry_id, digest, code, name, credit_code, scope_codes, scope, address, contact_sealed, contact_shown, bank_sealed,
    bank_shown, note, pinyin, search, staff_id, created_at, changed_at)
values (%(tenant)s, %(entry)s, %(digest)s, %(code)s, %(name)s, %(credit_code)s, %(scope_codes)s::text[], %(scope)s, %(address)s, %(contact_sealed)s::bytea, %(contact_shown)s,
    %(bank_sealed)s::bytea, %(bank_shown)s, %(note)s, %(pinyin)s, %(search)s, %(staff)s, %(at)s, %(at)s)
returning id
"""
LOCK_SUPPLIER = "select * from supplier where tenant_id = %(tenant)s and id = %(supplier)s for update"
# What was approved and is no more goes back to pending; the rest of the file may change freely.
UPDATE_SUPPLIER = """
update supplier set name = %(name)s, credit_code = %(credit_code)s, scope_codes = %(scope_codes)s::text[], scope = %(scope)s, address = %(address)s,
    contact_sealed = %(contact_sealed)s::bytea, contact_shown = %(contact_shown)s, bank_sealed = %(bank_sealed)s::bytea, bank_shown = %(bank_shown)s, note = %(note)s,
    pinyin = %(pinyin)s, search = %(search)s, changed_at = %(at)s, version = version + 1,
    state = case when %(anew)s::boolean and state = 'approved' then 'pending' else state end
where tenant_id = %(tenant)s and id = %(supplier)s
"""
SET_STATE = """
update supplier set state = %(state)s, state_reason = %(reason)s, changed_at = %(at)s, version = version + 1
where tenant_id = %(tenant)s and id = %(supplier)s and state = any(%(before)s::text[]) returning name
"""

# ---- papers ----------------------------------------------------------------------------------------------------------

KNOWN_PAPER = "select digest from licence where tenant_id = %(tenant)s and id = %(licence)s"
INSERT_PAPER = """
insert into licence (tenant_id, id, digest, owner_kind, supplier_id, product_id, facility_id, person_id, kind, number, scope, scope_codes, valid_from, valid_until,
    note, staff_id, entered_at)
values (%(tenant)s, %(licence)s, %(digest)s, %(owner_kind)s, %(supplier_id)s::bigint, %(product_id)s::bigint, %(facility_id)s::bigint, %(person_id)s::bigint, %(kind)s,
    %(number)s, %(scope)s, %(scope_codes)s::text[], %(valid_from)s, %(valid_until)s::date, %(note)s, %(staff)s, %(at)s)
"""
END_PAPER = """
update licence set ended_at = %(at)s, ended_by = %(staff)s, ended_why = %(why)s
where tenant_id = %(tenant)s and id = %(licence)s and ended_at is null returning owner_kind, supplier_id, kind, number
"""
PAPER = "select owner_kind, ended_at from licence where tenant_id = %(tenant)s and id = %(licence)s"

# ---- approval --------------------------------------------------------------------------------------------------------

KNOWN_REQUEST = "select digest from approval_request where tenant_id = %(tenant)s and id = %(request)s"
INSERT_REQUEST = """
insert into approval_request (tenant_id, id, digest, facility_id, subject, kind, note, staff_id, asked_at)
values (%(tenant)s, %(request)s, %(digest)s, %(facility)s, %(subject)s, %(kind)s, %(note)s, %(staff)s, %(at)s)
"""
ASK_SUPPLIER = """
insert into approval (tenant_id, request_id, supplier_id, staff_id) values (%(tenant)s, %(request)s, %(supplier)s, %(staff)s)
on conflict (tenant_id, supplier_id) where state = 'pending' and supplier_id is not null do nothing returning id
"""
# Products named, or everything that came into the catalog before a moment; approved and waiting ones are left out. With
# `recheck` the approved ones are meant, and no others.
ASK_PRODUCTS = """
insert into approval (tenant_id, request_id, product_id, staff_id)
select %(tenant)s, %(request)s, p.id, %(staff)s
from product p left join product_approval a on a.tenant_id = p.tenant_id and a.product_id = p.id
where p.tenant_id = %(tenant)s and p.state = 'active'
    and (%(before)s::timestamptz is null and p.id = any(%(products)s::bigint[]) or p.created_at < %(before)s::timestamptz)
    and coalesce(a.state = 'approved', false) = (%(kind)s = 'recheck')
order by p.id
on conflict (tenant_id, product_id) where state = 'pending' and product_id is not null do nothing returning id
"""
# Another person's word; lines of one's own asking are not touched, and who decides is not who asked.
DECIDE = """
update approval set state = %(state)s, decided_by = %(staff)s, decided_at = %(at)s, reason = %(reason)s
where tenant_id = %(tenant)s and request_id = %(request)s and state = 'pending' and staff_id <> %(staff)s
    and (%(lines)s::bigint[] is null or id = any(%(lines)s::bigint[]))
returning id, supplier_id, product_id
"""
REQUEST = """
select r.subject, r.kind, r.staff_id, (select count(*) from approval a where a.tenant_id = r.tenant_id and a.request_id = r.id and a.state = 'pending') as waiting
from approval_request r where r.tenant_id = %(tenant)s and r.id = %(request)s
"""
APPROVE_SUPPLIER = """
update supplier set state = 'approved', state_reason = '', review_due_on = %(due)s, changed_at = %(at)s, version = version + 1
where tenant_id = %(tenant)s and id = %(supplier)s and state in ('pending', 'approved') returning name
"""
KEEP_PRODUCTS = """
insert into product_approval (tenant_id, product_id, state, approval_id, decided_at, review_due_on)
select a.tenant_id, a.product_id, a.state, a.id, a.decided_at, case when a.state = 'approved' then %(due)s::date end
from approval a where a.tenant_id = %(tenant)s and a.id = any(%(lines)s::bigint[]) order by a.product_id
on conflict (tenant_id, product_id) do update set state = excluded.state, approval_id = excluded.approval_id, decided_at = excluded.decided_at,
    review_due_on = excluded.review_due_on
"""

# ---- what is owed ------------------------------------------------------------------------------------------------------

# One line of a supplier's account; the account's row is locked until the transaction ends, so balances never cross.
OWE = """
with account as (
    insert into supplier_account (tenant_id, supplier_id, balance_fen, entry_count, changed_at) values (%(tenant)s, %(supplier)s, %(amount)s, 1, %(at)s)
    on conflict (tenant_id, supplier_id) do update set balance_fen = supplier_account.balance_fen + excluded.balance_fen,
        entry_count = supplier_account.entry_count + 1, changed_at = excluded.changed_at
    returning balance_fen
)
insert into supplier_entry (tenant_id, supplier_id, facility_id, kind, amount_fen, balance_fen, document_id, number, reason, staff_id, approver_id, at, booked_on)
select %(tenant)s, %(supplier)s, %(facility)s, %(kind)s, %(amount)s, account.balance_fen, %(document)s, %(number)s, %(reason)s, %(staff)s, %(approver)s::bigint, %(at)s, %(today)s
from account returning id, balance_fen
"""
KNOWN_ENTRY = """
select supplier_id, amount_fen, reason from supplier_entry where tenant_id = %(tenant)s and document_id = %(document)s and kind = %(kind)s limit 1
"""
KNOWN_INVOICE = "select digest from purchase_invoice where tenant_id = %(tenant)s and id = %(invoice)s"
INSERT_INVOICE = """
insert into purchase_invoice (tenant_id, id, digest, supplier_id, facility_id, number, issued_on, amount_fen, tax_fen, red, note, check_provider, check_result,
    staff_id, entered_at)
select %(tenant)s, %(invoice)s, %(digest)s, s.id, %(facility)s, %(number)s, %(issued_on)s, %(amount)s, %(tax)s, %(red)s, %(note)s, %(provider)s, %(result)s, %(staff)s, %(at)s
from supplier s where s.tenant_id = %(tenant)s and s.id = %(supplier)s
returning id
"""
LOCK_INVOICE = "select * from purchase_invoice where tenant_id = %(tenant)s and id = %(invoice)s for update"
# Receipts and returns of this supplier that no other invoice stands for.
TAKE_ENTRIES = """
insert into purchase_invoice_receipt (tenant_id, invoice_id, entry_id, matched_at)
select e.tenant_id, %(invoice)s, e.id, %(at)s from supplier_entry e
where e.tenant_id = %(tenant)s and e.supplier_id = %(supplier)s and e.kind in ('receipt', 'return') and e.id = any(%(entries)s::bigint[])
    and not exists (select from purchase_invoice_receipt m where m.tenant_id = e.tenant_id and m.entry_id = e.id and m.ended_at is null)
returning (select amount_fen from supplier_entry x where x.tenant_id = %(tenant)s and x.id = entry_id) as amount_fen
"""
MATCH_INVOICE = """
update purchase_invoice set state = 'matched', difference_fen = %(difference)s, matched_by = %(staff)s, matched_at = %(at)s
where tenant_id = %(tenant)s and id = %(invoice)s
"""
VOID_INVOICE = """
update purchase_invoice set state = 'void', voided_by = %(staff)s, voided_at = %(at)s, void_reason = %(reason)s where tenant_id = %(tenant)s and id = %(invoice)s
"""
END_MATCH = """
update purchase_invoice_receipt set ended_at = %(at)s where tenant_id = %(tenant)s and invoice_id = %(invoice)s and ended_at is null
"""
KNOWN_PAYMENT = "select digest from supplier_payment where tenant_id = %(tenant)s and id = %(payment)s"
INSERT_PAYMENT = """
insert into supplier_payment (tenant_id, id, digest, supplier_id, facility_id, amount_fen, made_on, method, reference, note, staff_id, entered_at)
values (%(tenant)s, %(payment)s, %(digest)s, %(supplier)s, %(facility)s, %(amount)s, %(made_on)s, %(method)s, %(reference)s, %(note)s, %(staff)s, %(at)s)
"""
INVOICES_TO_PAY = """
select id, amount_fen from purchase_invoice
where tenant_id = %(tenant)s and supplier_id = %(supplier)s and state = 'matched' and id = any(%(invoices)s::uuid[]) order by id for update
"""
PAY_INVOICES = """
update purchase_invoice set state = 'paid', payment_id = %(payment)s where tenant_id = %(tenant)s and id = any(%(invoices)s::uuid[]) and state = 'matched'
"""
