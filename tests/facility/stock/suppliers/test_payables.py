"""What we owe: the balance is always the sum of its lines, whatever happens."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core import clock, tenancy
from app.core.errors import DocumentChanged, NotFound, Outage, Refusal
from app.facility.organizations import actions as organizations
from app.facility.stock.suppliers import invoice_check, payables
from app.facility.stock.suppliers.errors import (
    InvoiceIncomplete,
    InvoiceKnown,
    InvoiceNotOpen,
    MatchIncomplete,
    PaymentIncomplete,
)
from app.facility.stock.suppliers.payables import InvoiceDraft, PaymentDraft
from tests.factories.people import make_pharmacy
from tests.factories.shop import desk_of, one
from tests.factories.supply import add_supplier, make_supplier, note_invoice, owe


@pytest.fixture
def desk(at_work):
    return desk_of(at_work, at_work.owner)


@pytest.fixture
def supplier(at_work):
    return make_supplier(at_work)


def balance(pharmacy, supplier) -> int:
    """What we owe, held against the lines."""
    row = one(
        pharmacy,
        """
        select coalesce(max(a.balance_fen), 0) as balance, coalesce(max(a.entry_count), 0) as many, coalesce(sum(e.amount_fen), 0)::bigint as total, count(e.id) as lines,
            coalesce((array_agg(e.balance_fen order by e.id desc))[1], 0) as last
        from supplier_entry e full join supplier_account a on a.tenant_id = e.tenant_id and a.supplier_id = e.supplier_id
        where coalesce(e.tenant_id, a.tenant_id) = %(t)s and coalesce(e.supplier_id, a.supplier_id) = %(s)s
        """,
        s=supplier,
    )
    assert (row.balance, row.many) == (row.total, row.lines)
    assert row.last == row.balance
    return row.balance


def paid(supplier, amount, *invoices, **fields):
    return PaymentDraft(supplier, amount, clock.business_date(), invoice_ids=invoices, **fields)


def test_receipts_returns_and_payments_make_the_balance(at_work, desk, supplier):
    owe(at_work, supplier, 50_000)
    owe(at_work, supplier, -8_000, "return")
    payables.pay_supplier(desk, uuid4(), paid(supplier, 30_000))

    assert balance(at_work, supplier) == 12_000


def test_an_invoice_of_the_same_sum_is_matched_and_paid(at_work, desk, supplier):
    first, second = owe(at_work, supplier, 6_000), owe(at_work, supplier, 4_000)
    invoice = note_invoice(at_work, supplier, 10_000, tax_fen=1_150)

    assert payables.match_invoice(desk, invoice, [first, second]) == 0
    payables.pay_supplier(desk, uuid4(), paid(supplier, 10_000, invoice))

    assert balance(at_work, supplier) == 0
    assert one(at_work, "select state from purchase_invoice where tenant_id = %(t)s and id = %(i)s", i=invoice).state == "paid"  # fmt: skip


def test_a_difference_needs_a_reason_and_past_a_yuan_a_second_person(at_work, desk, supplier):
    small, large = owe(at_work, supplier, 10_000), owe(at_work, supplier, 10_000)
    invoice = note_invoice(at_work, supplier, 10_050)

    with pytest.raises(MatchIncomplete):
        payables.match_invoice(desk, invoice, [small])
    assert payables.match_invoice(desk, invoice, [small], "尾差") == 50
    other = note_invoice(at_work, supplier, 12_000)
    for approver in (None, at_work.owner):
        with pytest.raises(MatchIncomplete):
            payables.match_invoice(desk, other, [large], "加价", approver)
    payables.match_invoice(desk, other, [large], "加价", at_work.pharmacist)

    assert balance(at_work, supplier) == 22_050


def test_the_site_sets_what_it_takes_for_rounding(at_work, desk, supplier):
    tight, wide = owe(at_work, supplier, 10_000), owe(at_work, supplier, 10_000)
    organizations.set_parameter("invoice_difference_fen", "0", None, at_work.owner)

    with pytest.raises(MatchIncomplete) as refused:
        payables.match_invoice(desk, note_invoice(at_work, supplier, 10_001), [tight], "尾差")
    assert "超过 0.00 元" in refused.value.message

    organizations.set_parameter("invoice_difference_fen", "5", None, at_work.owner)
    assert payables.match_invoice(desk, note_invoice(at_work, supplier, 10_500), [wide], "尾差") == 500


def test_a_limit_set_for_a_day_to_come_does_not_hold_yet(at_work, desk, supplier):
    receipt = owe(at_work, supplier, 10_000)
    tomorrow = clock.business_date() + timedelta(days=1)
    organizations.set_parameter("invoice_difference_fen", "5", tomorrow, at_work.owner)

    with pytest.raises(MatchIncomplete):
        payables.match_invoice(desk, note_invoice(at_work, supplier, 10_500), [receipt], "尾差")


def test_a_red_invoice_stands_for_a_return(at_work, desk, supplier):
    back = owe(at_work, supplier, -3_000, "return")
    invoice = note_invoice(at_work, supplier, 3_000, red=True, tax_fen=90)

    assert payables.match_invoice(desk, invoice, [back]) == 0


def test_a_receipt_stands_on_one_invoice_only(at_work, desk, supplier):
    receipt = owe(at_work, supplier, 5_000)
    payables.match_invoice(desk, note_invoice(at_work, supplier, 5_000), [receipt])

    with pytest.raises(MatchIncomplete):
        payables.match_invoice(desk, note_invoice(at_work, supplier, 5_000), [receipt])


def test_another_suppliers_receipt_is_not_taken(at_work, desk, supplier):
    receipt = owe(at_work, add_supplier(at_work), 5_000)

    with pytest.raises(MatchIncomplete):
        payables.match_invoice(desk, note_invoice(at_work, supplier, 5_000), [receipt])


def test_a_voided_invoice_gives_its_receipts_and_its_difference_back(at_work, desk, supplier):
    receipt = owe(at_work, supplier, 5_000)
    invoice = note_invoice(at_work, supplier, 5_080)
    payables.match_invoice(desk, invoice, [receipt], "尾差")

    payables.void_invoice(desk, invoice, "开错了")

    assert balance(at_work, supplier) == 5_000
    payables.match_invoice(desk, note_invoice(at_work, supplier, 5_000), [receipt])
    with pytest.raises(InvoiceNotOpen):
        payables.void_invoice(desk, invoice, "再来一次")


def test_a_paid_invoice_cannot_be_voided_and_not_paid_twice(at_work, desk, supplier):
    invoice = note_invoice(at_work, supplier, 5_000)
    payables.match_invoice(desk, invoice, [owe(at_work, supplier, 5_000)])
    payables.pay_supplier(desk, uuid4(), paid(supplier, 5_000, invoice))

    with pytest.raises(InvoiceNotOpen) as refused:
        payables.void_invoice(desk, invoice, "不要了")
    with pytest.raises(PaymentIncomplete):
        payables.pay_supplier(desk, uuid4(), paid(supplier, 5_000, invoice))

    assert "已付款" in refused.value.message


def test_a_payment_for_invoices_is_their_sum(at_work, desk, supplier):
    invoice = note_invoice(at_work, supplier, 5_000)
    payables.match_invoice(desk, invoice, [owe(at_work, supplier, 5_000)])

    with pytest.raises(PaymentIncomplete) as refused:
        payables.pay_supplier(desk, uuid4(), paid(supplier, 4_999, invoice))

    assert "50.00" in refused.value.message


def test_the_same_number_of_the_same_supplier_is_noted_once(at_work, desk, supplier):
    note_invoice(at_work, supplier, 5_000, number="12345678")

    with pytest.raises(InvoiceKnown):
        note_invoice(at_work, supplier, 5_000, number="12345678")
    note_invoice(at_work, add_supplier(at_work), 5_000, number="12345678")


def test_sent_again_nothing_is_done_twice(at_work, desk, supplier):
    invoice, payment, document, today = uuid4(), uuid4(), uuid4(), clock.business_date()
    for _ in range(2):
        payables.note_invoice(desk, invoice, InvoiceDraft(supplier, "87654321", today, 100))
        payables.pay_supplier(desk, payment, paid(supplier, 500))
        payables.adjust_account(desk, document, supplier, 2_000, "期初余额", at_work.pharmacist)

    assert balance(at_work, supplier) == 1_500
    for again in (
        lambda: payables.note_invoice(desk, invoice, InvoiceDraft(supplier, "87654321", today, 101)),
        lambda: payables.pay_supplier(desk, payment, paid(supplier, 501)),
        lambda: payables.adjust_account(desk, document, supplier, 2_001, "期初余额", at_work.pharmacist),
    ):
        with pytest.raises(DocumentChanged):
            again()


def test_a_double_press_pays_an_invoice_once_and_says_so_twice(facility_app, at_work, desk, supplier):
    invoice = note_invoice(at_work, supplier, 1_000)
    payables.match_invoice(desk, invoice, [owe(at_work, supplier, 1_000)])
    payment = uuid4()
    gate = threading.Barrier(4)

    def press():
        with facility_app.app_context(), tenancy.as_tenant(at_work.tenant_id):
            gate.wait(20)
            payables.pay_supplier(desk, payment, paid(supplier, 1_000, invoice))

    with ThreadPoolExecutor(4) as pool:
        for pressed in [pool.submit(press) for _ in range(4)]:
            pressed.result()  # Nobody is told that it was not booked.

    assert balance(at_work, supplier) == 0


@pytest.mark.parametrize("approver", [None, "owner"])
def test_an_adjustment_needs_another_person(at_work, desk, supplier, approver):
    with pytest.raises(PaymentIncomplete):
        payables.adjust_account(desk, uuid4(), supplier, 100, "期初", approver and at_work.owner)


@pytest.mark.parametrize(
    "wrong",
    [{"number": "12"}, {"number": "发票号码"}, {"amount_fen": 0}, {"amount_fen": 10**15}, {"tax_fen": 6_000}, {"tax_fen": -1}, {"days": 1}, {"days": -4000}],
)  # fmt: skip
def test_an_invoice_that_cannot_be_is_not_noted(at_work, supplier, wrong):
    fields = dict(wrong)
    if "days" in fields:
        fields["issued_on"] = clock.business_date() + timedelta(days=fields.pop("days"))
    with pytest.raises(InvoiceIncomplete):
        note_invoice(at_work, supplier, fields.pop("amount_fen", 5_000), **fields)


def test_a_strangers_supplier_is_not_there(facility_app, at_work, desk):
    theirs = make_supplier(make_pharmacy(facility_app, name="三号药店"))

    with pytest.raises(NotFound):
        note_invoice(at_work, theirs, 100)
    with pytest.raises(NotFound):
        payables.pay_supplier(desk, uuid4(), paid(theirs, 100))
    with pytest.raises(NotFound):
        payables.adjust_account(desk, uuid4(), theirs, 100, "期初", at_work.pharmacist)
    with pytest.raises(NotFound):
        owe(at_work, theirs, 100)


def test_without_a_provider_an_invoice_is_noted_as_not_verified(at_work, supplier):
    invoice = note_invoice(at_work, supplier, 100)

    row = one(at_work, "select check_provider, check_result from purchase_invoice where tenant_id = %(t)s and id = %(i)s", i=invoice)  # fmt: skip
    assert tuple(row) == ("none", "unchecked")


def test_a_provider_is_asked_and_its_silence_is_borne(at_work, supplier, monkeypatch):
    monkeypatch.setattr(invoice_check, "_providers", dict(invoice_check._providers))
    told = []
    invoice_check.register("tax", lambda facts: told.append(facts) or "valid")
    first = note_invoice(at_work, supplier, 100, red=True)

    def silent(_facts):
        raise Outage("no answer")

    invoice_check.register("slow", silent)
    second = note_invoice(at_work, supplier, 100)

    said = {i: one(at_work, "select check_result as r from purchase_invoice where tenant_id = %(t)s and id = %(i)s", i=i).r for i in (first, second)}  # fmt: skip
    assert told[0].amount_fen == -100
    assert list(said.values()) == ["valid", "unchecked"]


acts = st.lists(
    st.tuples(st.sampled_from(["receipt", "return", "pay", "adjust", "invoice", "void"]), st.integers(1, 5_000)), max_size=12
)  # fmt: skip


@settings(max_examples=12, deadline=None, derandomize=True, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(acts)
def test_whatever_happens_the_balance_is_the_sum_of_its_lines(at_work, desk, todo):
    supplier, open_entries, invoices, expected = add_supplier(at_work), [], {}, 0
    for act, fen in todo:
        try:
            if act in {"receipt", "return"}:
                amount = fen if act == "receipt" else -fen
                open_entries.append((owe(at_work, supplier, amount, act), amount))
                expected += amount
            elif act == "pay":
                payables.pay_supplier(desk, uuid4(), paid(supplier, fen))
                expected -= fen
            elif act == "adjust":
                payables.adjust_account(desk, uuid4(), supplier, -fen, "调整", at_work.pharmacist)
                expected -= fen
            elif act == "invoice" and open_entries:
                invoice, (entry, amount) = note_invoice(at_work, supplier, fen), open_entries[-1]
                invoices[invoice] = payables.match_invoice(desk, invoice, [entry], "差额", at_work.pharmacist)
                open_entries.pop()
                expected += fen - amount
            elif act == "void" and invoices:
                invoice, difference = invoices.popitem()
                payables.void_invoice(desk, invoice, "作废")
                expected -= difference
        except Refusal:
            pass
        assert balance(at_work, supplier) == expected
