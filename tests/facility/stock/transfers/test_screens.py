"""The pages of transfers: putting together, receiving, differences, prints, and closed to strangers."""

from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.stock.transfers import drafts
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.transfers.conftest import all_of
from tests.factories.branches import make_branch
from tests.factories.people import browser, make_pharmacy, post
from tests.factories.shop import make_goods, plain

HOME = "/stock/transfers"
PART = {"HX-Request": "true"}


@pytest.fixture
def near(facility_app, town):
    return browser(facility_app, town.here, town.here.clerk)


@pytest.fixture
def far(facility_app, town):
    return browser(facility_app, town.there, town.there.clerk)


@pytest.fixture
def stranger(facility_app):
    other = make_pharmacy(facility_app, name="三号药店")
    return browser(facility_app, other, other.owner)


def enter(client, draft, words, **more):
    return post(client, f"{HOME}/drafts/{draft}/entries", {"kind": "send", "text": words, **more}, headers=PART)


def test_the_empty_list_says_what_it_is_for(near):
    page = text(near.get(HOME))

    assert "还没有发出过调拨" in page
    assert "没有在途到本店的货" in text(near.get(f"{HOME}?view=coming"))
    assert "还没有移库" in text(near.get(f"{HOME}/moves"))


def test_each_scan_is_kept_on_the_server_and_found_again(near, town):
    goods, draft = make_goods(town.here, 3), uuid4()

    enter(near, draft, goods.codes[0])
    page = text(enter(near, draft, goods.codes[1]))

    assert "2 个码" in page
    assert goods.name in text(near.get(f"{HOME}/drafts/{draft}"))
    assert "未发出的草稿" in text(near.get(f"{HOME}?view=sent"))


def test_a_draft_opens_where_the_organization_has_three_shops(facility_app, center_app, near, town):
    goods, draft = make_goods(town.here, 1), uuid4()
    make_branch(facility_app, center_app, town.here, name="一号药店三店")
    enter(near, draft, goods.codes[0])

    answer = near.get(f"{HOME}/drafts/{draft}")

    assert answer.status_code == 200
    assert "一号药店三店" in text(answer)


def test_what_cannot_be_sent_is_said_at_the_scan(near, far, town):
    goods, draft = make_goods(town.here, 3), uuid4()
    gone = town.send(town.line(goods, 1))

    assert "调拨途中" in text(enter(near, draft, goods.codes[0])) or "调拨在途" in text(
        enter(near, draft, goods.codes[0])
    )
    assert enter(near, draft, "没有这种药").status_code == 422
    assert enter(far, draft, goods.codes[1]).status_code == 422
    enter(near, draft, goods.codes[1])
    assert "已经扫过" in text(enter(near, draft, goods.codes[1]))
    assert gone


def test_a_name_offers_lots_to_choose_from_and_a_chosen_one_is_taken(near, town):
    goods, draft = plain(town.here, 3, generic_name="川贝枇杷膏"), uuid4()
    plain(town.here, 3, product_id=goods.product_id)

    page = text(enter(near, draft, "川贝枇杷膏"))
    assert page.count('role="option"') == 2
    page = text(enter(near, draft, f"#{town.lot(goods)}:SALEABLE"))

    assert 'name="packs" value="1"' in page
    assert text(near.get(f"{HOME}/goods?q=川贝")).count('role="option"') == 2


def test_a_transfer_is_sent_from_the_page_and_sent_again_it_is_the_same(near, town):
    goods, draft = plain(town.here, 5), uuid4()
    place = f"{town.lot(goods)}:SALEABLE"
    enter(near, draft, f"#{place}")
    form = {
        "kind": "send",
        "document": str(draft),
        "to": str(town.there.facility_id),
        "note": "缺货",
        "place": place,
        "packs": "2",
    }

    first, again = post(near, HOME, form), post(near, HOME, form)

    assert first.status_code == again.status_code == 303
    assert town.everywhere(goods) == (3, 2, 0)
    page = text(near.get(first.location))
    assert "缺货" in page
    assert "在途" in page


def test_a_refused_transfer_keeps_what_was_scanned(near, town):
    goods, draft = make_goods(town.here, 2), uuid4()
    enter(near, draft, goods.codes[0])

    answer = post(near, HOME, {"kind": "send", "document": str(draft), "to": "", "note": "急"})

    assert answer.status_code == 422
    assert "请从列表中另选收货机构" in text(answer)
    assert goods.name in text(answer)
    assert 'value="急"' in text(answer)


