"""The bench's own databases: eight pharmacies, 5,000 products each with a lot and codes, 10,000 insured persons."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import psycopg

from launcher import settings
from launcher.databases import prepare
from launcher.postgres import Embedded

FACILITIES, PRODUCTS, PERSONS = 8, 5_000, 10_000
CODED = 900  # Products of each facility whose packs carry codes and are sold in the bench.
CODES = 40  # Packs with a code per such product.


@dataclass
class Shop:
    """One pharmacy of the bench and what its client needs."""

    tenant: int
    facility: int
    staff: int
    code: str
    products: list[tuple[int, str, str, int]]  # id, own code, national code, lot id
    more_staff: list[tuple[int, str]]  # Further clerks of the first shop: (id, number).


class World:
    """The embedded cluster of the bench and everybody's addresses."""

    def __init__(self, home) -> None:
        folder = home.folder / "bench"
        folder.mkdir(exist_ok=True)
        self.home = home
        self.embedded = Embedded(folder, "bench")
        self.shops: list[Shop] = []

    def start(self) -> World:
        import shutil

        shutil.rmtree(self.embedded.data, ignore_errors=True)
        self.embedded.start()
        passwords = self.home.secrets()
        self.urls = {wing: prepare(self.embedded.admin_url, wing, passwords) for wing in ("facility", "center")}
        self.environment = {
            **settings.environment(self.home, self.urls),
            "SUNMED_BRIDGE_SECRETS": str(self.embedded.folder / "bridge.json"),
        }
        os.environ.update(self.environment)
        self._fill()
        return self

    def stop(self) -> None:
        self.embedded.stop()

    def owner(self, wing: str) -> psycopg.Connection:
        return psycopg.connect(self.urls[wing]["owner"].replace("+psycopg", ""), autocommit=True)

    def analyze(self) -> None:
        """What autovacuum does within the first minute: without it, plans made over empty tables would be measured."""
        for wing in ("facility", "center"):
            with self.owner(wing) as connection:
                connection.execute("analyze")

    def _fill(self) -> None:
        import wsgi
        from app.facility.organizations import actions
        from app.facility.organizations.rules import Grant
        from tests.factories.people import PASSWORD, make_pharmacy

        self.center, self.facility = wsgi.make_center(), None
        self.facility = wsgi.make_facility(self.center)
        from app.center.fund.publishing import publish_demo_policies
        from app.center.registry import actions as registry
        from app.core import tenancy

        with self.center.app_context(), tenancy.acting_as(district="33"):
            publish_demo_policies()
        bridge = {}
        for number in range(2 * FACILITIES):  # The second half is the floor's: its facts go nowhere.
            shop = make_pharmacy(self.facility)
            with self.center.app_context(), tenancy.acting_as(district="33"):
                registry.register_institution(
                    registry.NewInstitution(shop.code, shop.name, shop.district), shop.center_secret.encode()
                )
            if number < FACILITIES:
                bridge[shop.code] = shop.center_secret
            more = []
            if not self.shops:
                for clerk in range(10, 9 + FACILITIES):
                    with self.facility.app_context(), tenancy.as_tenant(shop.tenant_id):
                        added = actions.add_staff(
                            actions.NewStaff(f"0{clerk}", f"店员{clerk}", password=PASSWORD),
                            [Grant("clerk", shop.facility_id)],
                        )
                    more.append((added.staff_id, f"0{clerk}"))
            self.shops.append(Shop(shop.tenant_id, shop.facility_id, shop.clerk, shop.code, [], more))
        Path(self.environment["SUNMED_BRIDGE_SECRETS"]).write_text(json.dumps(bridge))
        self._fill_facility()
        self._fill_center()

    def _fill_facility(self) -> None:
        with self.owner("facility") as connection:
            for shop in self.shops:
                for statement in PRODUCTS_SQL:
                    connection.execute(
                        statement,
                        {
                            "t": shop.tenant,
                            "f": shop.facility,
                            "s": shop.staff,
                            "n": PRODUCTS,
                            "coded": CODED,
                            "codes": CODES,
                            "ends": date.today() + timedelta(days=400),
                        },
                    )
                shop.products = [
                    tuple(row)
                    for row in connection.execute(
                        "select p.id, p.code, p.national_code, l.id from product p join lot l on l.tenant_id = p.tenant_id and l.product_id = p.id where p.tenant_id = %s order by p.id",
                        (shop.tenant,),
                    )
                ]
                for staff in (shop.staff, *(staff for staff, _ in shop.more_staff)):
                    connection.execute(
                        "insert into shift (tenant_id, id, facility_id, station, staff_id, opened_on, float_fen) values (%s, %s, %s, %s, %s, current_date, 0)",
                        (shop.tenant, uuid4(), shop.facility, f"S{staff}", staff),
                    )
            connection.execute("analyze")

    def _fill_center(self) -> None:
        from app.center.registry import actions as registry
        from app.core import tenancy
        from app.national import certno

        items = [
            registry.NewItem(f"XB{n:018d}", f"药品{n}", "A" if n % 3 else "B", 0 if n % 3 else 1000)
            for n in range(PRODUCTS)
        ]
        people = []
        for n in range(PERSONS):
            first = f"3302{12 + n % 8:02d}19{50 + n // 1000 * 4:02d}{n // 28 % 12 + 1:02d}{n % 28 + 1:02d}{n % 500 + 100:03d}"
            first = f"33{n % 90 + 10:02d}{n // 90 % 90 + 10:02d}19800101{n % 1000:03d}"
            people.append(
                registry.NewPerson(
                    f"3302{n:016d}",
                    "张建明",
                    first + certno.check_digit(first),
                    f"B{n:08d}",
                    "330212",
                    current_fen=1_000_000,
                    deductible_fen=60_000,
                )
            )
        with self.center.app_context(), tenancy.acting_as(district="33"):
            registry.publish_items(items)
            registry.enrol_persons(people)
        with self.owner("center") as connection:
            connection.execute("analyze")


