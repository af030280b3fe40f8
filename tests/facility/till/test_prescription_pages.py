"""Prescriptions on screen: entered by one person, reviewed by another, kept from strangers."""

from __future__ import annotations

from uuid import uuid4

import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.till import prescriptions as acts
from tests.facility.stock.conftest import next_page, text
from tests.factories.people import add_person, browser, post
from tests.factories.shop import desk_of, fill_basket, make_goods, make_product, one, open_shift


@pytest.fixture
def drug(at_work):
    return make_product(at_work, generic_name="苯磺酸氨氯地平片", rx_class="RX", spec="5mg×7片")


def enter(pharmacy, drug, number="CF26-1122-0001", staff=None, dosage="每日 1 次；饭后，温水送服"):
    made = uuid4()
    paper = acts.Paper(number, "张建明", "江某某", "鄞州区第二医院", clock.business_date(), "高血压 2 级")
    acts.enter_prescription(desk_of(pharmacy, staff), made, paper, [acts.Wanted(drug, 2, dosage)])
    return made


def sent(drug, **changes):
    """A paper prescription as the page sends it."""
    form = {
        "document": str(uuid4()), "number": "CF26-1122-0037", "patient": "张建明", "doctor": "江某某", "institution": "鄞州区第二医院",
        "issued_on": str(clock.business_date()), "diagnosis": "高血压 2 级", "patient_certno": "", "product": str(drug),
        "product_name": "苯磺酸氨氯地平片 · 5mg×7片 · 盒", "packs": "2", "dosage": "每日 1 次",
    }  # fmt: skip
    return form | changes


def state_of(pharmacy, prescription):
    return one(
        pharmacy, "select state from prescription where tenant_id = %(t)s and id = %(id)s", id=prescription
    ).state


# ---- the queue -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("pending", "没有等待审核的处方"),
        ("passed", "没有已通过"),
        ("refused", "没有未通过"),
        ("used", "还没有凭处方售出"),
        ("nonsense", "没有等待审核的处方"),
    ],
)
def test_empty_queue_says_what_it_is_for(clerk, state, said):
    page = clerk.get(f"/till/prescriptions?state={state}")

    assert page.status_code == 200
    assert said in text(page)
    assert "登记纸质处方" in text(page)


def test_queue_opens_the_newest_with_its_drugs_masked(pharmacist, at_work, drug):
    enter(at_work, drug, "CF-1")
    enter(at_work, drug, "CF-2")

    page = text(pharmacist.get("/till/prescriptions"))

    assert "<h2>CF-2</h2>" in page
    assert "每日 1 次；饭后，温水送服" in page
    assert "张*明" in page
    assert "张建明" not in page


def test_chosen_prescription_stands_open(pharmacist, at_work, drug):
    first = enter(at_work, drug, "CF-1")
    enter(at_work, drug, "CF-2")

    assert "<h2>CF-1</h2>" in text(pharmacist.get(f"/till/prescriptions?open={first}"))
    assert "<h2>CF-2</h2>" in text(pharmacist.get("/till/prescriptions?open=nonsense"))


def test_long_queue_has_pages_and_one_statement(pharmacist, at_work, drug):
    for number in range(60):
        enter(at_work, drug, f"CF-{number:02d}")
    pharmacist.get("/till/prescriptions")

    with statements() as ran:
        page = text(pharmacist.get("/till/prescriptions"))

    assert page.count('class="b nm"') == 50
    assert len([one for one in ran if "prescription" in one]) == 1
    assert text(pharmacist.get(next_page(page))).count('class="b nm"') == 10


@pytest.mark.parametrize(
    "before",
    [
        "x",
        "_",
        "2026-11-22_x",
        "2026-11-22T00:00:00_00000000-0000-0000-0000-000000000000",
        "99999-01-01T00:00:00+00:00_x",
    ],
)
def test_strange_pages_are_harmless(clerk, at_work, drug, before):
    enter(at_work, drug)

    assert clerk.get("/till/prescriptions", query_string={"before": before}).status_code == 200


def test_stranger_sees_and_reviews_nothing(facility_app, stranger, at_work, drug):
    made = enter(at_work, drug, "CF-OURS")

    assert "CF-OURS" not in text(stranger.get("/till/prescriptions"))
    assert "CF-OURS" not in text(stranger.get(f"/till/prescriptions?open={made}"))
    assert post(stranger, f"/till/prescriptions/{made}/review", {"result": "pass"}).status_code in {403, 404}
    assert state_of(at_work, made) == "pending"


def test_strange_pharmacist_meets_no_such_prescription(facility_app, at_work, drug):
    from tests.factories.people import make_pharmacy

    other = make_pharmacy(facility_app, name="三号药店")
    made = enter(at_work, drug)

    assert (
        post(
            browser(facility_app, other, other.pharmacist), f"/till/prescriptions/{made}/review", {"result": "pass"}
        ).status_code
        == 404
    )
    assert state_of(at_work, made) == "pending"


@pytest.mark.parametrize("path", ["/till/prescriptions", "/till/prescriptions/new", "/till/shifts/current/closing"])
def test_who_has_no_part_in_the_shop_is_refused(facility_app, pharmacy, path):
    keeper = browser(facility_app, pharmacy, add_person(facility_app, pharmacy, "audit_admin"))

    assert keeper.get(path).status_code == 403
    assert facility_app.test_client().get(path).status_code in {302, 303, 401}


# ---- review ----------------------------------------------------------------------------------------------------------


