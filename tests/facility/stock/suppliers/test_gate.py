"""Whether we may buy: everything that stands against it is said at once, and nothing when all is in order."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.errors import NotFound
from app.core.hot import statements
from app.facility.db import transaction
from app.facility.organizations import actions as organizations
from app.facility.stock.suppliers import actions, approvals, queries
from app.facility.stock.suppliers.actions import Owner
from tests.factories.people import make_pharmacy
from tests.factories.shop import desk_of, make_product
from tests.factories.supply import add_paper, add_supplier, approve_products, approve_supplier, make_supplier


def why(pharmacy, supplier, *products, in_days=0):
    today = clock.business_date() + timedelta(days=in_days)
    with transaction(settings=pharmacy.scope) as hot:
        return [str(each) for each in queries.why_not_buy(hot, desk_of(pharmacy), supplier, products, today)]


@pytest.fixture
def drug(at_work):
    product = make_product(at_work, generic_name="阿莫西林胶囊")
    approve_products(at_work, product)
    return product


def test_what_is_approved_and_papered_may_be_bought(at_work, drug):
    assert why(at_work, make_supplier(at_work), drug) == []


def test_the_gate_is_one_statement(at_work, drug):
    supplier = make_supplier(at_work)
    with statements() as ran:
        why(at_work, supplier, drug)
    assert len(ran) == 1


def test_a_new_supplier_and_a_new_product_wait_for_approval(at_work):
    supplier, product = add_supplier(at_work, name="新来公司"), make_product(at_work, generic_name="新药")

    said = why(at_work, supplier, product)

    assert said[0] == "供应商 新来公司 还没有通过首营审批。请先送审，由药师或负责人审批。"
    assert "供应商 新来公司 缺少药品经营许可证。" in said
    assert "没有通过首营审批的商品：新药。请先在首营里送审。" in said


def test_an_expired_licence_stops_buying_and_says_when(at_work, drug):
    supplier = make_supplier(at_work, name="过期公司")
    day = clock.business_date() + timedelta(days=400)

    [said] = [each for each in why(at_work, supplier, drug, in_days=401) if "药品经营许可证" in each]

    assert "过期公司" in said
    assert f"已于 {day} 过期" in said


def test_a_renewed_licence_lets_buying_go_on(at_work, drug):
    supplier = add_supplier(at_work)
    owner = Owner("supplier", supplier)
    for kind in ("BUSINESS", "QUALITY"):
        add_paper(at_work, owner, kind)
    old = add_paper(at_work, owner, "DRUG_TRADE", lasts=5)
    approve_supplier(at_work, supplier)
    assert why(at_work, supplier, drug, in_days=6)

    add_paper(at_work, owner, "DRUG_TRADE", lasts=900, replaces=old)

    assert why(at_work, supplier, drug, in_days=6) == []


def test_a_licence_that_is_not_valid_yet_does_not_count(at_work, drug):
    supplier = make_supplier(at_work)
    tomorrow = clock.business_date() + timedelta(days=1)
    add_paper(at_work, Owner("supplier", supplier), "SALESPERSON", valid_from=tomorrow)

    assert "才生效" in why(at_work, supplier, drug)[0]


def test_a_suspended_supplier_is_named_with_its_reason(at_work, drug):
    supplier = make_supplier(at_work, name="停用公司")
    actions.suspend_supplier(desk_of(at_work, at_work.owner), supplier, "来货与票不符")

    assert why(at_work, supplier, drug) == ["供应商 停用公司 已暂停往来：来货与票不符。"]


def test_a_year_after_approval_supplier_and_product_are_due_again(at_work, drug):
    supplier = make_supplier(at_work)
    for paper in ("DRUG_TRADE", "QUALITY"):
        add_paper(at_work, Owner("supplier", supplier), paper, lasts=None)

    assert not [each for each in why(at_work, supplier, drug, in_days=365) if "复审" in each]
    said = [each for each in why(at_work, supplier, drug, in_days=366) if "复审" in each]
    assert len(said) == 2


def test_a_site_may_ask_for_the_re_check_sooner(at_work):
    organizations.set_parameter("recheck_days", "90", None, at_work.owner)
    product = make_product(at_work)
    approve_products(at_work, product)
    supplier = make_supplier(at_work)

    assert len([each for each in why(at_work, supplier, product, in_days=91) if "复审" in each]) == 2


def test_an_expired_approval_paper_of_a_product_stops_it(at_work, drug):
    add_paper(at_work, Owner("product", drug), "REGISTRATION", lasts=10)
    supplier = make_supplier(at_work)

    assert why(at_work, supplier, drug, in_days=10) == []
    assert "阿莫西林胶囊 的药品注册批件" in why(at_work, supplier, drug, in_days=11)[0]


def test_what_lies_outside_the_scopes_is_not_bought(at_work, drug):
    herb = make_product(
        at_work, generic_name="黄芪", rx_class="HERB", pack_unit="克", base_unit="0.01克", pack_size=100
    )
    approve_products(at_work, herb)
    supplier = make_supplier(at_work, scope_codes=("DRUG",))

    assert why(at_work, supplier, drug) == []
    assert "的经营范围里的商品：黄芪" in why(at_work, supplier, drug, herb)[0]


def test_our_own_licence_names_what_we_may_buy(at_work, drug):
    supplier = make_supplier(at_work)
    add_paper(at_work, Owner("facility", at_work.facility_id), "DRUG_TRADE", scope_codes=("HERB",))

    assert "不在本机构的经营范围里的商品：阿莫西林胶囊" in why(at_work, supplier, drug)[0]


def test_our_own_expired_licence_stops_buying_but_not_the_agreement(at_work, drug):
    supplier = make_supplier(at_work)
    add_paper(at_work, Owner("facility", at_work.facility_id), "DRUG_TRADE", lasts=1)
    add_paper(at_work, Owner("facility", at_work.facility_id), "AGREEMENT", lasts=1)

    [said] = why(at_work, supplier, drug, in_days=2)

    assert said.startswith("本机构的药品经营许可证")


def test_many_products_are_named_together(at_work):
    products = [make_product(at_work) for _ in range(7)]

    [said] = why(at_work, make_supplier(at_work), *products)

    assert "等 7 种" in said


def test_a_product_nobody_knows_is_said(at_work, drug):
    assert why(at_work, make_supplier(at_work), drug, 2**40) == ["有 1 种商品不在目录里。"]


def test_a_name_with_braces_is_only_a_name(at_work, drug):
    supplier = make_supplier(at_work, name="{0}%(x)s{name}公司", scope_codes=("HERB",))

    assert "{0}%(x)s{name}公司" in why(at_work, supplier, drug)[0]


def test_another_pharmacys_supplier_is_not_there(facility_app, at_work, drug):
    other = make_pharmacy(facility_app, name="三号药店")
    theirs = make_supplier(other)

    with pytest.raises(NotFound):
        why(at_work, theirs, drug)


def test_who_asked_cannot_decide(at_work):
    from app.facility.stock.suppliers.errors import OwnRequest

    request, desk = uuid4(), desk_of(at_work, at_work.owner)
    approvals.ask_products(desk, request, [make_product(at_work)])

    with pytest.raises(OwnRequest):
        approvals.decide(desk, request, approved=True)
