"""The demo world's products: loaded through actions, once, and fit to be sold."""

from __future__ import annotations

import pytest

from app.facility.catalog import queries
from app.facility.catalog.demo import load
from app.facility.catalog.importer.words import is_barcode_sound


@pytest.fixture
def demo(at_work):
    load(at_work.owner)
    return at_work


def test_about_two_hundred_products_come_in_once(demo):
    assert queries.count_products()[""] == 204

    assert len(load(demo.owner)) == 204
    assert queries.count_products()[""] == 204


def test_demo_products_can_be_sold_found_and_settled(demo):
    cards, after = [], ""
    while True:
        page, after = queries.list_products(after=after)
        cards += page
        if not after:
            break

    assert all(card.pack_price and card.pack_price > 0 for card in cards)
    assert all(is_barcode_sound(card.barcode) for card in cards if card.barcode)
    assert sum(1 for card in cards if card.national_code) == 82
    assert sum(1 for card in cards if card.split_allowed and card.split_price) >= 8
    assert {card.rx_class for card in cards} == {"RX", "OTC_A", "OTC_B", "DEVICE", "FOOD", "HERB"}
    assert queries.find_products("amxl")[0].spec == "0.25g*24粒"


def test_demo_herbs_are_counted_in_hundredths_of_a_gram(demo):
    herb = queries.find_products("黄芪")[0]

    assert (herb.pack_unit, herb.base_unit, herb.pack_size, herb.split_allowed) == ("克", "0.01克", 100, True)
