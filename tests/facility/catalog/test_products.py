"""Products and prices through their actions and queries."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal

import pytest

from app.core.clock import now
from app.core.errors import NotFound, WrongInput
from app.core.hot import statements
from app.core.tenancy import as_tenant
from app.facility.catalog import actions, queries
from app.facility.catalog.errors import BarcodeTaken, CodeTaken, PriceInThePast, ProductChanged, SameProduct, UnitsInUse
from app.facility.catalog.rules import ProductDraft
from app.facility.db import action, db, run
from tests.facility.catalog.conftest import product


def names(text, **options):
    return [card.generic_name for card in queries.find_products(text, **options)]


def test_own_code_is_numbered_when_left_out(at_work):
    first, second = product(at_work, spec="1g"), product(at_work, spec="2g")

    assert [queries.get_product(one).code for one in (first, second)] == ["P000001", "P000002"]


def test_code_and_barcode_name_one_product(at_work):
    product(at_work, "A1", barcode="6901234567892")

    with pytest.raises(CodeTaken):
        product(at_work, "A1", spec="别的")
    with pytest.raises(BarcodeTaken):
        product(at_work, "A2", barcode="6901234567892")


def test_barcode_of_a_stopped_product_is_free_until_it_returns(at_work):
    old = product(at_work, "A1", barcode="6901234567892")
    actions.stop_product(old)
    new = product(at_work, "A2", barcode="6901234567892")

    assert queries.product_by_barcode("6901234567892").id == new
    with pytest.raises(BarcodeTaken):
        actions.resume_product(old)


def test_the_same_product_twice_is_refused(at_work):
    product(at_work)

    with pytest.raises(SameProduct):
        product(at_work)


@pytest.mark.parametrize(
    "facts",
    [
        {"generic_name": "  "},
        {"pack_size": 0},
        {"pack_size": 10**9},
        {"rx_class": "X"},
        {"barcode": "12"},
        {"selfpay_share": Decimal("1.5")},
        {"ceiling_price": Decimal(0)},
        {"expiry_warning_days": -1},
        {"split_allowed": True},
        {"maker": "长" * 301},
    ],
)
def test_what_is_no_product_is_refused(at_work, facts):
    with pytest.raises(WrongInput):
        product(at_work, **facts)


def test_negative_and_endless_prices_are_refused(at_work):
    for price in ("-0.01", "10000000"):
        with pytest.raises(WrongInput):
            product(at_work, price=price)
    assert queries.count_products()[""] == 0


def test_price_history_is_kept_and_the_latest_holds(at_work):
    one = product(at_work, price="12.5")

    actions.change_price(one, Decimal("13.8"), None, at_work.owner, "进价上涨")
    actions.change_price(one, Decimal("13.8"), None, at_work.owner, "再点一次")

    assert queries.current_price(one) == (Decimal("13.8"), None)
    assert [(str(line.pack_price), line.reason) for line in queries.price_history(one)] == [
        ("13.800000", "进价上涨"),
        ("12.500000", "新建商品"),
    ]


def test_a_price_of_tomorrow_holds_from_tomorrow(at_work):
    one = product(at_work, price="12.5")
    tomorrow = now() + timedelta(days=1)

    actions.change_price(one, Decimal("9.9"), Decimal("0.5"), at_work.owner, "促销", tomorrow)

    assert queries.current_price(one) == (Decimal("12.5"), None)
    assert queries.current_price(one, tomorrow) == (Decimal("9.9"), Decimal("0.5"))
    with pytest.raises(PriceInThePast):
        actions.change_price(one, Decimal(1), None, at_work.owner, "改昨天", now() - timedelta(hours=1))


def test_prices_cannot_be_edited_even_by_us(at_work):
    from sqlalchemy.exc import ProgrammingError

    one = product(at_work)

    @action
    def cheat(statement):
        run(statement, id=one)

    for statement in (
        "update product_price set pack_price = 1 where product_id = :id",
        "delete from product_price where product_id = :id",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            cheat(statement)


def test_update_keeps_what_others_saved(at_work):
    one = product(at_work, "A1")
    seen = queries.get_product(one)
    draft = actions.draft_of(seen)

    actions.update_product(one, ProductDraft(**{**vars_of(draft), "maker": "联邦制药"}), seen.digest)

    with pytest.raises(ProductChanged):
        actions.update_product(one, ProductDraft(**{**vars_of(draft), "maker": "别家"}), seen.digest)
    assert queries.get_product(one).maker == "联邦制药"


def vars_of(draft):
    return {name: getattr(draft, name) for name in ProductDraft.__slots__}


def test_units_stay_once_stock_counts_in_them(at_work):
    one = product(at_work, "A1", pack_size=24, base_unit="粒")
    put_on_shelf(at_work, one)
    draft = actions.draft_of(queries.get_product(one))

    with pytest.raises(UnitsInUse):
        actions.update_product(one, ProductDraft(**{**vars_of(draft), "pack_size": 12}))

    actions.update_product(one, ProductDraft(**{**vars_of(draft), "maker": "联邦制药"}))
    assert queries.used_products([one]) == {one}


def put_on_shelf(pharmacy, product_id):
    """A lot, the plainest thing of another room that refers to a product."""

    @action
    def receive():
        run(
            """
            insert into lot (tenant_id, facility_id, product_id, lot_number, expires_on)
            values (:tenant_id, :facility_id, :product_id, 'L1', '2030-01-01')
            """,
            tenant_id=pharmacy.tenant_id,
            facility_id=pharmacy.facility_id,
            product_id=product_id,
        )

    receive()


# ---- finding -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("参苓白术散", "slbzs"),
        ("参苓白术散", "shenlingbaizhu"),
        ("阿胶", "ej"),
        ("阿胶", "aj"),
        ("川芎茶调颗粒", "cxc"),
        ("玄参", "xs"),
        ("炔雌醇环丙孕酮片", "qcc"),
        ("重组人促红素注射液", "czr"),
        ("重楼", "cl"),
        ("藏红花", "zhh"),
        ("单硝酸异山梨酯片", "dxs"),
        ("长春西汀片", "ccx"),
        ("薄荷", "bh"),
        ("知柏地黄丸", "zbdh"),
        ("维生素C片", "wsscp"),
        ("维生素Ｃ片", "维生素c"),
        ("复方α-酮酸片", "ffa"),
        ("Ⅱ型胶原", "xjy"),
    ],
)
def test_found_by_how_it_is_said(at_work, name, typed):
    product(at_work, "A1", generic_name=name)

    assert names(typed) == [name]


def test_found_by_code_barcode_end_maker_and_several_words(at_work):
    product(
        at_work,
        "KX-01",
        generic_name="布洛芬缓释胶囊",
        trade_name="芬必得",
        barcode="6901234567892",
        national_code="XM01AEB204E002020103641",
        maker="中美天津史克",
    )

    for typed in (
        "kx-01",
        "KX-01",
        "6901234567892",
        "67892",
        "xm01aeb204e002020103641",
        "史克",
        "布洛 芬必",
        "ｂｌｆ",
        "fbd",
    ):
        assert names(typed) == ["布洛芬缓释胶囊"], typed


def test_exact_code_first_then_beginnings_then_the_rest(at_work):
    for code, name in (("1", "复方阿莫西林"), ("2", "阿莫西林胶囊"), ("amxl", "别的药")):
        product(at_work, code, generic_name=name)

    assert names("阿莫西林") == ["阿莫西林胶囊", "复方阿莫西林"]
    assert names("AMXL")[0] == "阿莫西林胶囊"
    assert names("amxl")[1] == "别的药" or names("amxl")[0] == "阿莫西林胶囊"


@pytest.mark.parametrize(
    "typed",
    ["", "   ", "%", "_", "\\", "'; drop table product; --", "\x00", "%%%", "x" * 5000, "🦠", "a b c d e f g h i j"],
)
def test_strange_words_find_nothing_and_harm_nothing(at_work, typed):
    product(at_work, "A1")

    assert names(typed) == []


def test_finding_is_one_statement(at_work):
    product(at_work, "A1")

    with statements() as ran:
        queries.find_products("amxl")

    assert len(ran) == 1


def test_many_by_id_is_one_statement_and_unknown_are_missing(at_work):
    one, two = product(at_work, "A1"), product(at_work, "A2")

    with statements() as ran:
        found = queries.get_products([two, one, one, 10**12])

    assert set(found) == {one, two}
    assert len(ran) == 1
    assert queries.get_products([]) == {}


def test_stopped_products_are_not_found_but_still_known(at_work):
    one = product(at_work, "A1")
    actions.stop_product(one)

    assert names("amxl") == []
    assert queries.get_product(one).state == "stopped"


def test_another_tenants_product_does_not_exist(facility_app, at_work):
    from tests.factories.people import make_pharmacy

    one = product(at_work, "A1", barcode="6901234567892")
    other = make_pharmacy(facility_app, name="三号药店")
    db.session.remove()

    with as_tenant(other.tenant_id):
        assert queries.product_by_barcode("6901234567892") is None
        assert queries.get_products([one]) == {}
        with pytest.raises(NotFound):
            queries.get_product(one)
        with pytest.raises(NotFound):
            actions.change_price(one, Decimal(1), None, other.owner, "x")
        db.session.remove()


def test_eight_people_create_at_once_and_get_eight_codes(facility_app, pharmacy):
    made, failed = [], []

    def create(number):
        try:
            with facility_app.app_context(), pharmacy.acting():
                one = product(pharmacy, spec=f"{number}g")
                made.append(queries.get_product(one).code)
                db.session.remove()
        except Exception as failure:
            failed.append(failure)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not failed
    assert sorted(made) == [f"P{number:06d}" for number in range(1, 9)]
