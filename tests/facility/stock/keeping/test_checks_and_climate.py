"""Display checks, temperature and humidity, near expiry, open packs: what is due, what is written once, what follows."""

from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.errors import DocumentChanged, NotFound
from app.facility.stock import actions as shelf
from app.facility.stock.keeping import checks, climate, expiry
from app.facility.stock.keeping.climate import DEFAULTS, Limits
from app.facility.stock.keeping.errors import AlreadyDecided, CheckNotTaken, PlaceNotTaken, ReadingNotTaken
from tests.facility.stock.keeping.conftest import ask, lot_of, packs_in, paper_of, state_of
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import check_books, desk_of, make_goods, one, plain, sell


@pytest.fixture
def stranger(facility_app, center_app):
    other = make_insured_pharmacy(facility_app, center_app)
    return desk_of(other, other.owner)


# ---- checks ----------------------------------------------------------------------------------------------------------


def due(pharmacy, only="due"):
    return [row.lot_id for row in checks.list_due(pharmacy.facility_id, only)]


def test_goods_are_due_a_month_after_the_last_look_and_in_focus_sooner(pharmacy, desk):
    common, near = plain(pharmacy, 2), plain(pharmacy, 2, expires_in=60)
    lots = [lot_of(pharmacy, goods) for goods in (common, near)]

    assert due(pharmacy) == []
    with clock.at_moment(clock.now() + timedelta(days=16)):
        assert due(pharmacy) == [lots[1]]
        checks.check_goods(desk, uuid4(), lots[1], "SALEABLE", "ok")
        assert due(pharmacy) == []
    with clock.at_moment(clock.now() + timedelta(days=31)):
        assert due(pharmacy) == [lots[1], lots[0]]
        assert checks.count_due(pharmacy.facility_id) == 2


def test_focus_says_why(pharmacy, desk):
    goods = [
        plain(pharmacy, 2, expires_in=60),
        plain(pharmacy, 2, zone="COLD"),
        plain(pharmacy, 2, rx_class="HERB"),
        plain(pharmacy, 2),
        plain(pharmacy, 2),
    ]
    shelf.open_pack(desk, goods[3].product_id)
    focus = {(row.lot_id, row.zone): row.focus for row in checks.list_due(pharmacy.facility_id, "all")}

    assert [
        focus[lot_of(pharmacy, each), zone]
        for each, zone in zip(goods, ("SALEABLE", "COLD", "SALEABLE", "SPLIT", "SALEABLE"), strict=True)
    ] == ["near", "cold", "herb", "split", ""]
    assert len(due(pharmacy, "focus")) == 4
    with clock.at_moment(clock.now() + timedelta(days=91)):
        assert checks.find_place(pharmacy.facility_id, lot_of(pharmacy, goods[4]), "SALEABLE").focus == "long"


def test_a_check_is_written_once(pharmacy, desk):
    goods, check = plain(pharmacy, 2), uuid4()
    lot = lot_of(pharmacy, goods)

    checks.check_goods(desk, check, lot, "SALEABLE", "doubtful", "颜色发黄")
    checks.check_goods(desk, check, lot, "SALEABLE", "doubtful", "颜色发黄")

    assert one(pharmacy, "select count(*) as n from keeping_check where tenant_id = %(t)s").n == 1
    assert [row.finding for row in checks.list_checks(pharmacy.facility_id)] == ["颜色发黄"]
    with pytest.raises(DocumentChanged):
        checks.check_goods(desk, check, lot, "SALEABLE", "ok")


@pytest.mark.parametrize(
    ("result", "finding", "zone"),
    [("doubtful", " ", "SALEABLE"), ("", "", "SALEABLE"), ("ok", "", "COLD"), ("ok", "", "x")],
)
def test_a_check_without_goods_or_finding_is_refused(pharmacy, desk, result, finding, zone):
    goods = plain(pharmacy, 2)

    with pytest.raises(CheckNotTaken):
        checks.check_goods(desk, uuid4(), lot_of(pharmacy, goods), zone, result, finding)


def test_a_stranger_checks_nothing(pharmacy, desk, stranger):
    goods = plain(pharmacy, 2)

    with pytest.raises(CheckNotTaken):
        checks.check_goods(stranger, uuid4(), lot_of(pharmacy, goods), "SALEABLE", "ok")


