"""How long goods last and how many are needed; and that every word of a prescription fits the interface's own tables."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.facility.clinic.terms import supply
from app.facility.clinic.terms.dictionaries import DECOCTIONS, FREQUENCIES, HANDLINGS, ROUTES, UNITS, unit, used_way
from app.national import codes

rhythms = st.sampled_from([each for each in FREQUENCIES.values() if each.per_day])
doses = st.one_of(
    st.integers(1, 20),
    st.sampled_from([Decimal("0.5"), Decimal("1.5"), Decimal("0.25"), Fraction(1, 3), Fraction(2, 3)]),
)


@given(st.integers(1, 90), doses, rhythms)
def test_what_is_given_for_some_days_lasts_them_and_not_one_unit_less_does(days, dose, frequency):
    quantity = supply.quantity_for(days, dose, frequency)

    assert supply.days_of_supply(quantity, dose, frequency) >= days
    if quantity > 1:
        assert days == 1 or supply.days_of_supply(quantity - 1, dose, frequency) < days


@given(st.integers(1, 2000), doses, rhythms)
def test_more_goods_never_last_shorter(quantity, dose, frequency):
    assert supply.days_of_supply(quantity + 1, dose, frequency) >= supply.days_of_supply(quantity, dose, frequency) >= 1


@given(st.integers(1, 90), st.integers(1, 90), doses, rhythms)
def test_more_days_never_need_less(fewer, more, dose, frequency):
    fewer, more = sorted((fewer, more))

    assert supply.quantity_for(fewer, dose, frequency) <= supply.quantity_for(more, dose, frequency)


@given(st.integers(1, 5000), st.integers(1, 200))
def test_whole_packs_hold_what_is_needed_and_not_a_pack_more(quantity, pack_size):
    sold = supply.quantity_to_sell(quantity, pack_size, split_allowed=False)

    assert sold % pack_size == 0
    assert quantity <= sold < quantity + pack_size
    assert supply.quantity_to_sell(quantity, pack_size, split_allowed=True) == quantity


@pytest.mark.parametrize(("days", "dose", "how", "quantity"), [
    (7, 1, "tid", 21), (7, 1, "qod", 4), (7, 1, "biw", 2), (3, Decimal("0.5"), "bid", 3), (5, Decimal("0.5"), "qd", 3), (30, 2, "qd", 60), (14, 1, "qw", 2), (7, 2, "st", 2), (3, 1, "prn", 3),
])  # fmt: skip
def test_days_become_base_units(days, dose, how, quantity):
    assert supply.quantity_for(days, dose, FREQUENCIES[how]) == quantity


@pytest.mark.parametrize(("quantity", "dose", "how", "days"), [
    (24, 1, "tid", 8), (24, 2, "tid", 4), (20, 1, "tid", 6), (4, 1, "qod", 8), (7, Decimal("0.5"), "qd", 14), (28, 1, "qn", 28), (1, 2, "bid", 1), (10, 1, "prn", 10), (6, 1, "st", 1),
])  # fmt: skip
def test_base_units_become_whole_days(quantity, dose, how, days):
    assert supply.days_of_supply(quantity, dose, FREQUENCIES[how]) == days


@pytest.mark.parametrize(("amount", "unit_text", "base", "spec", "units"), [
    ("0.5", "g", "粒", "0.25g×24粒", 2), ("500", "mg", "粒", "0.25g×24粒", 2), ("2", "粒", "粒", "0.25g×24粒", 2), ("80万", "", "", "", None), ("10", "ml", "支", "10ml×6支", 1),
    ("5", "mg", "片", "10mg×30片", Fraction(1, 2)), ("50", "μg", "片", "50ug*100片", 1), ("1", "g", "袋", "3g×10袋", Fraction(1, 3)), ("5", "mg", "片", "薄膜衣", None), ("5", "ml", "片", "5mg×7片", None),
    ("80", "万IU", "支", "80万单位", 1), ("15", "g", "g", "统货", 15),
])  # fmt: skip
def test_a_dose_by_weight_becomes_pieces_by_the_specification(amount, unit_text, base, spec, units):
    if units is None and not unit_text:
        assert unit(unit_text) is None
    else:
        assert supply.base_units(Decimal(amount), unit_text, base, spec) == units


def test_the_words_fit_the_tables_of_the_interface():
    assert {each.national for each in FREQUENCIES.values()} <= codes.values("used_frqu")
    assert {each.national for each in ROUTES.values()} <= codes.values("drug_medc_way_code")
    assert all(codes.name("min_useunt", each.national) == each.code for each in UNITS.values() if each.national)
    assert {used_way(1), used_way(2)} == codes.values("tcmdrug_used_way")
    assert codes.name("tcmdrug_used_way", used_way(9)) == "复方"


def test_the_tables_name_the_frequencies_as_we_do():
    for code, each in FREQUENCIES.items():
        said = codes.name("used_frqu", each.national)
        if "（" in said and code != "qm":
            assert f"（{code}）" in said


def test_no_two_words_mean_the_same():
    for table in (FREQUENCIES, ROUTES, HANDLINGS, DECOCTIONS):
        said = [str(each.word) for each in table.values()]
        assert len(said) == len(set(said))
