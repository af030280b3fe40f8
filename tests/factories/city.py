"""Both wings together: a pharmacy that the center knows, persons it insures, drugs it pays for."""

from __future__ import annotations

import secrets
from uuid import uuid4

from app.center.db import transaction as center_transaction
from app.center.fund.publishing import publish_demo_policies
from app.center.registry import actions as registry
from app.core import tenancy
from app.facility.counter import baskets, settling
from app.facility.insurance import identify
from tests.center import world
from tests.factories.people import make_pharmacy
from tests.factories.shop import fill_basket, make_goods, make_product

_published: set[int] = set()


def make_insured_pharmacy(facility_app, center_app, **fields):
    """A pharmacy whose institution the center has registered with the same secret."""
    pharmacy = make_pharmacy(facility_app, **fields)
    register(center_app, pharmacy)
    return pharmacy


def register(center_app, pharmacy) -> None:
    with center_app.app_context(), tenancy.acting_as(district="33"):
        if id(center_app) not in _published:
            publish_demo_policies()
            _published.add(id(center_app))
        clinic = pharmacy.code.startswith("H")
        told = {"kind": "clinic", "benefit_class": "community"} if clinic else {}
        new = registry.NewInstitution(pharmacy.code, pharmacy.name, pharmacy.district, **told)
        registry.register_institution(new, pharmacy.center_secret.encode())


def make_insured(center_app, **fields):
    """An insured person; default: in service, deductible met, 100 yuan in the account."""
    return world.make_person(center_app, **({"current_fen": 10_000, "deductible_fen": 60_000} | fields))


def make_covered_goods(center_app, pharmacy, packs=10, grade="A", selfpay=0, ceiling=None, **fields):
    """Goods whose national code the center pays for."""
    national = f"XA{secrets.token_hex(10).upper()}"[:23]
    with center_app.app_context(), tenancy.acting_as(district="33"):
        registry.publish_items([registry.NewItem(national, "试药", grade, selfpay, ceiling)])
    product = make_product(pharmacy, national_code=national, **fields)
    return make_goods(pharmacy, packs, product_id=product)


def identify_at(desk, basket, person, how="card"):
    """Read the person's card at this desk into a basket."""
    read = identify.identify(desk, uuid4(), person.card, how)
    with tenancy.as_tenant(desk.tenant_id):
        baskets.set_person(desk, basket, read)
    return read


def sell_insured(desk, person, *entries, tenders=(), preview=True):
    """The whole insured sale: scan, read the card, look at the split, settle."""
    basket, version = fill_basket(desk, *entries)
    with tenancy.as_tenant(desk.tenant_id):
        identify_at(desk, basket, person)
        if preview:
            baskets.preview(desk, basket)
        version = baskets.get_basket(desk, basket).version
        return settling.settle_basket(desk, basket, version, tenders, seen=preview)


def at_center(center_app, statement, **params):
    """Rows as the interface role sees them."""
    with center_app.app_context(), center_transaction("interface", settings={}) as hot:
        return hot.run_last(statement, params)