def test_a_line_is_taken_out_and_a_draft_dropped(near, town):
    goods, draft = make_goods(town.here, 2), uuid4()
    enter(near, draft, goods.codes[0])

    page = text(
        post(near, f"{HOME}/drafts/{draft}/removals", {"kind": "send", "removed": f"{town.lot(goods)}:SALEABLE"})
    )
    assert goods.name not in page
    assert post(near, f"{HOME}/drafts/{draft}/drops", {"kind": "send"}).status_code == 303
    assert near.get(f"{HOME}/drafts/{draft}").status_code == 404
    assert enter(near, draft, goods.codes[0]).status_code == 409


def test_it_is_received_by_scanning_with_what_should_have_come_beside_it(near, far, town):
    coded, loose = make_goods(town.here, 2), plain(town.here, 3)
    transfer = town.send(town.line(coded, 2), town.line(loose, 2))
    there = f"{HOME}/{transfer}/receipt"

    assert "1 张调拨单正在送来" in text(far.get("/stock"))
    assert transfer.hex[:8] in text(far.get(HOME)).replace("-", "")
    post(far, f"{there}/entries", {"text": coded.codes[0]}, headers=PART)
    page = text(post(far, f"{there}/entries", {"text": coded.codes[1], "packs-2": "2"}, headers=PART))
    assert "2/2 个码" in page
    assert "2 / 2 行已收齐" in page
    answer = post(far, f"{HOME}/{transfer}/receipts", {"packs-2": "2"})

    assert answer.status_code == 303
    assert town.everywhere(coded) == (0, 0, 2)
    assert town.everywhere(loose) == (1, 0, 2)
    assert "已收齐" in text(near.get(answer.location))


def test_a_code_of_another_box_is_refused_by_name_and_a_reason_is_asked(far, town):
    goods, other = make_goods(town.here, 3), make_goods(town.here, 1)
    transfer = town.send(town.line(goods, 2))
    there = f"{HOME}/{transfer}/receipt/entries"

    assert other.codes[0] in text(post(far, there, {"text": other.codes[0]}, headers=PART))
    post(far, there, {"text": goods.codes[0]}, headers=PART)
    answer = post(far, f"{HOME}/{transfer}/receipts", {})
    assert answer.status_code == 422
    assert "少了，请选原因" in text(answer)
    answer = post(far, f"{HOME}/{transfer}/receipts", {"reason-1": "missing"})

    assert answer.status_code == 303
    assert "待查明" in text(far.get(answer.location))
    assert town.everywhere(goods) == (1, 1, 1)


def claim(line=1, **more):
    return {"document": str(uuid4()), "line": str(line), "packs": "1", "note": "已查明", "zone": "SALEABLE", **more}


def test_a_difference_is_settled_from_the_page_and_a_loss_needs_a_second_person(near, far, town):
    from tests.factories.people import PASSWORD

    goods = plain(town.here, 4)
    transfer = town.send(town.line(goods, 3))
    town.receive(transfer, all_of(goods, 0, zone="", reason="missing"))
    where = f"{HOME}/{transfer}/claims"

    assert post(far, where, claim(outcome="found")).status_code == 303
    assert post(near, where, claim(outcome="back")).status_code == 303
    assert post(near, where, claim(outcome="lost", approver="003", approver_password="x")).status_code == 422
    assert post(near, where, claim(outcome="lost", approver="003", approver_password=PASSWORD)).status_code == 303

    assert town.state(transfer) == "closed"
    assert "复核 赵药师" in text(near.get(f"{HOME}/{transfer}"))
    town.check()


def test_the_note_prints_with_its_number_as_barcode_and_qr(near, town):
    goods = make_goods(town.here, 2)
    transfer = town.send(town.line(goods, 2))

    page = text(near.get(f"{HOME}/{transfer}/print"))

    number = town.rows("select number from transfer where tenant_id = %(t)s and id = %(i)s", i=transfer)[0].number
    assert f'class="barcode" role="img" aria-label="{number}"' in page
    assert 'class="qr"' in page
    assert "收货人签名" in page


