"""Invoices of sales: asked, issued, red, failed; a firm's data in the open, a private person's name sealed."""

from __future__ import annotations

from io import BytesIO
from uuid import uuid4

import pytest
from flask import g
from python_calamine import CalamineWorkbook

from app.core.errors import NotFound, Outage
from app.facility.counter import refunds
from app.facility.counter.refund_plans import Back
from app.facility.till.invoices import actions, providers, queries
from app.facility.till.invoices.errors import BuyerIncomplete, NothingToInvoice, NumberKnown, NumberWrong, WrongStep
from tests.facility.stock.conftest import next_page, text
from tests.factories.people import make_pharmacy, post
from tests.factories.shop import desk_of, make_goods, one, open_shift, sell

FIRM = actions.Buyer("firm", "阳光诊所有限公司", "91330200ma2xxxxx5k")
PERSON = actions.Buyer("person", "钱多多")


@pytest.fixture
def desk(at_work):
    desk = desk_of(at_work)
    open_shift(desk)
    return desk


@pytest.fixture
def sold(at_work, desk):
    goods = make_goods(at_work, 2)
    return sell(desk, *goods.codes)


def number():
    return f"{uuid4().int % 10**20:020d}"


def stands(pharmacy, sale):
    row = one(
        pharmacy, "select state from sale_invoice where tenant_id = %(t)s and sale_id = %(s)s order by id desc limit 1", s=sale
    )  # fmt: skip
    return row.state if row else "none"


def send(client, address, **form):
    for kept in ("csrf_token", "csrf_valid"):
        g.pop(kept, None)
    return post(client, address, form)


def test_an_invoice_goes_from_asked_to_issued_to_red_and_anew(at_work, desk, sold):
    actions.ask_invoice(desk, sold.sale_id, FIRM)
    assert stands(at_work, sold.sale_id) == "asked"
    actions.note_step(desk, sold.sale_id, "issued", number=number())
    with pytest.raises(WrongStep):
        actions.ask_invoice(desk, sold.sale_id, FIRM)
    actions.note_step(desk, sold.sale_id, "red", number=number(), note="退货")
    actions.ask_invoice(desk, sold.sale_id, PERSON)
    actions.note_step(desk, sold.sale_id, "failed", note="税控设备故障")
    actions.ask_invoice(desk, sold.sale_id, PERSON)

    _sale, steps = queries.get_invoice(desk, sold.sale_id)
    assert [step.state for step in steps] == ["asked", "failed", "asked", "red", "issued", "asked"]
    assert steps[-1].tax_number == "91330200MA2XXXXX5K"
    assert {step.amount_fen for step in steps} == {2500}


def test_a_private_persons_name_is_sealed_and_masked(at_work, desk, sold, clerk):
    actions.ask_invoice(desk, sold.sale_id, PERSON)

    row = one(at_work, "select * from sale_invoice where tenant_id = %(t)s and sale_id = %(s)s", s=sold.sale_id)
    assert row.title == ""
    assert "钱多多".encode() not in bytes(row.buyer_sealed)
    for address in ("/till/invoices", f"/till/invoices/{sold.sale_id}"):
        page = text(clerk.get(address))
        assert "钱*多" in page
        assert "钱多多" not in page


@pytest.mark.parametrize(
    "buyer",
    [actions.Buyer("firm", "公司"), actions.Buyer("firm", "", "91330200MA2XXXXX5K"), actions.Buyer("person", " "), actions.Buyer("person", "长" * 101),
     actions.Buyer("other", "张三"), actions.Buyer("person", "张\x00三"), actions.Buyer("firm", "公司", "短")],
)  # fmt: skip
def test_a_buyer_who_is_not_whole_is_refused(desk, sold, buyer):
    with pytest.raises(BuyerIncomplete):
        actions.ask_invoice(desk, sold.sale_id, buyer)


def test_a_number_is_read_and_stands_once(at_work, desk, sold):
    other, same = sell(desk, make_goods(at_work, 1).codes[0]), number()
    actions.ask_invoice(desk, sold.sale_id, FIRM)
    actions.ask_invoice(desk, other.sale_id, FIRM)
    with pytest.raises(NumberWrong):
        actions.note_step(desk, sold.sale_id, "issued", number="12 34")
    actions.note_step(desk, sold.sale_id, "issued", number=same)
    with pytest.raises(NumberKnown):
        actions.note_step(desk, other.sale_id, "issued", number=same)
    with pytest.raises(BuyerIncomplete):
        actions.note_step(desk, sold.sale_id, "red", number=number())


