"""The pages of suppliers and papers: empty, filled, long, refused, and closed to strangers."""

from __future__ import annotations

import re
from datetime import timedelta
from uuid import uuid4

import pytest

from app.core import clock
from app.core.hot import statements
from app.facility.stock.suppliers import actions
from app.facility.stock.suppliers.actions import Owner, SupplierDraft
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.suppliers.conftest import sent
from tests.factories.people import add_person, browser, post
from tests.factories.shop import desk_of, make_product, one
from tests.factories.supply import add_paper, add_supplier, credit_code, fill_supply, make_supplier

PAGES = ("/stock/suppliers", "/stock/suppliers/new", "/stock/licences", "/stock/licences/new?owner=supplier", "/stock/licences/new?owner=product")  # fmt: skip


def day(days: int) -> str:
    return str(clock.business_date() + timedelta(days=days))


def state_of(pharmacy, supplier):
    return one(pharmacy, "select state from supplier where tenant_id = %(t)s and id = %(s)s", s=supplier).state


def only_supplier(pharmacy):
    return one(pharmacy, "select * from supplier where tenant_id = %(t)s")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_pages_of_an_empty_shop_answer(owner, page, language):
    owner.set_cookie("lang", language)

    answer = owner.get(page)

    assert answer.status_code == 200
    main = text(answer).partition("<main")[2].partition("</main>")[0]
    assert bool(re.search("[\u4e00-\u9fff]", main)) == (language == "zh")


def test_a_supplier_is_entered_and_stands_in_the_list(clerk, pharmacy, at_work):
    code = credit_code()
    answer = post(clerk, "/stock/suppliers/new", sent(name="鄞州医药有限公司", credit_code=code, contact="顾联系", phone="13805741234", account="6222020200112233", scope_codes=["DRUG", "HERB"]))  # fmt: skip

    assert answer.status_code == 303
    page = text(clerk.get(answer.location))
    assert "顾*系 138****1234" in page
    assert "…2233" in page
    assert "药品经营许可证" in page
    assert "6222020200112233" not in page
    assert "13805741234" not in page
    assert "鄞州医药有限公司" in text(clerk.get("/stock/suppliers?q=yzyy"))
    assert "鄞州医药有限公司" not in text(clerk.get("/stock/suppliers?q=zzzz"))
    row = only_supplier(pharmacy)
    assert (row.code, row.state, row.scope_codes) == ("S0001", "pending", ["DRUG", "HERB"])


def test_sent_twice_a_supplier_is_there_once(clerk, pharmacy):
    form = sent(name="鄞州医药", credit_code=credit_code())

    first, second = (post(clerk, "/stock/suppliers/new", form) for _ in range(2))

    assert first.location == second.location
    assert post(clerk, "/stock/suppliers/new", form | {"name": "别的"}).status_code == 409


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"name": ""}, "没有填名称"), ({"credit_code": "913302121111111111"}, "统一社会信用代码不对"), ({"account": "62；drop"}, "银行账号"), ({"name": "长" * 101}, "名称太长"), ({"code": "编码"}, "编码只能用")],
)  # fmt: skip
def test_what_cannot_be_is_said_and_kept_on_the_page(clerk, changes, words):
    answer = post(clerk, "/stock/suppliers/new", sent(name="鄞州医药", credit_code=credit_code(), address="中山路 1 号") | changes)  # fmt: skip

    assert answer.status_code == 422
    assert words in text(answer)
    assert "中山路 1 号" in text(answer)


def test_the_same_credit_code_is_not_taken_twice(clerk):
    code = credit_code()
    post(clerk, "/stock/suppliers/new", sent(name="甲公司", credit_code=code))

    answer = post(clerk, "/stock/suppliers/new", sent(name="乙公司", credit_code=code))

    assert answer.status_code == 409
    assert code in text(answer)


def test_a_changed_name_waits_for_approval_anew_and_a_changed_phone_does_not(clerk, pharmacy, at_work, supplier):
    same = {"name": "鄞州医药有限公司", "credit_code": one(pharmacy, "select credit_code c from supplier where tenant_id = %(t)s").c}  # fmt: skip
    version = only_supplier(pharmacy).version
    assert post(clerk, f"/stock/suppliers/{supplier}/edit", same | {"version": str(version), "phone": "13900001111"}).status_code == 303  # fmt: skip
    assert state_of(pharmacy, supplier) == "approved"
    assert only_supplier(pharmacy).contact_shown == "顾*系 139****1111"

    stale = post(clerk, f"/stock/suppliers/{supplier}/edit", same | {"version": str(version), "name": "新名字"})
    assert stale.status_code == 409
    post(clerk, f"/stock/suppliers/{supplier}/edit", same | {"version": str(version + 1), "name": "新名字"})

    assert state_of(pharmacy, supplier) == "pending"
    said = one(pharmacy, "select facts from audit_trail where tenant_id = %(t)s and act = 'supplier.change' order by id desc limit 1")  # fmt: skip
    assert said.facts == {"changed": ["name"], "was": "approved"}