PRODUCTS_SQL = (
    """
    insert into product (tenant_id, code, generic_name, spec, maker, national_code, barcode, pack_unit, base_unit, pack_size, rx_class, trace_required,
        initials, pinyin, search, digest, insurance_class)
    select %(t)s, 'P' || n, '药品' || n, '0.25g×24粒', '药厂', 'XB' || lpad(n::text, 18, '0'), '69' || lpad(n::text, 11, '0'), '盒', '粒', 24, 'OTC_B',
        n < %(coded)s, 'yp', 'yaopin' || n, 'yaopin' || n, 'x', 'A'
    from generate_series(0, %(n)s - 1) n
    """,
    "insert into product_price (tenant_id, product_id, pack_price, from_at, staff_id, reason) select tenant_id, id, 12.5, now(), %(s)s, 'bench' from product where tenant_id = %(t)s",
    "insert into lot (tenant_id, facility_id, product_id, lot_number, expires_on) select tenant_id, %(f)s, id, 'L' || code, %(ends)s from product where tenant_id = %(t)s",
    """
    insert into lot_balance (tenant_id, lot_id, zone, facility_id, product_id, expires_on, on_hand)
    select tenant_id, id, 'SALEABLE', facility_id, product_id, expires_on, 24 * 1000000 from lot where tenant_id = %(t)s
    """,
    """
    insert into trace_code (tenant_id, code, facility_id, product_id, lot_id, state, remaining)
    select l.tenant_id, '8' || lpad(%(t)s::text, 4, '0') || lpad(l.product_id::text, 8, '0') || lpad(k::text, 7, '0'), %(f)s, l.product_id, l.id, 'IN_STOCK', 24
    from lot l join product p on p.tenant_id = l.tenant_id and p.id = l.product_id and p.trace_required cross join generate_series(1, %(codes)s) k
    where l.tenant_id = %(t)s
    """,
)


def code_of(tenant: int, product: int, pack: int) -> str:
    """The code of a pack, as PRODUCTS_SQL made it."""
    return f"8{tenant:04d}{product:08d}{pack:07d}"