# ---- temperature and humidity ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "tenths", "humidity", "outside"),
    [
        ("normal", 100, 35, False), ("normal", 99, 50, True), ("normal", 301, 50, True), ("normal", 300, 76, True), ("normal", 300, 34, True),
        ("cool", 200, 75, False), ("cool", 201, 75, True), ("cool", -50, 50, False), ("cold", 20, None, False), ("cold", 80, None, False),
        ("cold", 19, None, True), ("cold", 81, None, True),
    ],
)  # fmt: skip
def test_each_kind_of_place_has_its_limits(kind, tenths, humidity, outside):
    assert climate.is_outside(DEFAULTS[kind], tenths, humidity) is outside


def test_a_reading_is_written_once_and_marks_its_half_of_the_day(pharmacy, desk):
    place, reading = climate.add_place(desk, "营业场所", "normal"), uuid4()

    assert climate.read_climate(desk, reading, place, 235, 55) is False
    assert climate.read_climate(desk, reading, place, 235, 55) is False

    row = climate.list_places(pharmacy.facility_id, clock.business_date())[0]
    seen = {"am": (row.am_tenths, row.am_humidity), "pm": (row.pm_tenths, row.pm_humidity)}
    assert seen[climate.half_of(clock.now())] == (235, 55)
    assert one(pharmacy, "select count(*) as n from climate_reading where tenant_id = %(t)s").n == 1
    with pytest.raises(DocumentChanged):
        climate.read_climate(desk, reading, place, 236, 55)


def test_an_excursion_waits_for_an_action_and_a_signature(pharmacy, desk):
    place, reading = climate.add_place(desk, "冷藏柜", "cold", Limits(20, 80, None, None)), uuid4()

    assert climate.read_climate(desk, reading, place, 95) is True
    assert [row.id for row in climate.list_unsigned(pharmacy.facility_id)] == [reading]
    with pytest.raises(ReadingNotTaken):
        climate.sign_action(desk, reading, " ", pharmacy.pharmacist)
    climate.sign_action(desk, reading, "关紧柜门，半小时后复测 5.1 ℃", pharmacy.pharmacist)
    climate.sign_action(desk, reading, "关紧柜门，半小时后复测 5.1 ℃", pharmacy.pharmacist)

    assert climate.list_unsigned(pharmacy.facility_id) == []
    assert climate.readings_of(place, clock.business_date())[0].signer == "赵药师"
    with pytest.raises(AlreadyDecided):
        climate.sign_action(desk, reading, "别的", pharmacy.owner)


def test_a_reading_inside_its_limits_needs_no_signature(pharmacy, desk):
    place, reading = climate.add_place(desk, "营业场所", "normal"), uuid4()
    climate.read_climate(desk, reading, place, 235, 55)

    with pytest.raises(NotFound):
        climate.sign_action(desk, reading, "没事", pharmacy.owner)


def test_new_limits_change_no_past_day(pharmacy, desk):
    place = climate.add_place(desk, "营业场所", "normal")
    climate.read_climate(desk, uuid4(), place, 290, 55)

    climate.change_place(desk, place, Limits(100, 250, 35, 75))

    assert climate.readings_of(place, clock.business_date())[0].outside is False
    assert climate.read_climate(desk, uuid4(), place, 290, 55) is True
    climate.change_place(desk, place, Limits(100, 250, 35, 75), closed=True)
    with pytest.raises(ReadingNotTaken):
        climate.read_climate(desk, uuid4(), place, 200, 55)


@pytest.mark.parametrize(("tenths", "humidity"), [(701, 50), (-501, 50), (200, 101), (200, -1), (200, None)])
def test_impossible_readings_are_refused(pharmacy, desk, tenths, humidity):
    place = climate.add_place(desk, "营业场所", "normal")

    with pytest.raises(ReadingNotTaken):
        climate.read_climate(desk, uuid4(), place, tenths, humidity)


@pytest.mark.parametrize(("typed", "tenths"), [("23.5", 235), (" 8 ", 80), ("-2", -20), ("−2.1", -21)])
def test_degrees_are_typed_as_people_do(typed, tenths):
    assert climate.tenths_of(typed) == tenths


