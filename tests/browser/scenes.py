"""People, prescriptions and boxes of the demo world, as several files of tests use them at the counter."""

from __future__ import annotations

from uuid import uuid4

from playwright.sync_api import expect

from tests.browser.hands import check_axe, lines, picture, press, scan, speak, type_in
from tests.center.world import some_certno


def look(page, name: str, drawn: bool = True, size: tuple[int, int] = (1280, 800)) -> None:
    """In Chinese, with a picture; then in English; both must be usable by everybody."""
    check_axe(page, name)
    if drawn:
        picture(page, name, size)
    speak(page, "en")
    check_axe(page, f"{name} in English")
    speak(page, "zh")


def insure(shop):
    """A person in service, the deductible met, a little left in the account."""
    from app.center.registry.actions import NewPerson, enrol_persons
    from app.core import tenancy

    number = uuid4().int
    holder = NewPerson(
        psn_no=f"{number % 10**20:020d}", name="张晓明", certno=some_certno("1", f"1981{number % 12 + 1:02d}{number % 28 + 1:02d}"), card=f"N{number % 10**8:08d}", district="330212",
        current_fen=5_840, deductible_fen=60_000, hifp_fen=231_860,
    )  # fmt: skip
    with shop.center.app_context(), tenancy.acting_as(district="33"):
        enrol_persons([holder])
    return holder


def enter_prescription(shop, holder) -> str:
    """A paper prescription that waits for its review, for a drug of its own; returns its number."""
    from app.core import clock
    from app.facility.till import prescriptions
    from tests.factories.shop import desk_of

    today, document = clock.business_date(), uuid4()
    number = f"CF{today:%y-%m%d}-{document.int % 10**9:09d}"
    drug = shop.goods(2, rx_class="RX")
    with shop.app.app_context(), shop.pharmacy.acting():
        paper = prescriptions.Paper(number, holder.name, "江海明", "二号诊所", today, "高血压")
        wanted = [prescriptions.Wanted(drug.product_id, 2, "口服，一日 1 次，一次 1 片")]
        prescriptions.enter_prescription(desk_of(shop.pharmacy), document, paper, wanted)
    return number


def prescribe(shop, positions, holder):
    """A reviewed prescription for two packs of each; returns its number, the codes of its packs, the holder's card."""
    from app.core import clock
    from app.core.personal import mask_name
    from app.facility.db import run
    from app.facility.till import prescriptions
    from tests.factories.shop import desk_of

    today, document = clock.business_date(), uuid4()
    number = f"CF{today:%y-%m%d}-{document.int % 10**9:09d}"
    with shop.app.app_context(), shop.pharmacy.acting():
        ids = [
            run("select id from product where code = :code", code=f"S{position + 1:04d}").scalar_one()
            for position in positions
        ]
        wanted = [prescriptions.Wanted(product, 2, "口服，一日 1 次，一次 1 片") for product in ids]
        paper = prescriptions.Paper(number, holder.name, "江海明", "二号诊所", today, "高血压")
        prescriptions.enter_prescription(desk_of(shop.pharmacy), document, paper, wanted)
        reviewer = desk_of(shop.pharmacy, shop.pharmacy.pharmacist)
        prescriptions.review_prescription(reviewer, document, mask_name("陈蓉"), passed=True, note="用法用量适宜")
        free = "select code from trace_code where product_id = :product and remaining > 0 and reserved = 0 order by code limit 2"
        codes = [row.code for product in ids for row in run(free, product=product)]
    return number, codes, holder.card


def take(page, number, codes, card) -> None:
    """Take a prescription into the basket, scan its boxes, read the card, look at the split."""
    press(page, "Alt+r")
    page.locator("#prescription-part tr", has_text=number).get_by_role("button", name="取用").click()
    expect(lines(page)).to_have_count(len(codes) // 2)
    for code in codes:
        scan(page, code)
    expect(page.locator("#basket .warn .ti")).to_have_count(0)
    read_card(page, card)


def read_card(page, card) -> None:
    press(page, "F2")
    type_in(page, card)
    press(page, "F9")
    expect(page.locator("#person .who")).to_be_visible()
    press(page, "F8")
    expect(page.locator("#split .due dd")).not_to_have_text("待算")


def free_code(shop, position) -> str:
    from app.facility.db import run

    with shop.app.app_context(), shop.pharmacy.acting():
        return run("select t.code from trace_code t join product p on p.tenant_id = t.tenant_id and p.id = t.product_id where p.code = :code and t.remaining > 0 and t.reserved = 0 order by t.code limit 1",
                   code=f"S{position + 1:04d}").scalar_one()  # fmt: skip
