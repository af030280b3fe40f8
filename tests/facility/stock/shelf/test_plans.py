"""What the stock screens read is found by an index, however many movements the years have left."""

from __future__ import annotations

import pytest

from app.facility.db import db
from app.facility.stock.shelf import labels, ledger, lot_queries, queries
from app.facility.stock.shelf.rules import Look
from launcher.databases import connect
from tests.benchmarks import stock_rows
from tests.factories.people import make_pharmacy


@pytest.fixture(scope="module")
def filled(facility_app, database_urls):
    """A tenth of the bench's years: enough for plans to be those of a busy pharmacy."""
    pharmacy = make_pharmacy(facility_app)
    keys = {"t": pharmacy.tenant_id, "f": pharmacy.facility_id, "s": pharmacy.clerk}
    with connect(database_urls["facility"]["owner"]) as connection:
        for statement in stock_rows.STATEMENTS:
            connection.execute(statement.replace("1000000", "40000").replace("5000", "1000"), keys)
            connection.execute(
                "analyze product, lot, lot_balance, stock_movement, trace_code"
            )  # The next reads what this wrote.
        connection.execute("analyze product, lot, lot_balance, stock_movement, trace_code, trace_event, product_shelf, product_price")  # fmt: skip
    return pharmacy


@pytest.fixture
def explained(facility_app, filled, monkeypatch):
    """Plans instead of rows: what each statement run inside would do."""
    plans = []

    def run(statement, **params):
        plans.append("\n".join(row[0] for row in db.run(f"explain {statement}", **params)))
        return db.run(statement, **params)

    for module in (queries, lot_queries, ledger, labels):
        monkeypatch.setattr(module, "run", run)
    with facility_app.app_context(), filled.acting():
        yield plans
        db.session.rollback()


SALES = {
    "": {},
    "sale": {"kind": "SA"},
    "seldom": {"kind": "DM"},
    "person": {"staff": "1"},
    "later page": {"before": "2026-01-01T00:00:00+00:00~5"},
}


@pytest.mark.parametrize("name", SALES)
def test_the_ledger_is_read_by_moment(filled, explained, name):
    ledger.list_movements(filled.facility_id, ledger.Span.of(SALES[name]))

    assert "Seq Scan on stock_movement" not in explained[0]
    assert "stock_movement_by_time" in explained[0] or "stock_movement_seldom" in explained[0]


def test_a_products_ledger_is_read_by_product(filled, explained):
    ledger.list_movements(filled.facility_id, ledger.Span.of_product(1, ""))

    assert "stock_movement_of_product" in explained[0]


@pytest.mark.parametrize(
    "look", [{}, {"only": "near"}, {"only": "past"}, {"text": "yp43"}, {"order": "value"}, {"only": "short"}]
)
def test_the_shelf_reads_no_movement_but_of_what_it_shows(filled, explained, look):
    queries.list_shelf(filled.facility_id, Look(**look), 90)

    assert "Seq Scan on stock_movement" not in explained[0]
    assert "Index Only Scan using stock_movement_of_product" in explained[0]


def test_days_of_supply_are_summed_from_the_index_alone(filled, explained):
    queries.list_shelf(filled.facility_id, Look(order="days"), 90)

    assert "Seq Scan on stock_movement" not in explained[0]


def test_the_first_page_stops_when_it_is_full(filled, explained):
    queries.list_shelf(filled.facility_id, Look(), 90)

    assert "lot_balance_pick" in explained[0]
    assert "Seq Scan on lot_balance" not in explained[0]


def test_codes_are_found_lot_by_lot(filled, explained):
    lot_queries.list_codes(filled.facility_id, Look())

    assert "trace_code_of_lot" in explained[0]


@pytest.mark.parametrize("days", [30, 90])
def test_turnover_reads_no_whole_ledger(filled, explained, days):
    ledger.turnover(filled.facility_id, days, "gone")

    assert "Seq Scan on stock_movement" not in explained[0]


YEARS_OF_LABELS = (
    # Every price changed once a year, and every label was printed again each time; a tenth waits for its last print.
    """
    insert into product_price (tenant_id, product_id, pack_price, from_at, staff_id, reason)
    select tenant_id, id, 12.5 + year, now() - interval '1 year' * (6 - year), %(s)s, 'bench' from product, generate_series(1, 5) year where tenant_id = %(t)s
    """,
    """
    insert into price_change (tenant_id, id, facility_id, number, reason, from_at, staff_id, made_at, made_on, digest)
    values (%(t)s, '00000000-0000-4000-8000-000000000001', %(f)s, 'J1', 'bench', now(), %(s)s, now(), current_date, 'x')
    """,
    """
    insert into price_change_line (tenant_id, change_id, line_no, product_id, price_id, before_pack_price, pack_price)
    select tenant_id, '00000000-0000-4000-8000-000000000001', row_number() over (), product_id, id, pack_price - 1, pack_price
    from product_price where tenant_id = %(t)s and pack_price > 13
    """,
    """
    insert into label_print (tenant_id, print_id, line_no, facility_id, kind, size, product_id, price_id, copies, digest, staff_id, printed_at)
    select tenant_id, gen_random_uuid(), 1, %(f)s, 'shelf', '60x40', product_id, id, 1, 'x', %(s)s, from_at + interval '1 day'
    from product_price where tenant_id = %(t)s and (product_id %% 10 > 0 or pack_price < 17)
    """,
    "analyze product_price, price_change_line, label_print",
)


def test_labels_to_change_are_counted_by_probes(filled, explained, database_urls):
    keys = {"t": filled.tenant_id, "f": filled.facility_id, "s": filled.clerk}
    with connect(database_urls["facility"]["owner"]) as connection:
        for statement in YEARS_OF_LABELS:
            connection.execute(statement, keys)
        products = connection.execute("select count(*) from product where tenant_id = %(t)s and id %% 10 = 0", keys).fetchone()[0]  # fmt: skip

    due = labels.count_due(filled.facility_id)

    assert due == products
    assert "label_print_of_product" in explained[0]
    assert "Seq Scan on product_price" not in explained[0]
    assert "Seq Scan on lot_balance" not in explained[0]
