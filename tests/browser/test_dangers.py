"""The dangerous minute as a clerk meets it: twice, backwards, in two tabs, without an answer, after a crash."""

import contextlib
import os
import re
import signal
import subprocess
import time

import psycopg
from playwright.sync_api import expect

from tests.browser import hands
from tests.browser.conftest import FLAGS, SIZE
from tests.browser.hands import CARD, expect_settled, lines, press, printed, scan, scan_line, type_in
from tests.browser.scenes import insure, read_card


def sales_of(shop, page):
    """How many sales this test's clerk has made, and how many of them are settled."""
    from tests.factories.shop import one

    with shop.app.app_context():
        return one(
            shop.pharmacy,
            """select count(*) as made, count(*) filter (where s.state = 'settled') as settled from sale s
            join staff f on f.tenant_id = s.tenant_id and f.id = s.staff_id where s.tenant_id = %(t)s and f.number = %(number)s""",
            number=page.number,
        )  # fmt: skip


def ready_to_settle(page, goods, card=1):
    scan_line(page, goods.codes[0], 1)
    press(page, "F2")
    type_in(page, CARD.format(card))
    press(page, "F9")
    expect(page.locator("#split .due")).to_contain_text("待算")
    press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")


def test_a_double_click_sells_once(till, shop):
    goods = shop.goods(2)
    page = till()
    scan_line(page, goods.codes[0], 1)
    page.locator("#go [data-primary]").dblclick()
    expect_settled(page)
    page.wait_for_timeout(500)
    assert sales_of(shop, page) == (1, 1)


def test_f9_held_down_sells_once(till, shop):
    goods = shop.goods(2)
    page = till()
    scan_line(page, goods.codes[0], 1)
    page.keyboard.down("F9")
    page.keyboard.down("F9")
    page.keyboard.down("F9")
    page.keyboard.up("F9")
    expect_settled(page)
    assert sales_of(shop, page) == (1, 1)


def test_the_back_button_after_settling_sells_nothing(till, shop, product):
    goods = shop.goods(2)
    page = till()
    scan_line(page, goods.codes[0], 1)
    press(page, "F9")
    expect_settled(page)
    page.goto(f"{product.url}/stock")
    page.go_back()
    expect(page.locator("#counter")).to_have_attribute("data-state", "empty")
    expect(page.locator("#entry")).to_be_visible()
    press(page, "F9")
    page.wait_for_timeout(400)
    assert sales_of(shop, page) == (1, 1)


def test_a_second_tab_cannot_sell_the_same_basket_again(till, shop, product):
    goods = shop.goods(3)
    page = till()
    scan_line(page, goods.codes[0], 1)
    second = page.context.new_page()
    second.goto(f"{product.url}/counter")
    expect(lines(second)).to_have_count(1)
    page.bring_to_front()
    press(page, "F9")
    expect_settled(page)
    second.bring_to_front()
    press(second, "F9")
    expect(second.locator("#counter")).to_have_attribute("data-state", "empty")
    assert sales_of(shop, page) == (1, 1)


def test_a_change_in_one_tab_is_not_overwritten_by_the_other(till, shop, product):
    goods = shop.goods(3)
    page = till()
    scan_line(page, goods.codes[0], 1)
    second = page.context.new_page()
    second.goto(f"{product.url}/counter")
    expect(lines(second)).to_have_count(1)
    scan(second, goods.codes[1])
    expect(second.locator("#line-1 .qty")).to_have_text("2")
    page.bring_to_front()
    scan(page, goods.codes[2])
    expect(page.locator("#line-1 .qty")).to_have_text("3")


def test_a_lost_answer_is_asked_for_and_ends_settled(till, shop):
    goods = shop.goods(1)
    page = till()
    scan_line(page, goods.codes[0], 1)

    def lose(route):
        route.fetch()
        route.abort("connectionreset")

    page.route("**/settlement", lose)
    press(page, "F9")
    expect_settled(page)
    printed(page, 1)
    assert sales_of(shop, page) == (1, 1)


