"""The product in real processes, a browser before it, and for each test a person of their own with their own goods."""

from __future__ import annotations

import itertools
import os
import secrets
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from app.core import tenancy
from tests.browser import hands
from tests.browser.product import PASSWORD, Product
from tests.factories.people import Pharmacy
from tests.factories.shop import desk_of, make_goods

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--font-render-hinting=none"]  # fmt: skip
SIZE = {"width": 1280, "height": 800}
MOST_MS = (
    20_000  # What a page brings is waited for so long: many tests share the machine. Budgets are judged elsewhere.
)
NAMES = ("李小红", "周丽芬", "黄小燕", "吴春梅", "郑雅琴", "孙晓东")
_turn = itertools.count()
_numbers = itertools.count(20_001)


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


def find_chromium() -> str:
    """The browser to drive; without one the tests skip with that reason, but never in CI."""
    named = os.environ.get("SUNMED_CHROMIUM", "")
    found = (
        named
        if named and Path(named).exists()
        else next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
    )
    if not found:
        reason = "no Chromium here: install one (apt-get install chromium fonts-noto-cjk) or name it in SUNMED_CHROMIUM"
        if os.environ.get("CI", "").lower() in {"1", "true"}:
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def chromium():
    return find_chromium()


@pytest.fixture(scope="session")
def product(chromium):
    """Started once for the session. SUNMED_BROWSER_HOME keeps the home between runs, for whoever writes these tests."""
    with tempfile.TemporaryDirectory(prefix="sunmed-browser-", ignore_cleanup_errors=True) as folder:
        home = Path(os.environ.get("SUNMED_BROWSER_HOME") or folder)
        home.mkdir(mode=0o755, exist_ok=True)
        home.chmod(0o755)
        made = Product(home)
        try:
            made.start()
            yield made
        finally:
            made.stop()


@pytest.fixture(scope="session")
def playwright():
    with sync_playwright() as driver:
        yield driver


@pytest.fixture(scope="session")
def browser(playwright, chromium):
    opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
    yield opened
    opened.close()


@pytest.fixture
def new_page(browser):
    """Open a browser of a new person: an empty profile. Nothing on any page may break the script."""
    opened, wrong = [], []

    def make(language="zh", state=None):
        context = browser.new_context(
            viewport=SIZE,
            locale="zh-CN" if language == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            storage_state=state,
        )
        context.add_init_script(hands.WATCH)
        context.set_default_timeout(MOST_MS)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        opened.append(context)
        return page

    expect.set_options(timeout=MOST_MS)
    yield make
    for context in opened:
        context.close()
    assert not wrong, wrong


@dataclass
class Shop:
    """A facility of the demo world, as tests reach into it: new people and new goods, made by the product's own actions."""

    app: object
    center: object
    pharmacy: Pharmacy
    organization: str
    place: object

    def new_staff(self, role="clerk", name=None) -> str:
        """Somebody nobody else uses, so that shift and basket are theirs alone. Returns the staff number."""
        from app.facility.organizations import actions
        from app.facility.organizations.rules import Grant

        number = str(next(_numbers))
        with self.app.app_context(), self.pharmacy.acting():
            person = actions.NewStaff(number, name or NAMES[next(_turn) % len(NAMES)], password=PASSWORD, demo=True)
            actions.add_staff(person, [Grant(role, self.pharmacy.facility_id)])
        return number

    def goods(self, packs=6, **fields):
        """A product of its own on the shelf, each pack with its code; no prescription needed."""
        with self.app.app_context(), self.pharmacy.acting():
            return make_goods(self.pharmacy, packs, **(_of_its_own() | fields))

    def covered(self, packs=6, grade="A", **fields):
        """Goods that the center pays for."""
        from tests.factories.city import make_covered_goods

        with self.app.app_context(), self.pharmacy.acting():
            return make_covered_goods(self.center, self.pharmacy, packs, grade, **(_of_its_own() | fields))

    def code(self, position: int, pack: int) -> str:
        """The trace code of a demo pack."""
        from launcher.places import code_of

        return code_of(self.place, position, pack)


