"""One code sold for cash at two pharmacies: how long until the center's alert."""

from __future__ import annotations

import time
from uuid import uuid4

ROUNDS = 20


def waits_for_alerts(world) -> list[float]:
    """Milliseconds from the second sale's commit to the alert's row, one per round."""
    from app.core import tenancy
    from tests.factories.shop import make_code

    waits = []
    shops = world.shops[:2]
    desks = [tenancy.Desk(shop.tenant, shop.facility, shop.staff, "002 李*银") for shop in shops]
    for turn in range(ROUNDS):
        code = make_code()
        for shop, desk in zip(shops, desks, strict=True):
            with world.facility.app_context(), tenancy.as_tenant(shop.tenant):
                _receive(desk, shop.products[-1 - turn][0], code)  # One that has not moved: it is opened.
        sold_at = 0.0
        for shop, desk in zip(shops, desks, strict=True):
            with world.facility.app_context(), tenancy.as_tenant(shop.tenant):
                _sell(desk, code)
                sold_at = time.perf_counter()
        waits.append(_until_alert(world, code, sold_at))
    return waits


def _receive(desk, product, code) -> None:
    from datetime import date, timedelta

    from app.facility.stock.receiving import open_stock
    from app.facility.stock.rules import ReceiptLine

    open_stock(
        desk,
        uuid4(),
        [ReceiptLine(product, f"D{code[-6:]}", date.today() + timedelta(days=300), 1, codes=(code,))],
    )


def _sell(desk, code) -> None:
    from app.facility.counter import baskets, settling

    basket = uuid4()
    baskets.enter(desk, basket, code, "scan")
    settling.settle_basket(desk, basket, baskets.get_basket(desk, basket).version)


def _until_alert(world, code, sold_at) -> float:
    with world.owner("center") as center:
        while time.perf_counter() - sold_at < 20:
            if center.execute("select 1 from alert where code = %s limit 1", (code,)).fetchone():
                return (time.perf_counter() - sold_at) * 1000
            time.sleep(0.005)
    raise AssertionError("no alert within 20 seconds")