def test_a_question_that_never_arrived_leaves_the_basket(till, shop):
    goods = shop.goods(1)
    page = till()
    scan_line(page, goods.codes[0], 1)
    waits = []

    def hold(route):
        waits.append(route)

    page.route("**/settlement", lambda route: route.abort("connectionfailed"))
    page.route("**/outcome", hold)
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("没有收到结算的回答")
    page.unroute("**/outcome")
    for route in waits:
        route.continue_()
    expect(page.locator("#notice")).to_contain_text("这一单没有送到")
    expect(page.locator("#go [data-primary]")).to_be_enabled()
    expect(lines(page)).to_have_count(1)
    page.unroute("**/settlement")
    press(page, "F9")
    expect_settled(page)
    assert sales_of(shop, page) == (1, 1)


def test_what_the_center_refuses_is_said_and_stays_said(till, shop):
    from app.center.registry.actions import set_status
    from app.core import tenancy

    goods, holder = shop.covered(packs=1, pack_price="20.00"), insure(shop)
    page = till()
    scan_line(page, goods.codes[0], 1)
    read_card(page, holder.card)
    with shop.center.app_context(), tenancy.acting_as(district="33"):
        set_status(holder.psn_no, "frozen", "F02")
    press(page, "F9")
    expect(page.locator("#notice")).to_contain_text("医保中心没有受理")
    expect(page.locator("#go [data-primary]")).to_be_enabled()
    expect(lines(page)).to_have_count(1)
    assert sales_of(shop, page) == (1, 0)


def test_outcome_unknown_locks_and_ends_by_itself_settled(till, shop, product):
    """The center settled and its answer was lost on the way."""
    goods = shop.covered(packs=1, pack_price="20.00")
    page = till()
    ready_to_settle(page, goods, 3)
    product.line.loses["2102"] = "answer"
    press(page, "F9")
    panel = page.locator("#money.ask")
    expect(panel).to_contain_text("正在与中心核对，请勿再次刷卡")
    hands.check_axe(page, "unknown")
    expect(page.locator("[data-since]")).to_have_text(re.compile(r"(?!00:00)\d\d:\d\d"))
    assert page.locator("#go [data-primary]").count() == 0
    press(page, "F9")
    press(page, "F2")
    scan(page, CARD.format(3))
    expect(page.locator("#person-dialog")).not_to_be_visible()
    expect(panel).to_be_visible()
    product.line.loses.clear()
    expect_settled(page)
    printed(page, 1)
    assert sales_of(shop, page) == (1, 1)


def test_a_sale_is_given_up_after_two_minutes_and_the_center_takes_it_back(till, shop, product):
    """The center settled; nothing it says comes through. The clerk gives up, the settlement is reversed, the basket is free."""
    goods, holder = shop.covered(packs=1, pack_price="20.00"), insure(shop)
    page = till()
    scan_line(page, goods.codes[0], 1)
    read_card(page, holder.card)
    product.line.loses.update({"2102": "answer", "2601": "question"})
    press(page, "F9")
    panel = page.locator("#money.ask")
    expect(panel).to_contain_text("正在与中心核对，请勿再次刷卡")
    give_up = panel.get_by_role("button", name="放弃这一单，冲正后解锁")
    expect(give_up).to_have_count(0)
    age_sale(product, shop, page.number, minutes=2)
    expect(give_up).to_be_visible()
    hands.check_axe(page, "unknown for two minutes")
    give_up.focus()
    page.wait_for_timeout(2_500)  # The panel asks anew every two seconds, and takes no focus away.
    expect(give_up).to_be_focused()
    press(page, "Enter")
    expect(panel).to_contain_text("已放弃")
    expect(give_up).to_have_count(0)
    assert money_of(product, holder) == [2000]
    product.line.loses.pop("2601")
    expect(page.locator("#go [data-primary]")).to_be_visible(timeout=30_000)
    expect(lines(page)).to_have_count(1)
    assert sales_of(shop, page) == (1, 0)
    assert money_of(product, holder) == [2000, -2000]
    product.line.loses.clear()
    if page.locator("#split .due", has_text="待算").count():
        press(page, "F8")
    expect(page.locator("#split .due dd")).to_have_text("0.00")
    press(page, "F9")
    expect_settled(page)
    assert sales_of(shop, page) == (2, 1)
    assert money_of(product, holder) == [2000, -2000, 2000]