def test_pharmacist_passes_and_the_counter_may_take_it(pharmacist, clerk, at_work, drug):
    made = enter(at_work, drug, "CF-1")

    assert post(pharmacist, f"/till/prescriptions/{made}/review", {"result": "pass"}).status_code == 303

    assert state_of(at_work, made) == "passed"
    shown = text(clerk.get("/till/prescriptions?state=passed"))
    assert "赵*师" in shown or "赵药师" in shown
    layer = text(clerk.get("/counter/prescriptions"))
    assert f'"prescription": "{made}"' in layer
    assert 'href="/till/prescriptions/new"' in layer


def test_waiting_prescription_cannot_be_taken_at_the_counter(clerk, at_work, drug):
    made = enter(at_work, drug, "CF-1")
    open_shift(desk_of(at_work))
    goods = make_goods(at_work, 1)
    basket, _version = fill_basket(desk_of(at_work), goods.codes[0])

    layer = text(clerk.get("/counter/prescriptions"))

    assert "等药师审方" in layer
    assert "data-closes disabled" in layer
    assert post(clerk, f"/counter/baskets/{basket}/prescription", {"prescription": str(made)}).status_code == 404


def test_refusing_needs_a_reason(pharmacist, at_work, drug):
    made = enter(at_work, drug)

    assert post(pharmacist, f"/till/prescriptions/{made}/review", {"result": "refuse", "note": " "}).status_code == 422
    assert state_of(at_work, made) == "pending"
    assert (
        post(
            pharmacist, f"/till/prescriptions/{made}/review", {"result": "refuse", "note": "剂量超过说明书"}
        ).status_code
        == 303
    )
    assert "剂量超过说明书" in text(pharmacist.get("/till/prescriptions?state=refused"))


def test_own_prescription_is_not_reviewed(pharmacist, at_work, drug):
    made = enter(at_work, drug, staff=at_work.pharmacist)

    page = text(pharmacist.get("/till/prescriptions"))
    answer = post(pharmacist, f"/till/prescriptions/{made}/review", {"result": "pass"})

    assert "请另一位药师审核" in page
    assert 'id="review"' not in page
    assert answer.status_code == 409
    assert state_of(at_work, made) == "pending"


@pytest.mark.parametrize("who", ["clerk", "owner"])
def test_only_a_pharmacist_reviews(facility_app, at_work, drug, who):
    made = enter(at_work, drug)
    person = browser(facility_app, at_work, getattr(at_work, who))

    assert 'id="review"' not in text(person.get("/till/prescriptions"))
    assert post(person, f"/till/prescriptions/{made}/review", {"result": "pass"}).status_code == 403
    assert state_of(at_work, made) == "pending"


def test_reviewed_prescription_stays_as_it_is(pharmacist, at_work, drug):
    made = enter(at_work, drug)
    post(pharmacist, f"/till/prescriptions/{made}/review", {"result": "pass"})

    assert post(pharmacist, f"/till/prescriptions/{made}/review", {"result": "refuse", "note": "x"}).status_code == 409
    assert state_of(at_work, made) == "passed"


# ---- entering --------------------------------------------------------------------------------------------------------


def test_prescription_is_entered_once(clerk, at_work, drug):
    form = sent(drug)

    assert [post(clerk, "/till/prescriptions/new", form).status_code for _ in range(2)] == [303, 303]
    page = text(clerk.get("/till/prescriptions"))
    assert page.count('class="b nm"') == page.count(">CF26-1122-0037</a>") == 1
    assert "等药师审核" in page


def test_known_number_is_said_and_the_form_kept(clerk, at_work, drug):
    post(clerk, "/till/prescriptions/new", sent(drug))

    answer = post(clerk, "/till/prescriptions/new", sent(drug, patient="李芳"))

    assert answer.status_code == 409
    assert "已经登记过" in text(answer)
    assert 'value="李芳"' in text(answer)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"number": ""}, "没有填处方号"),
        ({"patient": " ", "doctor": ""}, "没有填患者姓名、开方医师"),
        ({"institution": "院" * 61}, "超过 60 个字"),
        ({"issued_on": ""}, "请写成 2026-11-22 或 1122"),
        ({"issued_on": "1332"}, "请写成 2026-11-22 或 1122"),
        ({"issued_on": "20200101"}, "已过期"),
        ({"packs": "²"}, "药品或数量没有选对"),
        ({"packs": ""}, "药品或数量没有选对"),
        ({"packs": "0"}, "1 到 999 盒"),
        ({"product": "999999999"}, "不在目录里"),
        ({"product": "x"}, "药品或数量没有选对"),
        ({"dosage": "长" * 201}, "用法最多 200 字"),
        ({"document": "x"}, "页面不完整"),
    ],
)
def test_refused_prescription_keeps_what_was_typed(clerk, at_work, drug, changes, said):
    form = sent(drug, **changes)

    answer = post(clerk, "/till/prescriptions/new", form)

    page = text(answer)
    assert answer.status_code == 422
    assert said in page
    for name in ("diagnosis", "packs", "institution"):
        assert f'value="{form[name]}"' in page
    assert "苯磺酸氨氯地平片" in page
    assert "没有等待审核的处方" in text(clerk.get("/till/prescriptions"))


def test_prescription_without_drugs_is_refused(clerk, at_work, drug):
    form = {
        name: value for name, value in sent(drug).items() if name not in {"product", "product_name", "packs", "dosage"}
    }

    assert "药品要有 1 到 5 种" in text(post(clerk, "/till/prescriptions/new", form))


@pytest.mark.parametrize("path", ["/till/prescriptions", "/till/prescriptions/new", "/counter/prescriptions"])
def test_pages_speak_english(pharmacist, at_work, drug, path):
    enter(at_work, drug)
    pharmacist.set_cookie("lang", "en")

    page = text(pharmacist.get(path))

    for chinese in ("处方", "审方", "登记"):
        assert chinese not in page
