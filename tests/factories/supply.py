"""Suppliers and approvals for tests: made by the owner, approved by the pharmacist."""

from __future__ import annotations

import itertools
from datetime import timedelta
from uuid import uuid4

from app.core import clock, tenancy
from app.facility.db import transaction
from app.facility.stock.suppliers import actions, approvals, payables, rules
from app.facility.stock.suppliers.actions import Owner, PaperDraft, SupplierDraft
from app.facility.stock.suppliers.payables import InvoiceDraft, PaymentDraft
from tests.factories.shop import desk_of, one

_turn = itertools.count(1)
_houses: dict[
    str, int
] = {}  # Code -> the supplier it always buys from. Tenants' numbers repeat from database to database.


def credit_code(number: int | None = None) -> str:
    """A social credit code that checks, and that no other test has."""
    body = f"91330212MA{number or next(_turn):07d}"
    return next(body + last for last in rules._CREDIT if rules.is_credit_code(body + last))


def add_supplier(pharmacy, **fields) -> int:
    """A supplier's file alone: no papers, not approved."""
    draft = {"name": f"试药医药公司{next(_turn)}", "credit_code": credit_code()} | fields
    with tenancy.as_tenant(pharmacy.tenant_id):
        return actions.add_supplier(desk_of(pharmacy, pharmacy.owner), uuid4(), SupplierDraft(**draft))


def add_paper(pharmacy, owner: Owner, kind="BUSINESS", *, lasts=400, replaces=None, **fields):
    """A paper valid since last year and for `lasts` days more (None: for good); returns its id."""
    today, paper = clock.business_date(), uuid4()
    until = None if lasts is None else today + timedelta(days=lasts)
    draft = {"kind": kind, "number": f"浙{next(_turn):06d}", "valid_from": today - timedelta(days=365), "valid_until": until} | fields  # fmt: skip
    with tenancy.as_tenant(pharmacy.tenant_id):
        actions.add_paper(desk_of(pharmacy, pharmacy.owner), paper, owner, PaperDraft(**draft), replaces)
    return paper


def make_supplier(pharmacy, **fields) -> int:
    """An approved supplier with the papers a drug wholesaler needs."""
    supplier = add_supplier(pharmacy, **fields)
    add_paper(pharmacy, Owner("supplier", supplier), "BUSINESS", lasts=None)
    for kind in ("DRUG_TRADE", "QUALITY"):
        add_paper(pharmacy, Owner("supplier", supplier), kind)
    approve_supplier(pharmacy, supplier)
    return supplier


def house_supplier(pharmacy) -> int:
    """The supplier a pharmacy always buys from; made the first time."""
    if pharmacy.code not in _houses:
        _houses[pharmacy.code] = make_supplier(pharmacy, name="试药批发公司")
    return _houses[pharmacy.code]


def approve_supplier(pharmacy, supplier_id) -> None:
    """Asked by the owner, approved by the pharmacist."""
    request = uuid4()
    with tenancy.as_tenant(pharmacy.tenant_id):
        approvals.ask_supplier(desk_of(pharmacy, pharmacy.owner), request, supplier_id)
        approvals.decide(desk_of(pharmacy, pharmacy.pharmacist), request, approved=True)


def approve_products(pharmacy, *product_ids: int) -> None:
    """Asked by the owner, approved by the pharmacist, all at once; those approved already are left alone."""
    known = "select 1 as n from product_approval where tenant_id = %(t)s and product_id = %(p)s"
    product_ids = tuple(product for product in product_ids if one(pharmacy, known, p=product) is None)
    if not product_ids:
        return
    request = uuid4()
    with tenancy.as_tenant(pharmacy.tenant_id):
        approvals.ask_products(desk_of(pharmacy, pharmacy.owner), request, product_ids)
        approvals.decide(desk_of(pharmacy, pharmacy.pharmacist), request, approved=True)


def owe(pharmacy, supplier_id: int, amount_fen: int, kind: str = "receipt", number: str = "R1") -> int:
    """A line of the supplier's account, as receiving writes it; returns its id."""
    document = uuid4()
    with transaction(settings=pharmacy.scope) as hot:
        actions.note_owed(
            hot, desk_of(pharmacy, pharmacy.owner), supplier_id, document, kind, amount_fen, clock.now(), number
        )
    return one(pharmacy, "select id from supplier_entry where tenant_id = %(t)s and document_id = %(d)s", d=document).id


def note_invoice(pharmacy, supplier_id: int, amount_fen: int, **fields):
    """An invoice of today; returns its id."""
    invoice = uuid4()
    draft = {"number": f"{next(_turn):08d}", "issued_on": clock.business_date(), "amount_fen": amount_fen} | fields
    with tenancy.as_tenant(pharmacy.tenant_id):
        payables.note_invoice(desk_of(pharmacy, pharmacy.owner), invoice, InvoiceDraft(supplier_id, **draft))
    return invoice


def fill_supply(pharmacy, product_id: int) -> tuple[dict, list]:
    """Let everything happen once around one supplier; returns what addresses are made of, and unique texts."""
    desk, name = desk_of(pharmacy, pharmacy.owner), f"医药{uuid4().hex[:8]}"
    supplier = make_supplier(pharmacy, name=name, contact="顾联系", phone="13805741234", account="6222020200112233")
    paper = add_paper(pharmacy, Owner("supplier", supplier), "SALESPERSON", number=f"SQ{uuid4().hex[:8]}", lasts=20)
    approve_products(pharmacy, product_id)
    request = uuid4()
    approvals.ask_products(desk, request, [product_id], recheck=True, note=f"复审{request.hex[:8]}")
    paid, open_one = note_invoice(pharmacy, supplier, 9_950), note_invoice(pharmacy, supplier, 4_000)
    payables.match_invoice(desk, paid, [owe(pharmacy, supplier, 10_000)], "尾差", pharmacy.pharmacist)
    today = clock.business_date()
    payables.pay_supplier(desk, uuid4(), PaymentDraft(supplier, 9_950, today, reference="HX1", invoice_ids=(paid,)))
    owe(pharmacy, supplier, 4_100)
    ids = {"supplier_id": supplier, "licence_id": paper, "request_id": request, "invoice_id": open_one}
    return ids, [name, request.hex[:8]]