def age_sale(product, shop, number, minutes):
    """Let time pass for the sale of this clerk whose outcome is open: it was asked for so many minutes earlier."""
    with psycopg.connect(product.owner_url("facility")) as connection:
        connection.execute("select set_config('app.tenant_id', %s, true)", [str(shop.pharmacy.tenant_id)])
        aged = connection.execute(
            """update sale s set asked_at = asked_at - make_interval(mins => %s) from staff f
            where f.tenant_id = s.tenant_id and f.id = s.staff_id and f.number = %s and s.state = 'asked'""",
            [minutes, number],
        )  # fmt: skip
        assert aged.rowcount == 1


def money_of(product, holder):
    """The totals of a person's settlements at the center, in their order; a reversal takes back."""
    with psycopg.connect(product.owner_url("center")) as connection:
        statement = "select total_fen from settlement where psn_no = %s order by settled_at, setl_id"
        return [total for (total,) in connection.execute(statement, [holder.psn_no])]


def test_outcome_unknown_goes_to_the_background_by_f4(till, shop, product):
    """The center never heard: the clerk serves the next person, and the attempt ends by itself."""
    goods, other = shop.covered(packs=1, pack_price="20.00"), shop.goods(1)
    page = till()
    ready_to_settle(page, goods, 3)
    product.line.loses["2102"] = "question"
    press(page, "F9")
    expect(page.locator("#money.ask")).to_be_visible()
    press(page, "F4")
    expect(page.locator("#counter")).to_have_attribute("data-state", "empty")
    expect(page.locator("#person")).to_contain_text("正在后台核对 1")
    scan_line(page, other.codes[0], 1)
    press(page, "F9")
    expect_settled(page)
    product.line.loses.clear()
    for _ in range(120):
        if sales_of(shop, page).settled == 2:
            break
        time.sleep(0.5)
    assert sales_of(shop, page) == (2, 2)
    page.reload()
    expect(page.locator("#person")).not_to_contain_text("正在后台核对")


def test_the_basket_survives_a_killed_browser(product, shop, till, playwright, chromium, tmp_path):
    """SIGKILL for the whole browser in the middle of a sale; started again, the basket is there."""
    goods = shop.goods(2)
    number = shop.new_staff()
    first = Browser(playwright, chromium, tmp_path / "profile")
    try:
        page = first.open(product, shop, number)
        page.locator("#float, [name=float]").first.fill("100")
        press(page, "F9")
        expect(page.locator("#entry")).to_be_focused()
        scan_line(page, goods.codes[0], 1)
        scan(page, goods.codes[1])
        expect(page.locator("#line-1 .qty")).to_have_text("2")
    finally:
        first.kill()
    again = Browser(playwright, chromium, tmp_path / "profile")
    try:
        page = again.open(product, shop, number)
        expect(lines(page)).to_have_count(1)
        expect(page.locator("#line-1 .qty")).to_have_text("2")
        press(page, "F9")
        expect_settled(page)
    finally:
        again.kill()


class Browser:
    """A browser of its own process, which can be killed."""

    def __init__(self, playwright, chromium, profile):
        port = profile / "DevToolsActivePort"
        port.unlink(missing_ok=True)  # Of the one that was killed.
        self.process = subprocess.Popen(
            [chromium, "--headless", "--remote-debugging-port=0", f"--user-data-dir={profile}", *FLAGS, "about:blank"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until = time.monotonic() + 60
        while not (port.exists() and port.read_text().count("\n") and self._answers(int(port.read_text().split()[0]))):
            assert time.monotonic() < until, "the browser did not start"
            time.sleep(0.1)
        self.connected = playwright.chromium.connect_over_cdp(f"http://127.0.0.1:{port.read_text().split()[0]}")

    @staticmethod
    def _answers(port):
        import socket

        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    def open(self, product, shop, number):
        page = self.connected.contexts[0].new_page()
        page.set_viewport_size(SIZE)
        page.add_init_script(hands.WATCH)
        page.goto(f"{product.url}/counter")
        if "/signin" in page.url:
            hands.sign_in(page, product.url, shop.organization, number)
            page.wait_for_url(lambda url: "/signin" not in url)
            page.goto(f"{product.url}/counter")
        return page

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        with contextlib.suppress(Exception):
            self.connected.close()