def test_another_bank_account_waits_for_approval_anew(at_work, supplier):
    row = only_supplier(at_work)
    draft = SupplierDraft(row.name, row.credit_code, account="1111222233334444")

    assert actions.change_supplier(desk_of(at_work), supplier, row.version, draft)
    assert only_supplier(at_work).bank_shown == "工行 …4444"


def test_suspended_and_taken_back_it_waits(pharmacist, clerk, pharmacy, at_work, supplier):
    assert post(clerk, f"/stock/suppliers/{supplier}/suspensions", {"reason": "假票"}).status_code == 403
    assert post(pharmacist, f"/stock/suppliers/{supplier}/suspensions", {"reason": " "}).status_code == 422
    post(pharmacist, f"/stock/suppliers/{supplier}/suspensions", {"reason": "假票"})
    assert "假票" in text(clerk.get(f"/stock/suppliers/{supplier}"))

    post(pharmacist, f"/stock/suppliers/{supplier}/resumptions")

    assert state_of(pharmacy, supplier) == "pending"


def test_the_list_is_asked_for_in_two_statements_and_goes_on_by_page(owner, at_work):
    for _ in range(52):
        add_supplier(at_work)

    with statements() as ran:
        page = text(owner.get("/stock/suppliers"))

    assert len([each for each in ran if "from supplier" in each]) == 1
    first = page.count("data-label=")
    assert text(owner.get(next_page(page))).count("data-label=") == first // 25


def test_filters_show_what_is_due_and_what_waits(clerk, at_work, supplier):
    waiting, due = add_supplier(at_work, name="等待公司"), make_supplier(at_work, name="到期公司")
    add_paper(at_work, Owner("supplier", due), "SALESPERSON", lasts=20)

    assert "等待公司" in text(clerk.get("/stock/suppliers?state=pending"))
    assert "到期公司" not in text(clerk.get("/stock/suppliers?state=pending"))
    page = text(clerk.get("/stock/suppliers?due=1"))
    assert "到期公司" in page
    assert "鄞州医药有限公司" not in page
    assert waiting


# ---- papers ----------------------------------------------------------------------------------------------------------


def paper(supplier, **changes):
    return sent(owner="supplier", id=str(supplier), kind="SALESPERSON", number="SQ-1", valid_from="20260101", valid_until=day(25)) | changes  # fmt: skip


def test_a_paper_is_entered_warned_of_and_renewed(clerk, owner, supplier):
    assert post(clerk, "/stock/licences/new", paper(supplier)).status_code == 303
    listed = text(clerk.get("/stock/licences"))
    assert "SQ-1" in listed
    assert "还有 25 天" in listed
    assert "SQ-1" not in text(clerk.get("/stock/licences?within=past"))
    old = listed.partition("/stock/licences/")[2].partition('"')[0]
    while len(old) != 36:
        listed = listed.partition("/stock/licences/")[2]
        old = listed.partition("/stock/licences/")[2].partition('"')[0]

    post(clerk, "/stock/licences/new", paper(supplier, number="SQ-2", valid_until=day(700), replaces=old))

    assert "SQ-1" not in text(clerk.get("/stock/licences"))
    page = text(clerk.get(f"/stock/suppliers/{supplier}"))
    assert "换证" in page
    assert "SQ-2" in page
    again = post(clerk, "/stock/licences/new", paper(supplier, number="SQ-3", replaces=old))
    assert again.status_code == 409
    assert "已经换新或停用" in text(again)


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"number": ""}, "证号要有"), ({"valid_from": "明天"}, "有效期起"), ({"valid_until": "2025-01-01"}, "有效期止早于"), ({"kind": "PHARMACIST"}, "没有选证照类别")],
)  # fmt: skip
def test_a_paper_that_cannot_be_is_said(clerk, supplier, changes, words):
    answer = post(clerk, "/stock/licences/new", paper(supplier, note="别丢") | changes)

    assert answer.status_code == 422
    assert words in text(answer)
    assert "别丢" in text(answer)


def test_a_paper_is_taken_out_of_use_with_a_reason(clerk, at_work, owner_of):
    licence = add_paper(at_work, owner_of, "SPECIMEN")

    assert post(clerk, f"/stock/licences/{licence}/endings", {"why": ""}).status_code == 422
    assert post(clerk, f"/stock/licences/{licence}/endings", {"why": "印章换了"}).status_code == 303
    assert "印章换了" in text(clerk.get(f"/stock/licences/{licence}"))


