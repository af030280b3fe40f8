"""The pages of deliveries: the list, unpacking, the supplier's file, the record and its print; closed to strangers."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.stock.purchasing import deliveries, queries
from app.facility.stock.purchasing.rules import OrderLine
from app.facility.stock.recalls import actions as recalls
from app.facility.stock.recalls.rules import Wanted
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.purchasing.conftest import value
from tests.factories.people import PASSWORD, post
from tests.factories.purchase import approved_product as make_approved
from tests.factories.purchase import make_delivery, make_order, row
from tests.factories.shop import desk_of, make_code, make_product, one
from tests.factories.supply import add_supplier
from tests.scanning import decode

HOME = "/stock/deliveries"
PART = {"HX-Request": "true"}
NAMES = ("product", "product_name", "codes", "noted", "approval", "maker", "lot", "produced_on", "expires_on", "arrived", "rejected", "cost", "zone", "reason", "kept", "origin")  # fmt: skip


def form(version, *rows, **head):
    """A delivery as its page sends it."""
    sent = {name: [str(each.get(name, "")) for each in rows] for name in NAMES}
    return sent | {"version": str(version), "note_number": "SH0001"} | head


def lot(product, packs=2, codes=(), **fields):
    return {"product": product, "product_name": "试药", "lot": "240301", "expires_on": "203005", "arrived": packs, "cost": "8.5", "codes": " ".join(codes)} | fields  # fmt: skip


def begin(client, supplier="", order=""):
    document = uuid4()
    assert post(client, HOME, {"document": str(document), "supplier": str(supplier), "order": str(order)}).status_code == 303  # fmt: skip
    return f"{HOME}/{document}", document


def keep(client, address, version, *rows, **head):
    return post(client, f"{address}/draft", form(version, *rows, **head), headers=PART)


def test_the_empty_list_says_what_it_is_for(clerk):
    assert "还没有到货" in text(clerk.get(HOME))
    assert "没有这样的到货" in text(clerk.get(f"{HOME}?state=accepted"))


def test_a_new_delivery_offers_who_may_deliver_and_says_why_others_may_not(clerk, at_work, supplier):
    add_supplier(at_work, name="甲未审批公司")
    order = make_order(at_work, supplier, OrderLine(make_approved(at_work), 3))

    page = text(clerk.get(f"{HOME}/new"))

    assert page.index("可以收货") < page.index("甲未审批公司")
    assert "还没有通过首营审批" in page
    assert queries.get_order(at_work.facility_id, order)[0].number in page
    assert "没有找到这家供应商" in text(clerk.get(f"{HOME}/new?q=没有"))


def test_a_delivery_from_an_order_waits_with_its_lines(clerk, at_work, supplier):
    product = make_approved(at_work, generic_name="板蓝根颗粒")
    order = make_order(at_work, supplier, OrderLine(product, 3, Decimal("8.5")))

    address, _ = begin(clerk, order=order)
    page = text(clerk.get(address))

    assert "板蓝根颗粒" in page
    assert 'name="arrived" value="3"' in page
    assert "没有差异" in page


def test_a_lot_that_is_being_recalled_is_told_while_it_is_unpacked_and_when_it_is_in(clerk, at_work, supplier):
    product = make_approved(at_work, generic_name="板蓝根颗粒")
    wanted = Wanted(product, ("240301",), 1, "有异物")
    number = recalls.issue_recall(desk_of(at_work, at_work.owner), uuid4(), wanted)
    address, _ = begin(clerk, supplier)

    said = f"板蓝根颗粒 240301 正在召回（{number} 有异物）：请拒收，或放待处理区，入库即冻结。"
    assert said in text(keep(clerk, address, 1, lot(product, 1)))
    assert said not in text(keep(clerk, address, 2, lot(product, 1, lot="240302")))
    refused = post(clerk, f"{address}/acceptances", form(3, lot(product, 1, [make_code()])))
    assert refused.status_code == 422
    assert "请放进待处理区，或拒收" in text(refused)
    put = form(4, lot(product, 1, [make_code()], zone="QUARANTINE"))
    assert post(clerk, f"{address}/acceptances", put).status_code == 303
    assert said in text(clerk.get(address))
    assert (
        value(at_work, "select hold from lot where tenant_id = %(t)s and product_id = %(p)s", p=product) == "recalled"
    )


def test_what_is_typed_is_kept_and_told_beside_the_order(clerk, at_work, supplier):
    product = make_approved(at_work)
    address, _ = begin(clerk, order=make_order(at_work, supplier, OrderLine(product, 3)))

    answer = keep(clerk, address, 1, lot(product, 2, rejected="1", reason="破损", noted="4"))

    assert answer.status_code == 200
    assert 'data-version="2"' in text(answer)
    for told in ("比采购单少 1", "比随货单少 2", "拒收 1"):
        assert told in text(answer)
    assert 'value="破损"' in text(clerk.get(address))
    assert 'data-version="2"' in text(clerk.get(f"{address}/check"))


def test_what_another_window_changed_is_told_and_not_overwritten(clerk, at_work, supplier):
    product = make_approved(at_work)
    address, _ = begin(clerk, supplier)
    keep(clerk, address, 1, lot(product, 2))

    late = keep(clerk, address, 1, lot(product, 9))
    accepted = post(clerk, f"{address}/acceptances", form(1, lot(product, 9)))

    assert late.status_code == accepted.status_code == 409
    assert "另一个窗口" in text(late)
    assert "另一个窗口" in text(accepted)
    assert 'name="arrived" value="9"' in text(accepted)
    assert 'name="arrived" value="2"' in text(clerk.get(address))


def test_a_new_line_says_at_once_what_the_gate_says(clerk, at_work, supplier):
    address, _ = begin(clerk, supplier)
    known, unknown = make_approved(at_work), make_product(at_work)

    assert "首营" not in text(clerk.get(f"{address}/lines/{known}"))
    assert "首营" in text(clerk.get(f"{address}/lines/{unknown}"))
    assert clerk.get(f"{address}/lines/999999999").status_code == 404


def test_an_unapproved_supplier_is_said_beside_the_lines(clerk, at_work):
    address, _ = begin(clerk, add_supplier(at_work))

    assert "还没有通过首营审批" in text(clerk.get(address))


def test_goods_are_accepted_from_the_page_once(clerk, at_work, supplier):
    product, codes = make_approved(at_work), [make_code(), make_code()]
    address, document = begin(clerk, supplier)
    sent = form(1, lot(product, 2, codes))

    answer = post(clerk, f"{address}/acceptances", sent)
    again = post(clerk, f"{address}/acceptances", sent)

    assert answer.status_code == again.status_code == 303
    page = text(clerk.get(address))
    assert "已验收入库" in page
    assert f"/stock/receipts/{document}" in page
    assert one(at_work, "select on_hand from lot_balance where tenant_id = %(t)s").on_hand == 48


def test_what_keeps_it_from_being_accepted_is_said_and_kept(clerk, at_work, supplier):
    address, _ = begin(clerk, supplier)

    refused = post(clerk, f"{address}/acceptances", form(1, lot(make_approved(at_work), 2, lot="", cost="9.9")))

    assert refused.status_code == 422
    assert "没有填批号" in text(refused)
    assert "rline bad" in text(refused)
    assert 'value="9.9"' in text(refused)
    assert 'name="version" value="2"' in text(refused)


def test_cold_goods_and_herbs_ask_for_what_they_need(clerk, at_work, supplier):
    cold, herb = make_approved(at_work, storage="COLD"), make_approved(at_work, rx_class="HERB", trace_required=False)
    address, _ = begin(clerk, supplier)
    plain = text(clerk.get(address))

    answer = text(keep(clerk, address, 1, lot(cold, 1), lot(herb, 1)))
    page = text(clerk.get(address))

    assert 'id="cold-part" hidden' in plain
    assert " data-cold" in answer
    assert 'id="cold-part">' in page
    assert page.count('<label class="wide2"><span class="label">产地') == 1


def test_a_special_drug_is_accepted_by_two(clerk, owner, at_work, supplier, monkeypatch):
    product = make_approved(at_work, special_class="PSYCHOTROPIC_2", rx_class="RX")
    monkeypatch.setattr(
        "app.facility.stock.suppliers.queries.why_not_buy", lambda *_: []
    )  # This wholesaler's scope is another matter.
    address, document = begin(clerk, supplier)
    sent = form(1, lot(product, 1, [make_code()], zone="CONTROLLED"))

    alone = post(clerk, f"{address}/acceptances", sent)
    myself = post(clerk, f"{address}/acceptances", sent | {"version": "2", "approver": "002", "approver_password": PASSWORD})  # fmt: skip
    both = post(clerk, f"{address}/acceptances", sent | {"version": "3", "approver": "003", "approver_password": PASSWORD})  # fmt: skip

    assert "第二位验收员" in text(alone)
    assert "不能自己复核自己" in text(myself)
    assert both.status_code == 303
    assert queries.get_delivery(at_work.facility_id, document).second == "赵药师"


def test_a_delivery_given_up_stays_in_the_list(clerk, supplier):
    address, _ = begin(clerk, supplier)

    assert post(clerk, f"{address}/abandonments").status_code == 303
    assert "已放弃" in text(clerk.get(f"{HOME}?state=abandoned"))
    assert "没有东西入库" in text(clerk.get(address))


def test_the_record_prints_with_codes_a_scanner_reads(clerk, desk, at_work, supplier):
    product = make_approved(at_work, generic_name="板蓝根颗粒", approval_number="国药准字Z12345678")
    order = make_order(at_work, supplier, OrderLine(product, 5))
    delivery, version = make_delivery(at_work, supplier, row(product, 4, rejected="1", reason="破损", kept=True), order=order)  # fmt: skip
    number = deliveries.accept_delivery(desk, delivery, version)

    page = text(clerk.get(f"{HOME}/{delivery}/print"))
    drawings = re.findall(r'<svg[^>]*class="(?:barcode|qr)".*?</svg>', page, re.DOTALL)

    assert [decode(svg) for svg in drawings] == [number, number]
    for told in ("板蓝根颗粒", "国药准字Z12345678", "240301", "SH0001", "比采购单少 1", "拒收 1：破损，留在不合格区", "王店长"):  # fmt: skip
        assert told in page


def test_a_delivery_of_which_all_was_rejected_has_a_record_too(clerk, desk, at_work, supplier):
    delivery, version = make_delivery(at_work, supplier, row(make_approved(at_work), 2, rejected="2", reason="破损"))
    assert deliveries.accept_delivery(desk, delivery, version) == ""

    assert clerk.get(f"{HOME}/{delivery}").status_code == 200
    assert f"D-{str(delivery)[:8].upper()}" in text(clerk.get(f"{HOME}/{delivery}/print"))


# ---- the supplier's file ---------------------------------------------------------------------------------------------

NOTE = "商品名称,规格,批号,有效期至,数量,单价\n板蓝根颗粒,,N1,2030-05,3,8.5\n板兰根,,N2,2030-05,1,8\n板蓝根颗粒,,N3,不知道,1,8\n"


def bring(client, address, content=NOTE.encode("gb18030")):
    sent = {"document": str(uuid4()), "file": (io.BytesIO(content), "随货单.csv")}
    answer = post(client, f"{address}/notes", sent, content_type="multipart/form-data")
    assert answer.status_code == 303, text(answer)
    note = answer.location
    columns = {f"column-{n}": name for n, name in enumerate(("name", "spec", "lot", "expires_on", "packs", "cost"))}
    assert 'value="expires_on" selected' in text(client.get(note))
    post(client, f"{note}/columns", columns)
    post(client, f"{note}/checks")
    return note


def test_a_supplier_s_note_comes_into_the_delivery_row_by_row(clerk, at_work, supplier):
    product = make_approved(at_work, generic_name="板蓝根颗粒")
    address, _ = begin(clerk, supplier)
    note = bring(clerk, address)

    page = text(clerk.get(note))
    assert "效期认不出" in page
    assert "待选药品" in page
    assert "是这个" in text(clerk.get(f"{note}?row=3&after=2&q=板蓝根"))
    post(clerk, f"{note}/rows/3/products", {"product": str(product)})
    assert post(clerk, f"{note}/takings").location.endswith(address)

    page = text(clerk.get(address))
    for told in ('value="N1"', 'value="N2"', 'name="arrived" value="3"', 'name="noted" value="3"'):
        assert told in page
    assert 'value="N3"' not in page
    assert "已带入" in text(clerk.get(note))


def test_columns_that_lack_something_are_asked_for(clerk, at_work, supplier):
    address, _ = begin(clerk, supplier)
    sent = {"document": str(uuid4()), "file": (io.BytesIO("甲,乙\n药,1\n".encode()), "a.csv")}
    note = post(clerk, f"{address}/notes", sent, content_type="multipart/form-data").location

    assert post(clerk, f"{note}/columns", {"column-0": "name"}).status_code == 422
    assert post(clerk, f"{address}/notes", {"document": str(uuid4())}).status_code == 422
    other, _ = begin(clerk, supplier)
    assert clerk.get(note.replace(address, other)).status_code == 404


# ---- codes -----------------------------------------------------------------------------------------------------------


def test_a_case_is_asked_for_once_and_known_from_then_on(clerk, at_work):
    product, case = make_approved(at_work), "8200002" + make_code()[7:]
    small = [make_code(), make_code()]

    learnt = post(clerk, "/stock/codes/cases", {"parent": case, "product": str(product), "children": "\n".join(small)})
    known = post(clerk, "/stock/codes/expand", {"code": case}).get_json()
    unknown = post(clerk, "/stock/codes/expand", {"code": case[:7] + make_code()[7:]}).get_json()

    assert learnt.get_json()["codes"] == small
    assert (sorted(known["codes"]), known["product"]) == (sorted(small), product)
    assert unknown["asks"]
    for wrong in ({"code": ""}, {"code": f"{case} {small[0]}"}):
        assert post(clerk, "/stock/codes/expand", wrong).status_code == 422
    assert post(clerk, "/stock/codes/cases", {"parent": case, "product": str(product)}).status_code == 422


# ---- lists, strangers, budgets ---------------------------------------------------------------------------------------


def test_deliveries_are_paged_and_filtered(clerk, at_work, supplier):
    for _ in range(51):
        make_delivery(at_work, supplier)

    page = text(clerk.get(f"{HOME}?state=draft&supplier={supplier}"))

    assert page.count('data-label="状态"') == 50
    assert text(clerk.get(next_page(page))).count('data-label="状态"') == 1
    assert "没有这样的到货" in text(clerk.get(f"{HOME}?state=accepted"))


def test_a_stranger_finds_no_delivery(stranger, clerk, desk, at_work, supplier):
    make_approved(at_work, generic_name="板蓝根颗粒")
    delivery, version = make_delivery(at_work, supplier, row(make_approved(at_work), 1))
    open_one, _ = begin(clerk, supplier)
    note = bring(clerk, open_one)
    deliveries.accept_delivery(desk, delivery, version)
    for address in (
        f"{HOME}/{delivery}",
        f"{HOME}/{delivery}/print",
        open_one,
        f"{open_one}/check",
        f"{open_one}/lines/1",
        note,
    ):
        assert stranger.get(address).status_code == 404, address
    assert "240301" not in text(stranger.get(HOME))


def test_a_stranger_changes_no_delivery(stranger, at_work, supplier):
    delivery, version = make_delivery(at_work, supplier, row(make_approved(at_work), 1))
    address = f"{HOME}/{delivery}"

    for act in ("draft", "acceptances", "notes/" + str(uuid4()) + "/takings"):
        assert post(stranger, f"{address}/{act}", {"version": str(version)}).status_code == 404, act
    assert post(stranger, f"{address}/abandonments").status_code == 409
    assert post(stranger, HOME, {"document": str(uuid4()), "supplier": str(supplier)}).status_code == 404
    assert value(at_work, "select version from delivery where tenant_id = %(t)s and id = %(d)s", d=delivery) == version


@pytest.mark.parametrize(("page", "most"), [("", 1), ("?state=draft", 1), ("/new", 3)])
def test_lists_take_few_statements(clerk, at_work, supplier, page, most):
    clerk.get(HOME + page)
    make_delivery(at_work, supplier)

    with statements() as ran:
        assert clerk.get(HOME + page).status_code == 200

    assert len([each for each in ran if "delivery" in each or "supplier" in each or "purchase_order" in each]) == most, ran  # fmt: skip


def test_unpacking_takes_few_statements_however_many_lines(clerk, at_work, supplier):
    products = [make_approved(at_work) for _ in range(3)]
    address, _ = begin(clerk, supplier)
    counts = []
    for version, rows in ((1, products[:1]), (2, products)):
        keep(clerk, address, version, *(lot(product, 1) for product in rows))
        with statements() as ran:
            clerk.get(address)
        counts.append(len(ran))

    assert counts[0] == counts[1], counts
