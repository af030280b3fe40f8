"""Both books at the center agree, and a pack's passport shows the journey."""

from app.center.db import transaction as center_transaction
from tests.facility.stock.transfers.conftest import all_of
from tests.factories.people import center_client, make_officer, sign_in_officer
from tests.factories.shop import make_goods
from tests.guards.filled import deliver

BOOKS = """
select m.act, m.counterpart, l.lot, sum(l.quantity)::bigint as quantity from movement m join movement_line l using (stream, epoch, number)
where m.stream = %(s)s and m.kind = 'moved' group by m.act, m.counterpart, l.lot order by m.act
"""


def books(center_app, shop):
    with center_app.app_context(), center_transaction("inbox", settings={}) as hot:
        return hot.run_last(BOOKS, {"s": shop.code})


def test_both_books_agree_and_the_passport_shows_the_journey(town, center_app, database_urls):
    goods = make_goods(town.here, 3)
    transfer = town.send(town.line(goods, 3))
    town.receive(transfer, all_of(goods, 2, reason="missing"))

    deliver(center_app, database_urls, town.here, town.there)

    units = 2 * goods.pack_size
    ours, theirs = (books(center_app, shop) for shop in (town.here, town.there))
    assert [(row.act, row.counterpart, row.quantity) for row in ours] == [
        ("hand_over", town.there.code, units), ("send", town.there.code, 3 * goods.pack_size),
    ]  # fmt: skip
    assert [(row.act, row.counterpart, row.lot, row.quantity) for row in theirs] == [
        ("arrive", town.here.code, goods.lot_number, units)
    ]
    client = center_client(center_app)
    sign_in_officer(client, make_officer(center_app, "officer", town.here.district))
    page = client.get(f"/passport/{goods.codes[0]}").get_data(as_text=True)
    assert town.here.name in page
    assert town.there.name in page