def test_the_facilitys_and_peoples_papers_are_the_owners(owner, clerk, pharmacy, at_work):
    for kind, owner_id, paper_kind in (("facility", pharmacy.facility_id, "AGREEMENT"), ("staff", pharmacy.pharmacist, "PHARMACIST")):  # fmt: skip
        form = paper(owner_id, owner=kind, kind=paper_kind, number=f"N-{kind}")
        assert post(clerk, "/stock/licences/new", form).status_code == 404
        assert post(owner, "/stock/licences/new", form).status_code == 303
        assert f"N-{kind}" in text(owner.get(f"/stock/licences?owner={kind}&id={owner_id}"))
        assert clerk.get(f"/stock/licences?owner={kind}&id={owner_id}").status_code == 404
    assert "N-staff" in text(owner.get("/stock/licences"))
    assert "N-staff" not in text(clerk.get("/stock/licences"))
    assert "赵药师" in text(owner.get("/stock/licences/new?owner=staff"))


def test_a_products_paper_is_entered_by_searching_for_the_product(clerk, at_work):
    product = make_product(at_work, generic_name="阿莫西林胶囊")

    assert f"id={product}" in text(clerk.get("/stock/licences/new?owner=product&q=amxl"))
    assert post(clerk, "/stock/licences/new", paper(product, owner="product", kind="REGISTRATION")).status_code == 303


def test_the_warning_days_are_the_sites(owner, at_work, owner_of):
    from app.facility.organizations import actions as organizations

    add_paper(at_work, owner_of, "SALESPERSON", lasts=100, number="晚到期")
    assert "晚到期" not in text(owner.get("/stock/licences"))

    organizations.set_parameter("licence_warning_days", "30，120", None, at_work.owner)

    page = text(owner.get("/stock/licences"))
    assert "晚到期" in page
    assert "到期前 120、30 天提醒" in page


@pytest.mark.parametrize("days", ["", "0", "400", "a", "90,60,30,20,10,5", "90;;;-1"])
def test_warning_days_that_are_none_are_refused(at_work, days):
    from app.facility.organizations import actions as organizations
    from app.facility.organizations.errors import ParameterOutOfBounds

    with pytest.raises(ParameterOutOfBounds):
        organizations.set_parameter("licence_warning_days", days, None, at_work.owner)


def test_papers_are_paged_by_day(clerk, at_work, owner_of):
    for number in range(52):
        add_paper(at_work, owner_of, "OTHER", lasts=number, number=f"P{number:03d}")

    page = text(clerk.get("/stock/licences"))

    assert "P049" in page
    assert "P050" not in page
    assert "P050" in text(clerk.get(next_page(page)))


# ---- strangers -------------------------------------------------------------------------------------------------------


def test_a_stranger_finds_no_supplier_and_no_paper(stranger, owner, at_work):
    ids, marks = fill_supply(at_work, make_product(at_work))
    supplier, licence = ids["supplier_id"], ids["licence_id"]
    addresses = (f"/stock/suppliers/{supplier}", f"/stock/suppliers/{supplier}/edit", f"/stock/licences/{licence}", f"/stock/licences?owner=supplier&id={supplier}", f"/stock/licences/new?owner=supplier&id={supplier}")  # fmt: skip

    for address in addresses:
        assert owner.get(address).status_code == 200, address
        assert stranger.get(address).status_code == 404, address
    assert marks[0] not in text(stranger.get("/stock/suppliers"))
    assert post(stranger, "/stock/licences/new", paper(supplier)).status_code == 404
    assert post(stranger, f"/stock/licences/{licence}/endings", {"why": "x"}).status_code == 404
    assert post(stranger, f"/stock/suppliers/{supplier}/approvals", sent()).status_code == 404
    assert post(stranger, f"/stock/suppliers/{supplier}/suspensions", {"reason": "x"}).status_code == 404


def test_who_has_no_business_here_is_turned_away(facility_app, pharmacy, at_work):
    auditor = browser(facility_app, pharmacy, add_person(facility_app, pharmacy, "audit_admin"))
    for page in PAGES:
        assert auditor.get(page).status_code == 403


def test_numbers_beyond_any_record_are_not_found(owner, at_work):
    for address in (f"/stock/suppliers/{2**63}", f"/stock/suppliers/{2**70}", "/stock/suppliers/0", f"/stock/licences/{uuid4()}"):  # fmt: skip
        assert owner.get(address).status_code == 404