def test_goods_move_between_zones_from_the_page(near, town):
    goods, draft = make_goods(town.here, 2), uuid4()
    for code in goods.codes:
        post(near, f"{HOME}/drafts/{draft}/entries", {"kind": "move", "text": code}, headers=PART)
    form = {"kind": "move", "document": str(draft), "to": "COLD", "note": "要冷藏"}

    assert post(near, f"{HOME}/moves", {**form, "to": ""}).status_code == 409
    assert post(near, f"{HOME}/moves", form).status_code == post(near, f"{HOME}/moves", form).status_code == 303

    assert town.packs(goods, town.here, "COLD") == 2
    page = text(near.get(f"{HOME}/moves"))
    assert "要冷藏" in page
    assert "冷藏区" in page
    rows = town.rows("select code from stock_document_code where tenant_id = %(t)s and document_id = %(i)s", i=draft)
    assert {row.code for row in rows} == set(goods.codes)


def test_a_stranger_and_a_third_shop_find_nothing(near, stranger, town):
    goods, draft = make_goods(town.here, 2), uuid4()
    transfer = town.send(town.line(goods, 1))
    enter(near, draft, goods.codes[1])

    for where in (
        f"{HOME}/{transfer}",
        f"{HOME}/{transfer}/receipt",
        f"{HOME}/{transfer}/print",
        f"{HOME}/drafts/{draft}",
    ):
        assert stranger.get(where).status_code == 404
    assert post(stranger, f"{HOME}/{transfer}/receipts", {}).status_code == 404
    assert post(near, f"{HOME}/{transfer}/receipts", {}).status_code == 404  # It was not sent to the sender.
    assert post(stranger, f"{HOME}/{transfer}/claims", claim(outcome="back")).status_code == 404
    assert (
        post(stranger, f"{HOME}/drafts/{draft}/removals", {"kind": "send", "removed": "1:SALEABLE"}).status_code == 404
    )
    for view in ("coming", "sent", "claims", "done"):
        assert str(transfer) not in text(stranger.get(f"{HOME}?view={view}"))


def test_a_long_list_goes_on_behind_its_end(near, town):
    goods = plain(town.here, 60)
    for _ in range(51):
        town.send(town.line(goods, 1))

    page = text(near.get(f"{HOME}?view=sent"))
    assert page.count("data-number=") == 50
    assert text(near.get(next_page(page))).count("data-number=") == 1


@pytest.mark.parametrize("view", ["coming", "sent", "claims", "done"])
def test_lists_take_the_same_few_statements_however_long(facility_app, town, view):
    far = browser(facility_app, town.there, town.there.clerk)
    goods = plain(town.here, 30)
    for packs in (1, 1, 1):
        town.receive(town.send(town.line(goods, 3)), all_of(goods, packs, reason="missing"))
        town.send(town.line(goods, 1))

    far.get(HOME)
    with statements() as ran:
        far.get(f"{HOME}?view={view}")

    assert len(ran) <= (5 if view == "sent" else 4), ran


def test_nonsense_is_answered_with_a_sentence(near, town):
    goods = plain(town.here, 3)
    transfer = town.send(town.line(goods, 2))
    town.receive(transfer, all_of(goods, 1, reason="wrong"))

    for form in ({}, {"document": "x"}, {"document": str(uuid4()), "to": "9" * 30, "place": "x:y", "packs": "-1"}):
        assert post(near, HOME, form).status_code in {400, 422}
        assert post(near, f"{HOME}/moves", form).status_code in {400, 409, 422}
    for form in (
        claim(packs="x"),
        claim(outcome="?"),
        claim(line="99"),
        claim(document=""),
        claim(note="", outcome="back"),
        claim(outcome="back", codes="a b"),
    ):
        assert post(near, f"{HOME}/{transfer}/claims", form).status_code in {400, 422}
    assert enter(near, uuid4(), "\x00").status_code in {400, 422}
    assert near.get(f"{HOME}?before=x_y&view=zzz").status_code == 200


def test_drafts_of_one_shop_are_not_the_other_s(town):
    goods, draft = make_goods(town.here, 2), uuid4()
    drafts.enter(town.near, draft, "send", goods.codes[0])

    with pytest.raises(Exception, match="draft_gone"):
        drafts.drop(town.far, draft, "send")


def test_the_pages_speak_english(near, town):
    goods, draft = make_goods(town.here, 2), uuid4()
    transfer = town.send(town.line(goods, 1))
    enter(near, draft, goods.codes[1])
    near.set_cookie("lang", "en")

    for where in (
        HOME,
        f"{HOME}?view=sent",
        f"{HOME}/new",
        f"{HOME}/drafts/{draft}",
        f"{HOME}/{transfer}",
        f"{HOME}/{transfer}/print",
        f"{HOME}/moves",
    ):
        page = text(near.get(where))
        assert "Transfer" in page or "Move" in page