def test_what_came_back_is_not_invoiced(at_work, desk, sold):
    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "quarantine")], "quality")
    actions.ask_invoice(desk, sold.sale_id, FIRM)
    assert queries.get_invoice(desk, sold.sale_id)[1][0].amount_fen == 1250

    actions.note_step(desk, sold.sale_id, "failed", note="全部退货")
    refunds.refund_sale(desk, uuid4(), sold.sale_id, [Back(1, 1, "quarantine")], "quality")
    with pytest.raises(NothingToInvoice):
        actions.ask_invoice(desk, sold.sale_id, FIRM)


def test_another_provider_answers_in_its_own_time(at_work, desk, sold, monkeypatch):
    class Platform:
        name, word = "platform", "数电发票"
        reply = None

        def issue(self, order):
            assert (order.amount_fen, order.title) == (2500, FIRM.title)
            if self.reply is None:
                raise Outage("platform")
            return self.reply

    platform = Platform()
    providers.register(platform)
    monkeypatch.setattr(providers, "CHOSEN", "platform")

    actions.ask_invoice(desk, sold.sale_id, FIRM)
    assert stands(at_work, sold.sale_id) == "asked"  # It did not answer; nothing is lost.
    actions.note_step(desk, sold.sale_id, "failed", note="平台没有回答")
    platform.reply = providers.Reply("issued", number())
    actions.ask_invoice(desk, sold.sale_id, FIRM)
    assert stands(at_work, sold.sale_id) == "issued"


def test_the_clerk_asks_and_notes_the_number_on_one_page(at_work, sold, clerk):
    address, printed = f"/till/invoices/{sold.sale_id}", number()
    assert "申请开票" in text(clerk.get(address))
    assert "开发票" in text(clerk.get(f"/till/receipts/{sold.sale_id}"))

    wrong = send(clerk, f"{address}/steps", step="asked", kind="firm", title="公司", tax_number="x")
    assert wrong.status_code == 422
    assert "15 到 20 位" in text(wrong)
    assert 'value="公司"' in text(wrong)
    done = send(
        clerk,
        f"{address}/steps",
        step="asked",
        kind="firm",
        title=FIRM.title,
        tax_number=FIRM.tax_number,
        number=printed,
    )
    assert done.status_code == 303

    assert printed in text(clerk.get(address))
    assert "已开票" in text(clerk.get(f"/till/receipts/{sold.sale_id}"))
    assert send(clerk, f"{address}/steps", step="issued", number=number()).status_code == 409
    assert send(clerk, f"{address}/steps", step="nonsense").status_code == 404


def test_the_list_shows_each_sale_where_it_stands(at_work, desk, clerk, monkeypatch):
    monkeypatch.setattr(queries, "PAGE", 2)
    sales = [sell(desk, make_goods(at_work, 1).codes[0]) for _ in range(4)]
    for sale in sales[:3]:
        actions.ask_invoice(desk, sale.sale_id, FIRM)
    actions.note_step(desk, sales[0].sale_id, "issued", number=number())

    first = text(clerk.get("/till/invoices"))
    second = text(clerk.get(next_page(first)))
    assert [sale.receipt in first for sale in sales] == [True, False, True, False]  # By the last step, newest first.
    assert [sale.receipt in second for sale in sales] == [False, True, False, False]
    for state, there in (("issued", [0]), ("asked", [1, 2]), ("none", [3]), ("red", [])):
        page = text(clerk.get(f"/till/invoices?state={state}"))
        assert [place for place, sale in enumerate(sales) if sale.receipt in page] == there
    rows = CalamineWorkbook.from_filelike(BytesIO(clerk.get("/till/invoices/excel?state=all").data)).get_sheet_by_index(0).to_python()  # fmt: skip
    assert rows[0][0] == "单号"
    assert len(rows) == 4


@pytest.mark.parametrize("query", ["state=x", "before=x", "before=99999999999999999999", "from=x&to=9999-01-01", "state=none&before=2026_x", "from=2026-02-01&to=2026-01-01"])  # fmt: skip
def test_nonsense_in_the_address_breaks_nothing(clerk, query):
    assert clerk.get(f"/till/invoices?{query}").status_code == 200
    assert clerk.get(f"/till/invoices/excel?{query}").status_code == 200


def test_a_stranger_sees_no_invoice(facility_app, sold, stranger):
    assert stranger.get(f"/till/invoices/{sold.sale_id}").status_code == 404
    assert (
        send(stranger, f"/till/invoices/{sold.sale_id}/steps", step="asked", kind="person", title="张三").status_code
        == 404
    )
    other = make_pharmacy(facility_app, name="四号药店")
    with other.acting(), pytest.raises(NotFound):
        queries.get_invoice(desk_of(other), sold.sale_id)