def _of_its_own() -> dict[str, str]:
    return {"code": f"B{secrets.token_hex(4).upper()}"}


@pytest.fixture(scope="session")
def wings(product):
    """Both applications in this process, on the product's databases: for making what a test needs."""
    from app.center.factory import create_app as make_center
    from app.facility.factory import create_app as make_facility

    urls = product.urls()
    center = make_center(urls["center"], secret="tests", testing=True)
    facility = make_facility(urls["facility"], secret="tests", testing=True, center=center)
    yield facility, center
    for app in (facility, center):
        with app.app_context():
            app.extensions["sqlalchemy"].close()


def shop_of(wings, place) -> Shop:
    from app.facility.db import run
    from app.facility.organizations import queries

    facility, center = wings
    with facility.app_context():
        owner = queries.ACCOUNTS.find(place.organization, "001")
        with tenancy.as_tenant(int(owner.realm)):
            here = run("select id, name from facility where national_code = :code", code=place.code).one()
            people = {
                row.number: row.id for row in run("select id, number from staff where number in ('001', '002', '003')")
            }
    pharmacy = Pharmacy(int(owner.realm), here.id, place.code, here.name, "", place.district, people["001"], people["002"], people["003"],
                        {people["001"]: "001", people["002"]: "002", people["003"]: "003"})  # fmt: skip
    return Shop(facility, center, pharmacy, place.organization, place)


@pytest.fixture(scope="session")
def shop(wings):
    """一号药店 of the demo world."""
    from launcher.places import PLACES

    return shop_of(wings, PLACES[0])


@pytest.fixture(scope="session")
def other_shop(wings):
    """三号药店, another tenant."""
    from launcher.places import PLACES

    return shop_of(wings, PLACES[2])


@pytest.fixture(autouse=True)
def mended_line(request):
    """Each test begins and ends with a whole line to the center."""
    if "product" in request.fixturenames:
        line = request.getfixturevalue("product").line
        line.loses.clear()
        yield
        line.loses.clear()
    else:
        yield


@pytest.fixture
def sign_in(product, new_page):
    """Sign somebody of a shop in; the page stands where the door leads."""

    def enter(shop, number, language="zh"):
        page = new_page(language)
        hands.sign_in(page, product.url, shop.organization, number)
        page.wait_for_url(lambda url: "/signin" not in url)
        return page

    return enter


@pytest.fixture
def till(product, shop, sign_in):
    """The counter of 一号药店 before a clerk of its own, shift open, nothing in the basket."""

    def open_till(at=shop, role="clerk", language="zh"):
        from tests.factories.shop import open_shift

        number = at.new_staff(role)
        with at.app.app_context(), at.pharmacy.acting():
            from app.facility.db import run

            staff = run("select id from staff where number = :number", number=number).scalar_one()
            open_shift(desk_of(at.pharmacy, staff), 20_000)
        page = sign_in(at, number, language)
        page.goto(f"{product.url}/counter")
        expect(page.locator("#entry")).to_be_focused()
        page.number = number
        return page

    return open_till


@pytest.fixture(scope="session")
def officer_state(product, browser):
    """An officer who came in by the door: each code of the authenticator is good once, so it is done seldom."""
    context = browser.new_context(viewport=SIZE, locale="zh-CN")
    come_in(context.new_page(), product)
    state = context.storage_state()
    context.close()
    return state


def come_in(page, product) -> None:
    page.context.clear_cookies()  # The door remembers where somebody works, and would ask for the rest only.
    hands.sign_in(page, f"{product.url}/center", "330200", "G01")
    page.wait_for_url("**/signin/second")
    expect(page.locator("main input:focus")).to_be_visible()
    hands.type_in(page, product.totp_now())
    hands.press(page, "Enter")
    page.wait_for_url(lambda url: "/signin" not in url)


@pytest.fixture
def officer(product, new_page, officer_state):
    page = new_page(state=officer_state)
    page.goto(f"{product.url}/center/")
    if "/signin" in page.url:  # A long run outlasts what the center allows nobody to do.
        come_in(page, product)
    officer_state.update(page.context.storage_state())
    return page
