"""The counts' pages: empty, going on, blind, closed, approved, on paper and in Excel, and closed to strangers."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.catalog.house_codes import house_code
from tests.facility.stock.conftest import text
from tests.facility.stock.counts.world import at, cells, entry
from tests.factories.people import post
from tests.factories.shop import make_code, make_goods, make_product, plain

# ---- the list and a new count ----------------------------------------------------------------------------------------


def test_a_facility_without_counts_reads_what_counting_is(clerk):
    page = text(clerk.get("/stock/counts"))

    assert "还没有盘过" in page
    assert "该做全面盘点了" not in page


def test_what_is_due_is_said_until_it_is_done(clerk, pharmacy, desk, open_count):
    goods = plain(pharmacy, 2, special_class="EPHEDRINE")
    page = text(clerk.get("/stock/counts"))
    assert "该做全面盘点了" in page
    assert "特殊管理药品该盘点了" in page

    count = open_count()
    count.enter(goods, 2)
    count.close()
    count.approve()

    page = text(clerk.get("/stock/counts"))
    assert "该盘点了" not in page
    assert "该做全面盘点了" not in page
    assert "已审批" in page


def test_a_count_is_opened_from_the_page(owner, pharmacy, desk):
    plain(pharmacy, 2)
    document = str(uuid4())

    answer = post(owner, "/stock/counts/new", {"document": document, "scope": "full", "blind": "1"})

    assert answer.status_code == 303
    assert "盲盘" in text(owner.get(answer.location))


def test_products_are_found_and_chosen_without_any_script(owner, pharmacy, desk):
    goods = plain(pharmacy, 2, generic_name="板蓝根颗粒")

    page = text(post(owner, "/stock/counts/new", {"scope": "product", "q": "blg", "find": "1"}))
    assert 'formmethod="get"' not in page  # Or the form's token would stand in the address.
    assert f'value="{goods.product_id}" checked' in page
    answer = post(
        owner, "/stock/counts/new", {"document": str(uuid4()), "scope": "product", "product": str(goods.product_id)}
    )

    assert answer.status_code == 303


@pytest.mark.parametrize(
    "wrong",
    [{"scope": "shelf"}, {"scope": "product"}, {"scope": "all"}, {}, {"scope": "product", "product": "x"}, {"scope": "full", "document": "x"}, {"scope": "shelf", "shelf": "Z"}],
)  # fmt: skip
def test_a_count_of_nothing_says_why(owner, pharmacy, desk, wrong):
    answer = post(owner, "/stock/counts/new", {"document": str(uuid4())} | wrong)

    assert answer.status_code in {400, 422}
    assert "盘点" in text(answer)


# ---- counting --------------------------------------------------------------------------------------------------------


def test_a_scanned_code_opens_its_line_with_one_pack(clerk, pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 3)
    count = open_count()

    page = text(clerk.get(at(count, f"/counting?q={goods.codes[0]}&place=A01")))

    assert goods.lot_number in page
    assert f">{goods.codes[0]}</textarea>" in page
    assert 'value="1"' in page


def test_a_shelf_label_of_ours_opens_its_line(clerk, pharmacy, desk, open_count):
    goods, other = plain(pharmacy, barcode=None), plain(pharmacy)
    count = open_count()

    page = text(clerk.get(at(count, f"/counting?q={house_code(goods.product_id)}&place=A01")))

    assert f'name="line" value="{count.line(goods).line_no}"' in page
    assert other.lot_number not in page


def test_a_name_that_means_several_lots_lets_choose(clerk, pharmacy, desk, open_count):
    product = make_product(pharmacy, trace_required=False, generic_name="板蓝根颗粒")
    for lot in ("L-1", "L-2"):
        make_goods(pharmacy, 2, coded=False, product_id=product, lot_number=lot)
    count = open_count()

    page = text(clerk.get(at(count, "/counting?q=blg")))

    assert page.count("data-found") == 2


def test_an_entry_is_saved_and_the_next_scan_goes_on(clerk, pharmacy, desk, open_count):
    goods, other = plain(pharmacy, 10), make_goods(pharmacy, 1)
    count = open_count()

    answer = post(clerk, at(count, "/entries"), entry(count, goods, 10, next=other.codes[0]))
    assert answer.status_code == 303
    page = text(clerk.get(answer.location))

    assert other.lot_number in page
    assert goods.name in page  # What I entered last.
    count.close()
    assert count.difference(goods) == 0


def test_a_place_counted_already_says_so_and_keeps_what_was_typed(clerk, pharmacist, pharmacy, desk, open_count):
    goods = plain(pharmacy, 10)
    count = open_count()
    count.enter(goods, 4)

    answer = post(pharmacist, at(count, "/entries"), entry(count, goods, 10))

    assert answer.status_code == 409
    page = text(answer)
    assert "点过这一行" in page
    assert 'name="packs" class="form-control big" inputmode="numeric" pattern="[0-9]*" maxlength="9" value="10"' in page
    standing = re.search(r'name="replaces" value="([^"]+)"', page)[1]
    assert post(pharmacist, at(count, "/entries"), entry(count, goods, 10, replaces=standing)).status_code == 303


@pytest.mark.parametrize("wrong", [{"packs": ""}, {"packs": "-1"}, {"packs": "1.5"}, {"codes": "?"}, {"document": "x"}, {"place": "长" * 30}, {"replaces": "x"}])  # fmt: skip
def test_a_wrong_entry_is_refused_with_a_sentence(clerk, pharmacy, desk, open_count, wrong):
    goods = plain(pharmacy, 10)
    count = open_count()

    answer = post(clerk, at(count, "/entries"), entry(count, goods, 10) | wrong)

    assert answer.status_code in {400, 409, 422}


def test_blind_counters_see_the_book_nowhere(clerk, pharmacy, desk, open_count):
    goods = plain(pharmacy, 1717)
    for blind in (True, False):
        count = open_count(blind=blind)
        line = count.line(goods).line_no
        pages = [
            clerk.get(at(count, what))
            for what in (
                f"/counting?line={line}",
                f"/counting?q={goods.lot_number}",
                "/sheet",
                f"/lines?q={goods.lot_number}",
                "",
            )
        ]
        shown = "".join(text(page) for page in pages) + cells(clerk.get(at(count, "/sheet.xlsx")).data)

        assert [page.status_code for page in pages] == [200] * 5
        assert ("1717" in shown or "1,717" in shown) is not blind
        assert clerk.get(at(count, "/differences")).status_code == 403
        from app.facility.stock.counts import actions

        actions.withdraw_count(count.leader, count.id)


def test_found_goods_are_put_on_the_list(clerk, pharmacy, desk, open_count):
    plain(pharmacy, 1)
    product = make_product(pharmacy, generic_name="藿香正气水", trace_required=False)
    count = open_count()

    assert "盘点发现" in text(clerk.get(at(count, "/counting?q=没有的")))
    assert "藿香正气水" in text(clerk.get(at(count, "/finds?q=hxzq")))
    answer = post(
        clerk,
        at(count, "/finds"),
        {"product": str(product), "lot": "F-1", "expires_on": "2028-05-31", "zone": "SALEABLE", "place": "柜下"},
    )

    assert answer.status_code == 303
    assert "F-1" in text(clerk.get(answer.location))
    for wrong in ({"product": ""}, {"lot": ""}, {"expires_on": "?"}, {"zone": "MOON"}):
        sent = {"product": str(product), "lot": "F-1", "expires_on": "2028-05-31", "zone": "SALEABLE"} | wrong
        assert post(clerk, at(count, "/finds"), sent).status_code in {400, 422}


def test_a_code_outside_the_scope_can_be_added(clerk, pharmacy, desk, open_count):
    from app.facility.stock.counts.actions import Scope

    goods, other = make_goods(pharmacy, 1), make_goods(pharmacy, 1)
    count = open_count(Scope("product", products=(goods.product_id,)))

    page = text(clerk.get(at(count, f"/counting?q={other.codes[0]}")))
    assert "不在盘点范围里" in page
    lot = re.search(r'name="lot_id" value="(\d+)"', page)[1]
    answer = post(clerk, at(count, "/finds"), {"lot_id": lot, "zone": "SALEABLE"})

    assert other.lot_number in text(clerk.get(answer.location))
    known = clerk.get(at(count, f"/lines?q={other.codes[0]}")).get_json()
    assert (len(known["lines"]), known["known"]) == (1, True)
    assert clerk.get(at(count, f"/lines?q={make_code()}")).get_json() == {"lines": [], "known": False}


# ---- leading ---------------------------------------------------------------------------------------------------------


def test_a_count_is_closed_explained_and_approved_on_its_pages(owner, clerk, pharmacist, pharmacy, desk, open_count):
    goods = make_goods(pharmacy, 4)
    count = open_count()
    strange = make_code()
    post(clerk, at(count, "/entries"), entry(count, goods, 3, codes=" ".join([*goods.codes[:2], strange])))

    assert "李收银" in text(owner.get(at(count)))
    answer = post(owner, at(count, "/closing"), {"rest": "leave"})
    assert answer.status_code == 303, text(answer)
    page = text(owner.get(answer.location))
    assert "请选原因" in page
    assert strange in page  # Named among the codes that do not belong.
    line = str(count.line(goods).line_no)
    assert post(owner, at(count, "/reasons"), {"line": line, "reason": "other", "note": ""}).status_code == 422
    assert (
        post(owner, at(count, "/reasons"), {"line": line, "reason": "missing", "note": "监控可查"}).status_code == 303
    )
    assert post(owner, at(count, "/approval"), {"version": str(count.head.version)}).status_code == 409
    answer = post(pharmacist, at(count, "/approval"), {"version": str(count.head.version)})
    assert answer.status_code == 409  # Two codes are missing where one pack is.
    assert "扫" in text(answer)

    post(owner, at(count, "/reopenings"))
    page = text(clerk.get(at(count, f"/counting?line={line}&place=货架")))
    standing = re.search(r'name="replaces" value="([^"]+)"', page)[1]
    post(clerk, at(count, "/entries"), entry(count, goods, 3, codes=" ".join(goods.codes[:3]), replaces=standing))
    post(owner, at(count, "/closing"))
    page = text(pharmacist.get(at(count, "/differences")))
    assert goods.codes[3] in page  # The missing one.
    answer = post(pharmacist, at(count, "/approval"), {"version": str(count.head.version)})

    assert answer.status_code == 303
    assert "已审批" in text(pharmacist.get(answer.location))
    assert "赵药师" in text(owner.get(at(count)))


def test_a_clerk_approves_nothing(clerk, pharmacy, desk, open_count):
    plain(pharmacy, 1)
    count = open_count()

    assert post(clerk, at(count, "/approval"), {"version": "1"}).status_code == 403


def test_a_count_is_withdrawn(owner, pharmacy, desk, open_count):
    plain(pharmacy, 1)
    count = open_count()
    assert "点过的 0 行不再算数" in text(owner.get(at(count)))

    assert post(owner, at(count, "/withdrawal")).status_code == 303
    assert "已撤销" in text(owner.get(at(count)))
    assert owner.get(at(count, "/counting")).status_code == 303


# ---- strangers, budgets, languages -----------------------------------------------------------------------------------


def test_strangers_find_nothing(stranger, pharmacy, desk, open_count):
    goods = plain(pharmacy, 3)
    count = open_count()

    for what in ("", "/counting", "/lines?q=1", "/finds", "/sheet", "/sheet.xlsx", "/sheets", "/differences"):
        assert stranger.get(at(count, what)).status_code == 404, what
    for what in ("/entries", "/closing", "/reopenings", "/withdrawal", "/reasons", "/approval"):
        assert (
            post(
                stranger, at(count, what), entry(count, goods, 1) | {"version": "1", "reason": "", "note": ""}
            ).status_code
            == 404
        ), what
    assert count.number not in text(stranger.get("/stock/counts"))


def test_pages_take_few_statements_however_many_lines(owner, pharmacy, desk, open_count):
    shelf = [plain(pharmacy, 2) for _ in range(8)]
    count = open_count()
    for goods in shelf:
        count.enter(goods, 1)
    ran = {}
    for what, page in (
        ("list", "/stock/counts"),
        ("progress", at(count)),
        ("counting", at(count, f"/counting?line={count.line(shelf[0]).line_no}")),
    ):
        owner.get(page)
        with statements() as here:
            assert owner.get(page).status_code == 200
        ran[what] = sum("count_" in one_of or "stock_count" in one_of for one_of in here)
    count.close()
    with statements() as here:
        owner.get(at(count, "/differences"))
    ran["differences"] = sum("count_" in one_of or "stock_count" in one_of for one_of in here)

    assert ran == {"list": 2, "progress": 4, "counting": 4, "differences": 6}


def test_a_long_list_of_counts_has_pages(owner, pharmacy, desk, open_count, monkeypatch):
    from app.facility.stock.counts import actions, queries

    monkeypatch.setattr(queries, "PAGE", 2)
    plain(pharmacy, 1)
    numbers = []
    for _ in range(3):
        count = open_count()
        numbers.append(count.number)
        actions.withdraw_count(count.leader, count.id)

    page = text(owner.get("/stock/counts"))
    assert numbers[2] in page
    assert numbers[0] not in page
    following = page.partition('" rel="next"')[0].rpartition('href="')[2].replace("&amp;", "&")
    assert numbers[0] in text(owner.get(following))
    for nonsense in ("x", "~", "2026-01-01~x", "99999-01-01T00:00:00~" + "0" * 8):
        assert owner.get(f"/stock/counts?before={nonsense}").status_code == 200


def test_pages_speak_english(owner, pharmacy, desk, open_count):
    goods = plain(pharmacy, 3)
    count = open_count()
    owner.set_cookie("lang", "en")
    line = count.line(goods).line_no
    pages = [
        "/stock/counts",
        "/stock/counts/new?q=x",
        at(count),
        at(count, "/counting"),
        at(count, f"/counting?line={line}"),
        at(count, "/finds?q=x"),
        at(count, "/sheets"),
        at(count, "/sheet"),
    ]
    for page in pages:
        shown = text(owner.get(page))
        assert "Count" in shown or "count" in shown, page
