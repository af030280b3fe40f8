"""The pages of keeping: empty, filled, refused, decided by another, closed to strangers, few statements."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from python_calamine import CalamineWorkbook

from app.core import clock, tenancy
from app.core.hot import statements
from app.facility.stock import actions as shelf
from app.facility.stock.keeping import climate, rules
from launcher import translations
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.keeping.conftest import held, lot_of, packs_in, paper_of, state_of
from tests.factories.people import PASSWORD, add_person, browser, make_pharmacy
from tests.factories.people import post as post_in_this_context
from tests.factories.shop import desk_of, make_goods, one

translations.prepare()
PAGES = (
    "/stock/papers", "/stock/papers/new", "/stock/papers/new?act=hold", "/stock/papers/new?act=destroy", "/stock/papers/new?act=release",
    "/stock/papers/new?act=return_out", "/stock/papers/new?act=fill_drawer", "/stock/papers/drawers", "/stock/papers/corrections/new", "/stock/papers/places?q=a",
    "/stock/keeping", "/stock/keeping?only=all", "/stock/keeping/checks", "/stock/keeping/expiry", "/stock/keeping/splits", "/stock/climate",
)  # fmt: skip


@pytest.fixture
def pharmacy(facility_app):
    return make_pharmacy(facility_app)


@pytest.fixture
def desk(facility_app, pharmacy):
    with facility_app.app_context(), tenancy.as_tenant(pharmacy.tenant_id):
        yield desk_of(pharmacy)


@pytest.fixture
def clerk(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.clerk)


@pytest.fixture
def druggist(facility_app, pharmacy):
    return browser(facility_app, pharmacy, pharmacy.pharmacist)


@pytest.fixture
def stranger(facility_app):
    other = make_pharmacy(facility_app, name="三号药店")
    return browser(facility_app, other, other.owner)


def sent(pharmacy, goods, act="hold", zone="SALEABLE", packs="1", codes="", **more):
    return {
        "document": str(uuid4()), "act": act, "reason": rules.REASONS[act][0], "note": "", "place": f"{lot_of(pharmacy, goods)}:{zone}", "packs": packs,
        "units": "", "codes": codes,
    } | more  # fmt: skip


def post(client, address, data):
    """Post as a person does: two people's tokens must not meet in one context."""
    with client.application.app_context():
        return post_in_this_context(client, address, data)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_opens_empty_in_both_languages_and_only_for_the_shop(facility_app, pharmacy, clerk, path):
    keeper = browser(facility_app, pharmacy, add_person(facility_app, pharmacy, "audit_admin"))

    assert clerk.get(path).status_code == 200
    clerk.set_cookie("lang", "en")
    page = text(clerk.get(path))
    assert not re.findall(
        "[\u4e00-\u9fff]{3,}", re.sub("一号药店|李收银|李\\*银", "", re.sub("<[^>]*>", "", page)).replace("中文", "")
    )
    assert keeper.get(path).status_code == 403
    assert facility_app.test_client().get(path).status_code in {302, 303, 401}


def test_a_hold_is_made_and_stands_open_in_the_list(clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 2)

    answer = post(clerk, "/stock/papers", sent(pharmacy, goods, codes=goods.codes[0]))

    assert answer.status_code == 303
    assert state_of(pharmacy, goods.codes[0]) == ("FROZEN", "QUARANTINE")
    page = text(clerk.get(answer.location))
    assert goods.name in page
    assert "已过账" in page


