"""The demo's buying: made by the room's own acts, so that every page of it shows something."""

from __future__ import annotations

from app.facility.stock.purchasing import demo, queries
from tests.facility.stock.conftest import text
from tests.factories.shop import desk_of, make_product


def test_the_demo_shows_something_on_every_page_of_buying(clerk, at_work):
    products = [(make_product(at_work, generic_name=f"演示药{number}"), 24) for number in range(5)]

    order = demo.load(desk_of(at_work, at_work.owner), desk_of(at_work, at_work.pharmacist), products)

    head, lines = queries.get_order(at_work.facility_id, order)
    assert (head.state, len(lines)) == ("placed", 3)
    assert [row.id for row in queries.list_proposals(at_work.facility_id)] == [
        product for product, _size in products[:2]
    ]
    assert "还有 25 天" in text(clerk.get("/stock/suppliers"))
    assert head.number in text(clerk.get("/stock/orders"))
