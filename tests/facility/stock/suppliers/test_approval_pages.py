"""First approval at its pages: a second person decides, hundreds at once, and a refusal says why."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.stock.suppliers import approvals
from app.facility.stock.suppliers.actions import Owner
from app.facility.stock.suppliers.errors import AlreadyDecided, NothingToAsk, OwnRequest, PapersMissing
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.suppliers.conftest import sent
from tests.factories.people import add_person, make_pharmacy, post
from tests.factories.shop import desk_of, make_product, one
from tests.factories.supply import add_paper, add_supplier, approve_products, make_supplier

NEW = "/stock/approvals/new"


def approved(pharmacy) -> int:
    return one(pharmacy, "select count(*) as n from product_approval where tenant_id = %(t)s and state = 'approved'").n


def request_of(pharmacy):
    return one(pharmacy, "select id from approval_request where tenant_id = %(t)s order by asked_at desc limit 1").id


def test_a_thousand_products_are_approved_in_one_act_by_another_person(clerk, pharmacist, pharmacy, at_work):
    for number in range(60):
        make_product(at_work, code=f"OLD{number:03d}")
    with clock.at_moment(clock.now() + timedelta(days=366)):  # What is in the catalog now came before that day.
        desk, request = desk_of(at_work, at_work.clerk), uuid4()
        asked = approvals.ask_products(desk, request, came_before=clock.now())
    assert asked == 60
    page = text(pharmacist.get(f"/stock/approvals/{request}"))
    assert "全部 60 项" in page
    with statements() as ran:
        answer = post(pharmacist, f"/stock/approvals/{request}/decisions", {"decision": "approve", "reach": "all"})

    assert answer.status_code == 303
    assert approved(pharmacy) == 60
    assert len([each for each in ran if "approval" in each and "insert" in each]) == 1
    assert "没有等待审批的" in text(clerk.get("/stock/approvals"))


def test_what_came_into_the_catalog_today_is_not_all_before_today(clerk, at_work):
    make_product(at_work)

    answer = post(clerk, NEW, sent(reach="all"))

    assert answer.status_code == 409
    assert "没有可以送审的" in text(answer)


def test_nothing_ticked_says_so_where_it_is_ticked(clerk, at_work):
    make_product(at_work, generic_name="好药")
    answer = post(clerk, NEW, sent(product=[]))
    assert answer.status_code == 422
    assert "请先勾选要送审的商品" in text(answer)
    assert 'name="product"' in answer.text


def test_ticked_products_are_asked_for_and_some_sent_back(clerk, pharmacist, owner, pharmacy, at_work):
    good, bad = make_product(at_work, generic_name="好药"), make_product(at_work, generic_name="坏药")
    assert "好药" in text(clerk.get(f"{NEW}?q=hy"))
    assert post(clerk, NEW, sent(product=[str(good), str(bad)], note="新品")).status_code == 303
    request = request_of(pharmacy)
    lines = {row: one(pharmacy, "select id from approval where tenant_id = %(t)s and product_id = %(p)s", p=row).id for row in (good, bad)}  # fmt: skip
    address = f"/stock/approvals/{request}/decisions"

    answer = post(pharmacist, address, {"decision": "refuse", "line": str(lines[bad])})
    assert answer.status_code == 422
    assert 'name="reason"' in answer.text  # The form stands there again.
    post(pharmacist, address, {"decision": "refuse", "line": str(lines[bad]), "reason": "没有批准文号"})
    post(owner, address, {"decision": "approve", "reach": "all"})

    assert approved(pharmacy) == 1
    decided = text(clerk.get("/stock/approvals?state=decided"))
    assert "批准 1" in decided
    assert "退回 1" in decided
    page = text(clerk.get(f"/stock/approvals/{request}"))
    assert "没有批准文号" in page
    assert "坏药" in text(clerk.get(NEW))
    assert "好药" not in text(clerk.get(NEW))


def test_who_asked_does_not_see_the_buttons_and_may_not_decide(owner, pharmacy, at_work):
    post(owner, NEW, sent(product=[str(make_product(at_work))]))
    request = request_of(pharmacy)

    assert "这是您送审的" in text(owner.get(f"/stock/approvals/{request}"))
    answer = post(owner, f"/stock/approvals/{request}/decisions", {"decision": "approve", "reach": "all"})

    assert answer.status_code == 409
    assert "不能自己审批" in text(answer)
    assert approved(pharmacy) == 0


def test_a_clerk_may_ask_and_not_decide(clerk, pharmacist, pharmacy, at_work):
    post(pharmacist, NEW, sent(product=[str(make_product(at_work))]))
    request = request_of(pharmacy)

    assert clerk.get(f"/stock/approvals/{request}").status_code == 200
    assert post(clerk, f"/stock/approvals/{request}/decisions", {"decision": "approve", "reach": "all"}).status_code == 403  # fmt: skip


def test_a_supplier_is_asked_for_and_approved(clerk, pharmacist, pharmacy, at_work):
    supplier = add_supplier(at_work, name="新公司")
    for kind in ("BUSINESS", "QUALITY", "DRUG_TRADE"):
        add_paper(at_work, Owner("supplier", supplier), kind)
    assert "证照已齐" in text(clerk.get(f"/stock/suppliers/{supplier}"))

    post(clerk, f"/stock/suppliers/{supplier}/approvals", sent())
    assert "去审批" in text(pharmacist.get(f"/stock/suppliers/{supplier}"))
    assert "新公司" in text(pharmacist.get("/stock/approvals"))
    request = request_of(pharmacy)
    post(pharmacist, f"/stock/approvals/{request}/decisions", {"decision": "approve", "reach": "all"})

    row = one(pharmacy, "select state, review_due_on from supplier where tenant_id = %(t)s and id = %(s)s", s=supplier)
    assert row.state == "approved"
    assert (row.review_due_on - clock.business_date()).days == 365


def test_a_supplier_without_papers_cannot_be_approved(pharmacist, pharmacy, at_work):
    supplier, request = add_supplier(at_work, name="没证公司"), uuid4()
    approvals.ask_supplier(desk_of(at_work, at_work.owner), request, supplier)

    with pytest.raises(PapersMissing) as refused:
        approvals.decide(desk_of(at_work, at_work.pharmacist), request, approved=True)

    assert "缺少营业执照" in refused.value.message
    answer = post(pharmacist, f"/stock/approvals/{request}/decisions", {"decision": "refuse", "reason": "补齐再来", "reach": "all"})  # fmt: skip
    assert answer.status_code == 303


def test_who_judges_a_supplier_sees_its_papers_on_the_same_page(pharmacist, at_work):
    supplier, request = add_supplier(at_work, name="两证公司"), uuid4()
    approvals.ask_supplier(desk_of(at_work, at_work.owner), request, supplier)
    assert "证照不齐不能批准" in text(pharmacist.get(f"/stock/approvals/{request}"))

    add_paper(at_work, Owner("supplier", supplier), "DRUG_TRADE", number="浙AA5740123", lasts=20)
    page = text(pharmacist.get(f"/stock/approvals/{request}"))

    assert "药品经营许可证" in page
    assert "浙AA5740123" in page
    assert "还有 20 天" in page


def test_who_judges_products_sees_each_paper_with_its_days(pharmacist, at_work):
    papered, bare, request = make_product(at_work), make_product(at_work), uuid4()
    approvals.ask_products(desk_of(at_work, at_work.owner), request, [papered, bare])
    owner = Owner("product", papered)
    old = add_paper(at_work, owner, "REGISTRATION", number="2019S00001", lasts=5)
    paper = add_paper(at_work, owner, "REGISTRATION", number="2024S01234", lasts=12, replaces=old)
    add_paper(at_work, owner, "OTHER", number="SM-77", lasts=-3)
    for number in range(5):
        add_paper(at_work, owner, "INSPECTION", number=f"JY-{number}", lasts=None)

    with statements() as ran:
        page = text(pharmacist.get(f"/stock/approvals/{request}"))

    for said in ("药品注册批件", "2024S01234", "还有 12 天", "已过期 3 天", "共 7 份，看全部", "没有登记，去登记"):
        assert said in page
    assert f"/stock/licences/{paper}" in page
    assert "2019S00001" not in page, "a paper that was replaced is no reason to approve"
    assert page.index("SM-77") < page.index("2024S01234") < page.index("JY-"), "what stops buying stands first"
    assert page.count("检验报告") == 2, "reports of single lots do not push the others off the page"
    assert len([each for each in ran if "licence" in each]) == 2


def test_the_paper_a_supplier_lacks_stands_chosen(clerk, at_work):
    supplier = add_supplier(at_work)
    form = f"/stock/licences/new?owner=supplier&id={supplier}"
    assert '<option value="BUSINESS" selected>' in text(clerk.get(form))

    add_paper(at_work, Owner("supplier", supplier), "BUSINESS", lasts=None)

    assert '<option value="BUSINESS" selected>' not in text(clerk.get(form))
    assert " selected>" in text(clerk.get(form))


def test_asked_twice_it_waits_once(at_work):
    desk, product, request = desk_of(at_work, at_work.owner), make_product(at_work), uuid4()
    assert approvals.ask_products(desk, request, [product]) == 1
    assert approvals.ask_products(desk, request, [product]) == 0

    with pytest.raises(NothingToAsk):
        approvals.ask_products(desk, uuid4(), [product])
    approvals.decide(desk_of(at_work, at_work.pharmacist), request, approved=True)
    with pytest.raises(AlreadyDecided):
        approvals.decide(desk_of(at_work, at_work.pharmacist), request, approved=True)
    with pytest.raises(NothingToAsk):
        approvals.ask_products(desk, uuid4(), [product])


def test_a_re_check_is_asked_for_when_it_is_due(clerk, at_work):
    product = make_product(at_work, generic_name="老药")
    approve_products(at_work, product)
    supplier = make_supplier(at_work)
    assert "老药" not in text(clerk.get(f"{NEW}?kind=recheck"))

    later = clock.now() + timedelta(days=366)
    with clock.at_moment(later):
        desk = desk_of(at_work, at_work.owner)
        assert approvals.ask_products(desk, uuid4(), [product], recheck=True) == 1
        request = uuid4()
        approvals.ask_supplier(desk, request, supplier)
    kind = one(at_work, "select kind from approval_request where tenant_id = %(t)s and id = %(r)s", r=request).kind
    assert kind == "recheck"


def test_one_person_cannot_decide_even_with_both_roles(facility_app, at_work):
    both = add_person(facility_app, at_work, "pharmacist", "owner")
    request = uuid4()
    approvals.ask_products(desk_of(at_work, both), request, [make_product(at_work)])

    with pytest.raises(OwnRequest):
        approvals.decide(desk_of(at_work, both), request, approved=True)


def test_long_requests_and_long_lists_go_on_by_page(clerk, at_work):
    products = [make_product(at_work) for _ in range(52)]
    page = text(clerk.get(NEW))
    assert text(clerk.get(next_page(page))).count('name="product"') == 2
    desk = desk_of(at_work, at_work.owner)
    for product in products[:51]:
        approvals.ask_products(desk, uuid4(), [product])

    with statements() as ran:
        page = text(clerk.get("/stock/approvals"))

    assert len([each for each in ran if "from approval" in each]) == 2
    assert page.count('data-label="待审 项"') == 50
    assert text(clerk.get(next_page(page))).count('data-label="待审 项"') == 1


def test_strangers_find_nothing_and_ask_for_nothing_of_ours(facility_app, stranger, at_work):
    product, request = make_product(at_work, generic_name="秘药"), uuid4()
    approvals.ask_products(desk_of(at_work, at_work.owner), request, [product])

    assert stranger.get(f"/stock/approvals/{request}").status_code == 404
    assert "秘药" not in text(stranger.get("/stock/approvals"))
    answer = post(stranger, f"/stock/approvals/{request}/decisions", {"decision": "approve", "reach": "all"})
    assert answer.status_code == 404
    assert post(stranger, NEW, sent(product=[str(product)])).status_code == 409
    assert make_pharmacy(facility_app)
