"""A shift on screen: opened with a float, money moved with a reason, counted before the difference is shown; refunds seen to their end."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from app.core.hot import statements
from app.facility.counter import refunds, settling
from tests.facility.stock.conftest import text
from tests.factories.people import post
from tests.factories.shop import desk_of, fill_basket, make_goods, one, open_shift, sell

CLOSING = "/till/shifts/current/closing"


@pytest.fixture
def shift(at_work):
    return open_shift(desk_of(at_work), 20_000)


def open_shifts(pharmacy):
    return one(pharmacy, "select count(*) as n from shift where tenant_id = %(t)s and closed_at is null").n


def test_counter_without_a_shift_asks_for_the_float(clerk):
    page = text(clerk.get("/counter"))

    assert "开班后开始收银" in page
    assert 'name="float"' in page


def test_shift_opens_once(clerk, at_work):
    form = {"document": str(uuid4()), "float": "200"}

    assert [post(clerk, "/till/shifts", form).status_code for _ in range(2)] == [303, 303]
    assert open_shifts(at_work) == 1
    assert post(clerk, "/till/shifts", {"document": str(uuid4()), "float": "1"}).status_code == 409


@pytest.mark.parametrize(
    ("document", "amount"),
    [("", "200"), ("x", "200"), (None, "-1"), (None, "a"), (None, ""), (None, "1.234"), (None, "9" * 30)],
)
def test_odd_floats_are_refused(clerk, at_work, document, amount):
    answer = post(clerk, "/till/shifts", {"document": str(uuid4()) if document is None else document, "float": amount})

    assert answer.status_code == 422
    assert open_shifts(at_work) == 0


def test_closing_without_a_shift_says_so(clerk):
    assert clerk.get(CLOSING).status_code == 409
    assert "没有开着的班次" in text(clerk.get(CLOSING))
    assert post(clerk, CLOSING, {"counted": "1"}).status_code == 409


def test_closing_counts_before_it_tells(clerk, at_work, shift):
    goods = make_goods(at_work, 2)
    sell(desk_of(at_work), goods.codes[0])
    with statements() as ran:
        page = text(clerk.get(CLOSING))

    assert "212.50" not in page
    assert len([one for one in ran if "from tender" in one]) == 2  # The totals, and each way of paying.

    page = text(post(clerk, CLOSING, {"counted": "212.50"}))
    assert "账实相符" in page
    assert open_shifts(at_work) == 1

    assert post(clerk, CLOSING, {"counted": "212.50", "confirm": "1"}).status_code == 303
    assert open_shifts(at_work) == 0


def test_difference_must_be_explained_and_is_kept(clerk, at_work, shift):
    page = text(post(clerk, CLOSING, {"counted": "195"}))
    assert "少 5.00 元" in page

    refused = post(clerk, CLOSING, {"counted": "195", "confirm": "1", "reason": " "})
    assert refused.status_code == 422
    assert "请写明原因" in text(refused)
    assert 'value="195.00"' in text(refused)

    assert post(clerk, CLOSING, {"counted": "195", "confirm": "1", "reason": "少找 5 元"}).status_code == 303
    row = one(at_work, "select counted_fen, expected_fen, difference_reason from shift where tenant_id = %(t)s")
    assert (row.counted_fen, row.expected_fen, row.difference_reason) == (19_500, 20_000, "少找 5 元")


@pytest.mark.parametrize("counted", ["", "很多", "-5", "1.234", "9" * 30])
def test_odd_counts_are_refused_and_kept(clerk, at_work, shift, counted):
    answer = post(clerk, CLOSING, {"counted": counted})

    assert answer.status_code == 422
    assert f'value="{counted[:20]}"' in text(answer)
    assert "先数抽屉里的现金" in text(answer)
    assert open_shifts(at_work) == 1


def test_drawer_movements_are_shown_and_count(clerk, at_work, shift):
    form = {"document": str(uuid4()), "direction": "out", "amount": "50", "reason": "送存银行"}

    assert [post(clerk, "/till/drawer-movements", form).status_code for _ in range(2)] == [303, 303]
    page = text(clerk.get(CLOSING))
    assert page.count("送存银行") == 1 + page.count("如：送存银行")
    assert "账实相符" in text(post(clerk, CLOSING, {"counted": "150"}))


@pytest.mark.parametrize("changes", [{"amount": "0"}, {"amount": ""}, {"reason": " "}, {"document": ""}])
def test_odd_drawer_movements_are_refused(clerk, at_work, shift, changes):
    form = {"document": str(uuid4()), "direction": "in", "amount": "50", "reason": "换零钱", **changes}

    assert post(clerk, "/till/drawer-movements", form).status_code == 422
    assert "没有另外放入或取出现金" in text(clerk.get(CLOSING))


def test_looking_at_a_receipt_is_no_print_and_each_print_is_counted(clerk, at_work, shift):
    sold = sell(desk_of(at_work), make_goods(at_work, 1).codes[0])
    here = f"/till/receipts/{sold.sale_id}"

    for _ in range(2):
        looked = text(clerk.get(f"{here}?auto=1"))
        assert "data-print-now" not in looked
        assert "补打" not in looked
    assert prints_of(at_work, sold) == 0
    first, second = text(post(clerk, f"{here}/prints")), text(post(clerk, f"{here}/prints?size=a5"))

    assert "data-print-now" in first
    assert "补打 1" not in first
    assert "补打 1" in second
    assert prints_of(at_work, sold) == 2
    assert "补打 1" in text(clerk.get(here))


def prints_of(pharmacy, sold):
    statement = "select count(*) as n from receipt_print where tenant_id = %(t)s and document_id = %(s)s"
    return one(pharmacy, statement, s=sold.sale_id).n


def test_stranger_has_a_drawer_of_their_own(stranger, at_work, shift):
    goods = make_goods(at_work, 1)
    sold = sell(desk_of(at_work), goods.codes[0])

    assert stranger.get(CLOSING).status_code == 409
    assert stranger.get(f"/till/receipts/{sold.sale_id}").status_code == 404
    assert post(stranger, f"/till/receipts/{sold.sale_id}/prints").status_code == 404
    assert sold.receipt not in text(stranger.get("/counter/refunds/new"))
    assert "没有找到这张单" in text(stranger.get(f"/counter/refunds/new?receipt={sold.receipt}"))


# ---- refunds ---------------------------------------------------------------------------------------------------------


def test_refund_begins_with_the_last_sales(clerk, at_work, shift):
    assert "找到原单" in text(clerk.get("/counter/refunds/new"))
    goods = make_goods(at_work, 1)
    sold = sell(desk_of(at_work), goods.codes[0])

    page = text(clerk.get("/counter/refunds/new"))

    assert f'href="/counter/refunds/new?receipt={sold.receipt}"' in page
    assert goods.name in text(clerk.get(f"/counter/refunds/new?receipt={sold.receipt}"))


def test_refund_says_where_it_stands(clerk, stranger, at_work, shift):
    goods = make_goods(at_work, 1)
    sold = sell(desk_of(at_work), goods.codes[0])
    form = {"document": str(uuid4()), "reason": "quality", "quantity-1": "1", "goods-1": "quarantine"}

    answer = post(clerk, f"/counter/sales/{sold.sale_id}/refunds", form)

    page = text(clerk.get(answer.location))
    assert "退顾客现金 12.50 元" in page
    assert "质量问题" in page
    assert "hx-trigger" not in page
    assert stranger.get(answer.location).status_code == 404


@pytest.mark.parametrize(
    ("state", "said"), [("asked", "正在与中心核对"), ("reversed_unsettled", "原单已撤销，正在重新结算")]
)
def test_refund_that_waits_asks_by_itself(facility_app, clerk, at_work, shift, monkeypatch, state, said):
    from app.facility.counter import queries

    goods = make_goods(at_work, 1)
    sold = sell(desk_of(at_work), goods.codes[0])
    made = uuid4()
    refunds.refund_sale(desk_of(at_work), made, UUID(str(sold.sale_id)), [refunds.Back(1, 1, "quarantine")], "quality")
    real = queries.get_refund
    monkeypatch.setattr(
        queries, "get_refund", lambda desk, key: real(desk, key) | {"state": state, "refunded_at": None, "tenders": []}
    )

    page = text(clerk.get(f"/counter/refunds/{made}"))

    assert said in page
    assert f'hx-get="/counter/refunds/{made}" hx-trigger="every 2s"' in page


def test_pages_speak_english(clerk, at_work, shift):
    goods = make_goods(at_work, 2)
    sold = sell(desk_of(at_work), goods.codes[0])
    clerk.set_cookie("lang", "en")
    refund = post(
        clerk,
        f"/counter/sales/{sold.sale_id}/refunds",
        {"document": str(uuid4()), "reason": "quality", "quantity-1": "1", "goods-1": "kept"},
    )

    for path in (
        "/counter",
        CLOSING,
        "/counter/refunds/new",
        f"/counter/refunds/new?receipt={sold.receipt}",
        refund.location,
    ):
        page = text(clerk.get(path))
        for chinese in ("收银</", "退货", "交班", "抽屉", "退款"):
            assert chinese not in page


def test_refusal_of_the_center_brings_the_counter_back_and_says_why(clerk, at_work, shift, monkeypatch):
    goods = make_goods(at_work, 1)
    basket, version = fill_basket(desk_of(at_work), goods.codes[0])
    refused = settling.Outcome("refused", basket, "", message="账户已冻结。")
    monkeypatch.setattr(settling, "settle_basket", lambda *_args, **_facts: refused)

    page = text(
        post(clerk, f"/counter/baskets/{basket}/settlement", {"version": str(version)}, headers={"HX-Request": "true"})
    )

    assert "医保中心没有受理：账户已冻结。没有扣款" in page
    assert page.count('hx-swap-oob="true"') == 2  # The counter and the notice.
    assert goods.name in page