@pytest.mark.parametrize("typed", ["", "x", "23.55", "NaN", "1e9", "Infinity", "９9e"])
def test_what_is_no_temperature_is_refused(typed):
    with pytest.raises(ReadingNotTaken):
        climate.tenths_of(typed)


@pytest.mark.parametrize(
    ("name", "kind", "limits"),
    [
        ("", "normal", None), ("长" * 41, "normal", None), ("a\x00", "normal", None), ("甲", "hot", None), ("甲", "cold", Limits(80, 20, None, None)),
        ("甲", "cold", Limits(20, 900, None, None)), ("甲", "cold", Limits(20, 80, 75, 35)), ("甲", "cold", Limits(20, 80, -1, 35)),
    ],
)  # fmt: skip
def test_a_place_has_a_name_a_kind_and_true_limits(desk, name, kind, limits):
    with pytest.raises(PlaceNotTaken):
        climate.add_place(desk, name, kind, limits)


def test_a_name_stands_once_and_strangers_read_nothing(pharmacy, desk, stranger):
    place = climate.add_place(desk, "营业场所", "normal")

    with pytest.raises(PlaceNotTaken):
        climate.add_place(desk, "营业场所", "cool")
    with pytest.raises(NotFound):
        climate.read_climate(stranger, uuid4(), place, 200, 50)
    with pytest.raises(NotFound):
        climate.change_place(stranger, place, DEFAULTS["normal"])


# ---- near expiry and open packs --------------------------------------------------------------------------------------


def test_expired_goods_of_all_zones_go_aside_in_one_paper(pharmacy, desk, monkeypatch):
    goods, other, fresh = (
        make_goods(pharmacy, 3, expires_in=1),
        plain(pharmacy, 2, expires_in=1, zone="QUARANTINE"),
        plain(pharmacy, 2),
    )
    later = clock.now() + timedelta(days=3)
    monkeypatch.setattr(clock, "now", lambda: later)
    document = uuid4()

    answer = expiry.set_expired_aside(desk, document)

    assert expiry.set_expired_aside(desk, document) == answer
    assert (
        packs_in(pharmacy, goods, "REJECT"),
        packs_in(pharmacy, other, "REJECT"),
        packs_in(pharmacy, fresh, "REJECT"),
    ) == (3, 2, 0)
    assert state_of(pharmacy, goods.codes[0]) == ("FROZEN", "REJECT")
    assert (paper_of(pharmacy, document).act, paper_of(pharmacy, document).reason) == ("reject", "过期")
    assert expiry.set_expired_aside(desk, uuid4()) is None
    check_books(pharmacy)


def test_near_goods_stand_in_the_order_of_their_urgency(pharmacy, desk):
    lots = [lot_of(pharmacy, plain(pharmacy, 2, expires_in=days)) for days in (150, 400, 30)]

    rows = expiry.list_near(pharmacy.facility_id)

    assert [row.lot_id for row in rows] == [lots[2], lots[0]]
    assert [row.lot_id for row in expiry.list_near(pharmacy.facility_id, "urgent")] == [lots[2]]
    assert [row.lot_id for row in expiry.list_near(pharmacy.facility_id, "warn")] == [lots[0]]
    assert (expiry.count_near(pharmacy.facility_id).urgent, expiry.count_near(pharmacy.facility_id).warn) == (1, 1)


def test_an_open_pack_shows_what_is_left_and_since_when(pharmacy, desk):
    goods = make_goods(pharmacy, 2)
    shelf.open_pack(desk, goods.product_id, goods.codes[0])
    lot = lot_of(pharmacy, goods)

    with clock.at_moment(clock.now() + timedelta(days=31)):
        row = expiry.list_open(pharmacy.facility_id)[0]

    assert (row.lot_id, row.on_hand, row.opened_on, row.codes) == (
        lot,
        goods.pack_size,
        clock.business_date(),
        [goods.codes[0]],
    )
    from app.facility.stock.keeping.rules import Line

    ask(desk, "reject", Line(lot, goods.pack_size, "SPLIT", "REJECT"))
    assert expiry.list_open(pharmacy.facility_id) == []
    assert sell(desk, goods.codes[1])
