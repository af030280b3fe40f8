"""Every page of the stock room, purchasing and the registers, walked over in a pharmacy where everything has happened once.

Nothing serious for axe, nothing wider than the window at a desk and on a telephone, no Chinese in the English pages but
what people typed, no error on the way. The pages come from the application's own addresses, so a new one is walked too.
"""

from dataclasses import replace
from decimal import Decimal
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from app.core import tenancy
from app.facility.db import run
from app.facility.stock.purchasing import orders, rules
from app.facility.stock.transfers import actions
from app.facility.stock.transfers.rules import Sent
from tests.browser import hands, walk
from tests.factories.people import PASSWORD
from tests.factories.shop import desk_of, make_goods, one
from tests.guards.filled import address, fill

DISTRICT = "330226"  # None of the demo's places lies there: what its center tells disturbs nobody else's test.


@pytest.fixture(scope="module")
def made(wings):
    """A pharmacy with a history, and what is still under way there."""
    facility, center = wings
    made = fill(facility, center, name="二十号药店", district=DISTRICT)
    with facility.app_context(), tenancy.as_tenant(made.pharmacy.tenant_id):
        _on_its_way(made)
        made.ids["draft_order_id"] = uuid4()
        lines = [rules.OrderLine(made.goods.product_id, 3, Decimal("8.20"))]
        orders.save_order(desk_of(made.pharmacy, made.pharmacy.owner), made.ids["draft_order_id"], made.ids["supplier_id"], lines)  # fmt: skip
    return made


def _on_its_way(made) -> None:
    """The branch sends something here; nobody has opened it yet."""
    branch = run("select id from facility where id <> :here", here=made.pharmacy.facility_id).scalar_one()
    there, coming = replace(made.pharmacy, facility_id=branch), uuid4()
    goods = make_goods(there, 3)
    lot = one(there, "select id from lot where tenant_id = %(t)s and product_id = %(p)s", p=goods.product_id).id
    sent = Sent(lot, "SALEABLE", 3 * goods.pack_size, goods.codes)
    actions.send_transfer(desk_of(there), coming, made.pharmacy.facility_id, [sent], "备货")
    made.ids["coming_id"] = coming


@pytest.fixture
def owner(product, made, new_page):
    """The owner of that pharmacy at a browser; what the browser complains of is kept."""
    page = new_page()
    page.complaints = []
    page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
    hands.sign_in(page, product.url, made.pharmacy.code, "001", PASSWORD)
    page.wait_for_url(lambda url: "/signin" not in url)
    return page


def test_every_page_stands_in_both_languages_at_a_desk_and_on_a_telephone(owner, product, wings, made):
    typed = walk.typed_into(product.owner_url("facility"), made.pharmacy.tenant_id)
    sights = walk.sights_of(wings[0], made.ids)
    wrong = [f"{sight.path} ({sight.endpoint}): {each}" for sight in sights for each in _look(owner, product.url, sight, typed)]  # fmt: skip

    assert len(sights) > 90
    assert wrong == [], "\n".join(wrong)


def _look(page, url, sight, typed):
    """Everything wrong with one page, in the language and the size it shows in."""
    desk, telephone = walk.SIZES
    for language, sizes in (("zh", (desk, telephone)), ("en", (telephone, desk))):
        page.context.add_cookies([{"name": "lang", "value": language, "url": url}])
        answer = page.goto(url + sight.path, wait_until="domcontentloaded")
        if answer.status != 200 or urlsplit(page.url).path != urlsplit(sight.path).path:
            yield f"answers {answer.status} at {page.url}"
            return
        yield from _for_everybody(page) if language == "zh" and sight.first else ()
        yield from walk.untranslated(page, typed) if language == "en" else walk.undrawn(page)
        for size in sizes:
            if wider := walk.overflow(page, size):
                yield f"{language} {size[0]}: {wider}"
        yield from _complaints(page)


def _for_everybody(page):
    try:
        hands.check_axe(page, "axe")
    except AssertionError as found:
        yield str(found)


def _complaints(page):
    yield from page.complaints
    page.complaints.clear()


def test_what_is_left_out_is_no_page(owner, product, wings, made):
    """A name on the list stands for an address that is there, and shows no page of ours when it is asked."""
    left = {rule.endpoint: rule for rule in walk.rules_of(wings[0]) if rule.endpoint in walk.LEFT_OUT}

    assert left.keys() == walk.LEFT_OUT.keys()
    for endpoint, rule in left.items():
        answer = owner.request.get(product.url + address(wings[0], rule, made.ids), max_redirects=0)
        body = answer.body().lstrip()[:200].lower()
        assert answer.status < 500, endpoint
        assert not (answer.ok and body.startswith(b"<!doctype")), f"{endpoint} shows a page: walk over it"
