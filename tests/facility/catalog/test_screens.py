"""The catalog's screens: what each shows, whom it refuses, how many statements it takes."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest

from app.core.hot import statements
from app.core.tenancy import as_tenant
from tests.facility.catalog.conftest import file_of, preview, product, take
from tests.factories.people import post, sign_in

TABLE = "商品编码,通用名,规格,厂家,零售价,单位,条码\nA1,阿莫西林胶囊,0.25g*24粒,联邦制药,12.50,盒,6901234567892\nA2,,0.5g,联邦,1,盒,\n"


@pytest.fixture
def drug(facility_app, pharmacy):
    with facility_app.app_context(), pharmacy.acting():
        return product(pharmacy, "A1")


@pytest.fixture
def batch(facility_app, pharmacy):
    with facility_app.app_context(), pharmacy.acting():
        return preview(pharmacy, TABLE)


def text(answer):
    return answer.get_data(as_text=True)


def test_empty_catalog_says_what_it_is_for(owner):
    page = owner.get("/catalog/products")

    assert page.status_code == 200
    assert "目录还是空的" in text(page)


def test_list_shows_name_price_and_units(owner, drug):
    page = text(owner.get("/catalog/products"))

    assert "阿莫西林胶囊" in page
    assert "12.50" in page


def test_list_takes_two_statements_of_its_own_whatever_its_length(facility_app, owner, pharmacy, drug):
    with facility_app.app_context(), pharmacy.acting():
        take(pharmacy, "商品编码,通用名,零售价\n" + "\n".join(f"K{i},板蓝根颗粒{i},{i + 1}" for i in range(120)))
    owner.get("/catalog/products")

    with statements() as ran:
        page = text(owner.get("/catalog/products"))

    assert len([one for one in ran if "from product" in one]) == 2
    assert len(ran) <= 4  # The session's standing and the stream's dot, each at most once a second.
    assert page.count('class="b nm"') == 50
    following = re.search(r'href="([^"]+)" rel="next"', page)[1].replace("&amp;", "&")
    assert text(owner.get(following)).count('class="b nm"') == 50


def test_list_filters_by_class_and_by_sound(owner, drug):
    assert "阿莫西林胶囊" in text(owner.get("/catalog/products?q=amxl&rx_class=RX"))
    assert "没有找到这样的商品" in text(owner.get("/catalog/products?q=amxl&rx_class=HERB"))


def test_clerk_looks_but_does_not_change(clerk, drug):
    assert clerk.get("/catalog/products").status_code == 200
    assert "修改资料" not in text(clerk.get(f"/catalog/products/{drug}"))
    assert clerk.get(f"/catalog/products/{drug}/edit").status_code == 403
    assert clerk.get("/catalog/imports").status_code == 403
    assert post(clerk, f"/catalog/products/{drug}/stops").status_code == 403


def test_stranger_gets_404_on_every_screen_of_a_product(stranger, drug):
    for path in ("", "/edit"):
        assert stranger.get(f"/catalog/products/{drug}{path}").status_code == 404
    form = {
        "pack_price": "1",
        "reason": "x",
        "generic_name": "x",
        "pack_unit": "盒",
        "base_unit": "盒",
        "pack_size": "1",
    }
    for path in ("/edit", "/prices", "/stops", "/resumptions"):
        assert post(stranger, f"/catalog/products/{drug}{path}", form).status_code == 404


def test_stranger_gets_404_on_every_screen_of_an_import(stranger, batch):
    for path in ("", "/columns"):
        assert stranger.get(f"/catalog/imports/{batch}{path}").status_code == 404
    for path in ("/columns", "/checks", "/rechecks", "/decisions", "/rows/2/decisions", "/takings", "/undoings"):
        assert post(stranger, f"/catalog/imports/{batch}{path}", {"column-0": "generic_name"}).status_code == 404


def test_stranger_sees_nothing_in_lists(stranger, drug, batch):
    assert "阿莫西林" not in text(stranger.get("/catalog/products"))
    assert "目录.csv" not in text(stranger.get("/catalog/imports"))


def test_nobody_is_sent_to_the_door(facility_app):
    assert facility_app.test_client().get("/catalog/products").status_code == 303


# ---- forms -------------------------------------------------------------------------------------------------------

FORM = {
    "generic_name": "布洛芬缓释胶囊",
    "pack_unit": "盒",
    "base_unit": "粒",
    "pack_size": "20",
    "rx_class": "OTC_A",
    "storage": "NORMAL",
    "expiry_warning_days": "180",
}


def test_new_product_comes_with_its_price(owner):
    answer = post(owner, "/catalog/products/new", {**FORM, "pack_price": "１８.5", "trade_name": "芬必得"})

    assert answer.status_code == 303
    page = text(owner.get(answer.location))
    assert "布洛芬缓释胶囊（芬必得）" in page
    assert "18.50" in page


def test_new_product_twice_is_one(owner):
    post(owner, "/catalog/products/new", FORM)

    again = post(owner, "/catalog/products/new", FORM)

    assert again.status_code == 409
    assert "完全相同" in text(again)


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("pack_price", "-1"),
        ("pack_price", "abc"),
        ("generic_name", ""),
        ("pack_size", "0"),
        ("pack_size", "1e9"),
        ("rx_class", "X"),
        ("generic_name", "x" * 201),
        ("selfpay_share", "200%"),
        ("barcode", "短"),
    ],
)
def test_wrong_field_keeps_what_was_typed(owner, field, typed):
    answer = post(owner, "/catalog/products/new", {**FORM, "maker": "史克", field: typed})

    assert answer.status_code == 422
    assert 'value="史克"' in text(answer)


def test_edit_of_what_somebody_else_saved_is_refused(owner, drug):
    page = text(owner.get(f"/catalog/products/{drug}/edit"))
    seen = re.search(r'name="seen_digest"[^>]*value="([0-9a-f]{64})"', page)[1]
    form = {**FORM, "code": "A1", "seen_digest": seen}
    assert post(owner, f"/catalog/products/{drug}/edit", form).status_code == 303

    late = post(owner, f"/catalog/products/{drug}/edit", {**form, "maker": "x"})

    assert late.status_code == 409
    assert "刚刚被别人改过" in text(late)


def test_new_price_is_a_new_line_of_history(owner, drug):
    assert (
        post(owner, f"/catalog/products/{drug}/prices", {"pack_price": "13.8", "reason": "进价上涨"}).status_code == 303
    )

    page = text(owner.get(f"/catalog/products/{drug}"))

    assert "13.80" in page
    assert "12.50" in page
    assert "进价上涨" in page


@pytest.mark.parametrize(
    "form",
    [
        {"pack_price": "1"},
        {"reason": "x"},
        {"pack_price": "1", "reason": "x", "from_on": "2026-02-31"},
        {"pack_price": "1", "reason": "x", "from_on": "昨天"},
    ],
)
def test_wrong_price_is_explained(owner, drug, form):
    assert post(owner, f"/catalog/products/{drug}/prices", form).status_code == 422


def test_price_cannot_begin_in_the_past(owner, drug):
    assert (
        post(
            owner, f"/catalog/products/{drug}/prices", {"pack_price": "1", "reason": "x", "from_on": "2020-01-01"}
        ).status_code
        == 409
    )


def test_stopped_product_leaves_search_and_returns(owner, drug):
    assert post(owner, f"/catalog/products/{drug}/stops").status_code == 303
    assert "阿莫西林" not in text(owner.get("/catalog/products"))
    assert "阿莫西林" in text(owner.get("/catalog/products?state=stopped"))

    assert post(owner, f"/catalog/products/{drug}/resumptions").status_code == 303
    assert "阿莫西林" in text(owner.get("/catalog/products"))


# ---- the wizard --------------------------------------------------------------------------------------------------


def through(owner, content: bytes = TABLE.encode(), name: str = "目录.csv"):
    answer = post(
        owner,
        "/catalog/imports",
        {"document": str(uuid4()), "file": file_of(content, name)},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 303, text(answer)
    return answer.location


def test_wizard_from_upload_to_undo(owner):
    place = through(owner)
    page = text(owner.get(place))
    assert "文件里的列" in page
    chosen = dict(
        re.findall(
            r'<select class="form-select" name="(column-\d+)".*?<option value="(\w+)" selected>', page, re.DOTALL
        )
    )
    assert chosen["column-0"] == "code"

    assert post(owner, f"{place}/columns", chosen).status_code == 303
    assert "已检查 0 / 2 行" in text(owner.get(place))
    assert post(owner, f"{place}/checks").status_code == 303
    page = text(owner.get(place))
    assert "没有通用名" in page
    assert "还有 1 行没有决定" in page

    assert post(owner, f"{place}/takings").status_code == 409
    assert post(owner, f"{place}/decisions", {"errors": "skip"}).status_code == 303
    assert post(owner, f"{place}/takings").status_code == 303
    assert "已导入。" in text(owner.get(place))
    assert "阿莫西林胶囊" in text(owner.get("/catalog/products"))

    assert post(owner, f"{place}/undoings").status_code == 303
    assert "已撤销。" in text(owner.get(place))
    assert "目录还是空的" in text(owner.get("/catalog/products"))


def test_checking_answers_htmx_with_progress_then_with_the_preview(owner):
    place = through(owner)
    post(owner, f"{place}/columns", {"column-0": "code", "column-1": "generic_name"})

    answer = post(owner, f"{place}/checks", headers={"HX-Request": "true"})

    assert answer.headers["HX-Redirect"].endswith(place.rsplit("/", 1)[-1])


def test_row_can_be_skipped_and_taken_again(owner, batch):
    answer = post(owner, f"/catalog/imports/{batch}/rows/2/decisions", {"decision": "skip"})

    assert answer.status_code == 303
    assert "改为取" in text(owner.get(f"/catalog/imports/{batch}"))
    assert post(owner, f"/catalog/imports/{batch}/rows/999/decisions", {"decision": "skip"}).status_code == 404


def test_columns_without_a_name_are_refused(owner):
    place = through(owner)

    answer = post(owner, f"{place}/columns", {"column-0": "code"})

    assert answer.status_code == 422
    assert "还没有指定哪一列是「通用名」" in text(answer)


def test_column_named_twice_is_refused(owner):
    place = through(owner)

    answer = post(owner, f"{place}/columns", {"column-0": "generic_name", "column-1": "generic_name"})

    assert answer.status_code == 422
    assert "指定了两列" in text(answer)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"", "a.csv"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "a.xlsx"),
        (b"PK\x03\x04rest", "a.xlsx"),
        (bytes.fromhex("d0cf11e0a1b11ae1") + b"x" * 600, "a.xls"),
    ],
)
def test_file_that_is_no_table_is_refused_with_a_sentence(owner, content, name):
    answer = post(
        owner,
        "/catalog/imports",
        {"document": str(uuid4()), "file": file_of(content, name)},
        content_type="multipart/form-data",
    )

    assert answer.status_code == 422
    assert "读不出表格" in text(answer)


def test_upload_without_a_file_is_refused(owner):
    assert post(owner, "/catalog/imports", {"document": "no id"}).status_code == 422


def test_preview_filters_and_pages(facility_app, owner, pharmacy):
    with facility_app.app_context(), as_tenant(pharmacy.tenant_id):
        batch_id = preview(
            pharmacy, "商品编码,通用名,零售价\n" + "\n".join(f"K{i},板蓝根颗粒{i},{i + 1}" for i in range(60))
        )

    page = text(owner.get(f"/catalog/imports/{batch_id}?verdict=new"))

    assert page.count('id="row-') == 50
    assert "after=51" in page
    assert text(owner.get(f"/catalog/imports/{batch_id}?verdict=new&after=51")).count('id="row-') == 10
    assert "没有这样的行" in text(owner.get(f"/catalog/imports/{batch_id}?verdict=error"))


@pytest.mark.parametrize(
    "query", ["after=abc", "after=99999999999999999999", "after=-1", "verdict=x", "problem=%00", "q=%00", "after=%00~1"]
)
def test_strange_addresses_are_harmless(owner, batch, query):
    assert owner.get(f"/catalog/imports/{batch}?{query}").status_code == 200
    assert owner.get(f"/catalog/products?{query}").status_code == 200


def test_pages_speak_english(owner, drug, batch):
    owner.set_cookie("lang", "en")

    for path in (
        "/catalog/products",
        f"/catalog/products/{drug}",
        "/catalog/products/new",
        f"/catalog/products/{drug}/edit",
        "/catalog/imports",
        f"/catalog/imports/{batch}",
    ):
        assert owner.get(path).status_code == 200


def test_pharmacist_looks(facility_app, pharmacy, drug):
    client = facility_app.test_client()
    sign_in(client, pharmacy, pharmacy.pharmacist)

    assert client.get(f"/catalog/products/{drug}").status_code == 200
