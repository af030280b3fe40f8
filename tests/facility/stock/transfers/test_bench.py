"""The measurement of transfers runs and gives figures; how large they are is for make bench to say."""

from tests.benchmarks.transfers import LINES, measure_transfer
from tests.factories.shop import make_goods


def test_the_measurement_runs_and_leaves_the_books_in_order(town):
    goods = [make_goods(town.here, 2 * 6) for _ in range(LINES)]

    found = measure_transfer(town.here, town.there, goods, rounds=3)

    assert set(found) == {"per_second", "floor_per_second", "ratio"}
    assert found["per_second"] > 0
    town.check()
    assert all(town.everywhere(each) == (0, 0, 12) for each in goods)