def test_a_release_waits_for_another_and_each_sees_what_they_may(clerk, druggist, pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    held(desk, pharmacy, goods)
    form = sent(
        pharmacy, goods, "release", "QUARANTINE", codes=goods.codes[0], to_zone="SALEABLE", **{"field-finding": "完好"}
    )

    assert post(clerk, "/stock/papers", form).status_code == 303
    assert "这张单据是您提交的" in text(clerk.get("/stock/papers?state=asked"))
    address = f"/stock/papers/{form['document']}/decision"
    assert post(clerk, address, {"result": "yes"}).status_code == 404
    assert "data-passes" in text(druggist.get("/stock/papers?state=asked"))
    assert post(druggist, address, {"result": "no", "note": ""}).status_code == 422
    assert post(druggist, address, {"result": "yes"}).status_code == 303
    assert packs_in(pharmacy, goods, "SALEABLE") == 2
    assert post(druggist, address, {"result": "no", "note": "晚了"}).status_code == 409


def test_the_second_person_confirms_at_the_same_screen(clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 2, zone="QUARANTINE")
    form = sent(
        pharmacy,
        goods,
        "destroy",
        "QUARANTINE",
        "2",
        **{"field-method": "焚烧", "field-witness": "003", "field-place": "后院"},
    )

    wrong = post(clerk, "/stock/papers", form | {"approver": "003", "approver_password": "no"})
    assert wrong.status_code == 422
    assert "复核没有通过" in text(wrong)
    assert form["place"] in text(wrong)
    alone = post(
        clerk, "/stock/papers", form | {"field-witness": "002", "approver": "003", "approver_password": PASSWORD}
    )
    assert alone.status_code == 422
    assert "「见证人」不能是操作人自己" in text(alone)
    assert post(clerk, "/stock/papers", form | {"approver": "002", "approver_password": PASSWORD}).status_code == 422
    assert post(clerk, "/stock/papers", form | {"approver": "003", "approver_password": PASSWORD}).status_code == 303
    assert paper_of(pharmacy, form["document"]).decided_by == pharmacy.pharmacist


def test_a_paper_is_printed_with_its_record_and_barcode(clerk, druggist, pharmacy, desk):
    goods = make_goods(pharmacy, 1, zone="QUARANTINE")
    form = sent(
        pharmacy,
        goods,
        "destroy",
        "QUARANTINE",
        **{"field-method": "焚烧", "field-witness": "003", "field-place": "后院"},
    )
    post(clerk, "/stock/papers", form)
    post(druggist, f"/stock/papers/{form['document']}/decision", {"result": "yes"})

    page = text(clerk.get(f"/stock/papers/{form['document']}"))

    for said in ("报损销毁", "焚烧", "后院", "003 赵药师", goods.lot_number, goods.codes[0], 'class="barcode"'):
        assert said in page


@pytest.mark.parametrize(
    "changes",
    [
        {"place": "x"},
        {"place": "1:NOWHERE"},
        {"packs": "x"},
        {"packs": "-1"},
        {"reason": ""},
        {"document": "x"},
        {"codes": "\x00 ；；"},
        {"place": "99999999999999999:COLD"},
    ],
)
def test_a_refused_paper_keeps_what_was_typed(clerk, pharmacy, desk, changes):
    goods = make_goods(pharmacy, 2)

    answer = post(clerk, "/stock/papers", sent(pharmacy, goods) | changes)

    assert answer.status_code in {409, 422}
    assert 'id="refused"' in text(answer)


def test_goods_are_found_by_code_and_by_name_where_the_act_may_take_them(clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    place = f"{lot_of(pharmacy, goods)}:SALEABLE"

    assert place in text(clerk.get(f"/stock/papers/places?act=hold&q={goods.codes[0]}"))
    assert place in text(clerk.get(f"/stock/papers/places?act=hold&q={goods.name}"))
    assert place in text(clerk.get(f"/stock/papers/places?act=hold&q={goods.lot_number.lower()}"))
    assert place not in text(clerk.get(f"/stock/papers/places?act=destroy&q={goods.name}"))
    line = text(clerk.get(f"/stock/papers/lines?place={place}&code={goods.codes[0]}"))
    assert 'name="packs" value="1"' in line
    assert goods.codes[0] in line
    assert clerk.get("/stock/papers/lines?place=1:NOWHERE").status_code == 404


def test_papers_are_paged_and_filtered_with_few_statements(clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 60, coded=False, trace_required=False)
    for _ in range(55):
        held(desk, pharmacy, goods, codes=())
    clerk.get("/stock/papers")

    with statements() as ran:
        page = text(clerk.get("/stock/papers"))

    assert page.count('class="b nm nw"') == 50
    assert len([one for one in ran if "stock_document" in one]) <= 4
    assert text(clerk.get(next_page(page))).count('class="b nm nw"') == 5
    assert "没有这样的单据" in text(clerk.get("/stock/papers?act=destroy"))
    for strange in ("before=x", "before=_", "open=x", "q=%00", "state=x&act=y", "before=9999-12-31T00:00:00_x"):
        assert clerk.get(f"/stock/papers?{strange}").status_code == 200


def test_a_stranger_meets_no_such_paper(stranger, clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    form = sent(pharmacy, goods, codes=goods.codes[0])
    post(clerk, "/stock/papers", form)
    lot = lot_of(pharmacy, goods)

    for path in (
        f"/stock/papers/{form['document']}",
        f"/stock/papers/lines?place={lot}:SALEABLE",
        f"/stock/papers/corrections/new?lot={lot}",
    ):
        assert stranger.get(path).status_code == 404
    for path in (
        f"/stock/papers/{form['document']}/decision",
        f"/stock/papers/{form['document']}/withdrawal",
        f"/stock/papers/corrections/{lot}",
    ):
        assert post(stranger, path, {"result": "yes", "what": "lot_number"}).status_code == 404
    assert goods.name not in text(stranger.get(f"/stock/papers/places?act=hold&q={goods.codes[0]}"))
    assert goods.name not in text(stranger.get("/stock/keeping?only=all"))
    assert goods.name not in text(stranger.get("/stock/keeping/expiry"))


def test_a_quantity_is_corrected_on_its_page(clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 3, coded=False, trace_required=False)
    lot = lot_of(pharmacy, goods)
    found = text(clerk.get(f"/stock/papers/corrections/new?q={goods.name}"))
    form = {
        "document": str(uuid4()),
        "what": "quantity",
        "zone": "SALEABLE",
        "packs": "2",
        "units": "",
        "reason": "入库时录错",
        "note": "",
    }

    assert f"lot={lot}" in found
    assert goods.lot_number in text(clerk.get(f"/stock/papers/corrections/new?lot={lot}"))
    assert post(clerk, f"/stock/papers/corrections/{lot}", form | {"packs": "x"}).status_code == 422
    assert post(clerk, f"/stock/papers/corrections/{lot}", form).status_code == 303
    assert paper_of(pharmacy, form["document"]).state == "asked"
    assert "更正" in text(clerk.get(f"/stock/papers/{form['document']}"))
    assert "2026-02-30" in text(
        post(clerk, f"/stock/papers/corrections/{lot}", form | {"what": "expires_on", "after-expires_on": "2026-02-30"})
    )


def test_drawers_are_added_and_listed(clerk):
    assert post(clerk, "/stock/papers/drawers", {"name": "A-1 甘草"}).status_code == 303
    assert post(clerk, "/stock/papers/drawers", {"name": "A-1 甘草"}).status_code == 422
    assert "A-1 甘草" in text(clerk.get("/stock/papers/drawers"))


def test_a_doubt_leads_to_the_paper_that_holds_the_goods(clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    place = f"{lot_of(pharmacy, goods)}:SALEABLE"

    page = text(clerk.get(f"/stock/keeping?q={goods.codes[0]}"))
    fine = post(clerk, "/stock/keeping", {"document": str(uuid4()), "place": place, "result": "ok"})
    doubt = post(
        clerk, "/stock/keeping", {"document": str(uuid4()), "place": place, "result": "doubtful", "finding": "发黄"}
    )

    assert place in page
    assert fine.location.endswith("/stock/keeping")
    form = text(clerk.get(doubt.location))
    assert place in form
    assert 'value="养护发现可疑" selected' in form
    assert "发黄" in text(clerk.get("/stock/keeping/checks"))
    assert (
        post(clerk, "/stock/keeping", {"document": str(uuid4()), "place": place, "result": "doubtful"}).status_code
        == 422
    )
    assert post(clerk, "/stock/keeping", {"document": "x", "place": "x"}).status_code == 404


def test_the_due_list_is_paged_with_few_statements(clerk, pharmacy, desk):
    for number in range(55):
        make_goods(pharmacy, 1, coded=False, trace_required=False, expires_in=100 + number)
    clerk.get("/stock/keeping?only=all")

    with statements() as ran:
        page = text(clerk.get("/stock/keeping?only=all"))

    assert page.count('class="b nm"') == 50
    assert len([one for one in ran if "lot_balance" in one]) <= 3
    near = text(clerk.get("/stock/keeping/expiry"))
    assert near.count('class="b nm"') == 50
    assert text(clerk.get(next_page(near))).count('class="b nm"') == 5
    for strange in ("after=x", "after=2026-01-01_x", "open=x", "q=%00", "only=y"):
        assert clerk.get(f"/stock/keeping?{strange}").status_code == 200
        assert clerk.get(f"/stock/keeping/expiry?{strange}").status_code == 200


def test_expired_goods_go_aside_by_one_button(clerk, pharmacy, desk, monkeypatch):
    goods = make_goods(pharmacy, 2, expires_in=1)
    later = clock.business_date() + timedelta(days=3)
    monkeypatch.setattr(clock, "business_date", lambda _at=None: later)

    page = text(clerk.get("/stock/keeping/expiry?only=past"))
    answer = post(clerk, "/stock/keeping/expiry", {"document": str(uuid4())})

    assert "过期的全部转不合格" in page
    assert goods.name in page
    assert "/stock/papers?open=" in answer.location
    assert post(clerk, "/stock/keeping/expiry", {"document": str(uuid4())}).location.endswith("/expiry")
    assert post(clerk, "/stock/keeping/expiry", {"document": "x"}).status_code == 422

    assert packs_in(pharmacy, goods, "REJECT") == 2


def test_open_packs_show_how_long_they_are_open(clerk, pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    shelf.open_pack(desk, goods.product_id, goods.codes[0])

    assert "已 0 天" in text(clerk.get("/stock/keeping/splits"))


# ---- temperature -----------------------------------------------------------------------------------------------------


def test_a_day_of_readings_with_an_excursion_signed_by_the_pharmacist(clerk, druggist, pharmacy, desk):
    place = climate.add_place(desk, "冷藏柜 1", "cold")
    reading = str(uuid4())
    address = f"/stock/climate/places/{place}/readings"

    refused = post(clerk, address, {"document": str(uuid4()), "degrees": "x", "humidity": "50"})
    assert refused.status_code == 422
    assert 'value="x" autofocus' in text(refused), "what was typed stands there to be mended"
    assert 'value="50"' in text(refused)
    assert post(clerk, address, {"document": "x", "degrees": "5", "humidity": "50"}).status_code == 422
    assert post(clerk, address, {"document": str(uuid4()), "degrees": "5.2", "humidity": "50"}).status_code == 303
    assert post(clerk, address, {"document": reading, "degrees": "9.5", "humidity": "50"}).status_code == 303
    assert "9.5 ℃ · 50 %，超出范围" in text(clerk.get("/stock/climate"))
    sign = f"/stock/climate/readings/{reading}/action"
    refused = post(clerk, sign, {"action": "关门复测", "approver": "003", "approver_password": "no"})
    assert refused.status_code == 422
    assert 'value="关门复测"' in text(refused)
    assert (
        post(clerk, sign, {"action": "关门复测", "approver": "003", "approver_password": PASSWORD}).status_code == 303
    )
    assert "超出范围。" not in text(clerk.get("/stock/climate"))
    month = text(clerk.get(f"/stock/climate/places/{place}"))
    assert f'class="sub">{pharmacy.name} · ' in month, "a printed month says whose it is"
    assert "<polyline" in month
    assert "style=" not in month
    assert "关门复测" in month
    assert "赵药师" in month


def test_the_round_goes_on_at_the_first_place_without_a_reading(clerk, desk, monkeypatch):
    monkeypatch.setattr(climate, "half_of", lambda _at: "am")  # Noon does not come in between.
    shop, fridge = climate.add_place(desk, "营业场所", "normal"), climate.add_place(desk, "冷藏柜 1", "cold")

    def focused():
        return re.findall(r'name="(\w+)"[^>]*? autofocus[^>]*?>', text(clerk.get("/stock/climate")))

    def read(place, degrees):
        form = {"document": str(uuid4()), "degrees": degrees, "humidity": "50"}
        assert post(clerk, f"/stock/climate/places/{place}/readings", form).status_code == 303

    assert focused() == ["degrees"]
    read(shop, "20")
    page = text(clerk.get("/stock/climate"))
    assert page.index(" autofocus") > page.index(f"/places/{fridge}/readings")
    read(fridge, "12")
    assert focused() == ["action"], "what is out of its limits comes before all else"


def test_a_month_leaves_as_excel(clerk, pharmacy, desk):
    place = climate.add_place(desk, "营业[场所]/1", "normal")
    climate.read_climate(desk, uuid4(), place, 235, 55)

    answer = clerk.get(f"/stock/climate/places/{place}/export")

    rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    assert rows[1][1:3] == ["23.5", 55.0]


def test_only_seniors_name_places_and_change_limits_and_strangers_see_none(clerk, druggist, stranger, pharmacy, desk):
    assert post(clerk, "/stock/climate/places", {"name": "阴凉柜", "kind": "cool"}).status_code == 403
    assert post(druggist, "/stock/climate/places", {"name": "阴凉柜", "kind": "cool"}).status_code == 303
    assert post(druggist, "/stock/climate/places", {"name": "阴凉柜", "kind": "cool"}).status_code == 422
    place = one(pharmacy, "select id from climate_place where tenant_id = %(t)s").id
    limits = {"low": "", "high": "18", "dry": "40", "wet": "70", "state": "open"}

    assert post(druggist, f"/stock/climate/places/{place}", limits).status_code == 303
    assert one(pharmacy, "select high_tenths from climate_place where tenant_id = %(t)s").high_tenths == 180
    assert post(druggist, f"/stock/climate/places/{place}", limits | {"high": "x"}).status_code == 422
    assert post(clerk, f"/stock/climate/places/{place}", limits).status_code == 403
    for path in (f"/stock/climate/places/{place}", f"/stock/climate/places/{place}/export"):
        assert stranger.get(path).status_code == 404
    assert (
        post(
            stranger,
            f"/stock/climate/places/{place}/readings",
            {"document": str(uuid4()), "degrees": "5", "humidity": "5"},
        ).status_code
        == 404
    )
    assert post(stranger, f"/stock/climate/places/{place}", limits).status_code == 404
    assert post(stranger, f"/stock/climate/readings/{uuid4()}/action", {"action": "x"}).status_code == 404
    with druggist.application.app_context():
        assert druggist.get(f"/stock/climate/places/{place}?month=x").status_code == 200
