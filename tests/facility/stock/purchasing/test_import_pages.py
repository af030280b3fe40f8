"""The pages of an opening file: from the old system's sheet to stock on the shelf, and closed to strangers."""

from __future__ import annotations

import io
import os
import re
import time
from pathlib import Path
from uuid import uuid4

import pytest

from app.core.hot import statements
from app.facility.stock.purchasing import imports, queries
from app.facility.stock.purchasing.import_checks import problems_across
from tests.facility.stock.conftest import text
from tests.facility.stock.purchasing.conftest import value
from tests.factories.old_excel import old_excel
from tests.factories.people import post
from tests.factories.shop import check_books, desk_of, make_code, make_goods, make_product, sell

HOME = "/stock/imports"
HEAD = "药品材料名称,规格,生产厂家,生产批号,生产日期,过期日期,入库数量,进价,追溯码\n"


def upload(client, content: bytes | str, name="期初.csv"):
    """Send a file; returns the address of its page."""
    content = content.encode() if isinstance(content, str) else content
    answer = client.post(
        HOME, data={"csrf_token": token(client), "document": str(uuid4()), "file": (io.BytesIO(content), name)}
    )
    assert answer.status_code == 303, text(answer)
    return answer.location


def token(client) -> str:
    return re.search(r'name="csrf_token" value="([^"]+)"', text(client.get(HOME)))[1]


def checked(client, content: bytes | str, name="期初.csv"):
    """Send a file, take the columns as they were guessed, check to the end; returns its address."""
    page = upload(client, content, name)
    shown = text(client.get(page))
    chosen = {}
    for number, options in re.findall(r'name="column-(\d+)".*?>(.*?)</select>', shown):
        if found := re.search(r'value="(\w+)" selected', options):
            chosen[f"column-{number}"] = found[1]
    assert post(client, f"{page}/columns", chosen).status_code == 303
    while "/checks" in text(client.get(page)):
        assert post(client, f"{page}/checks").status_code == 303
    return page


def taken(client, page):
    assert post(client, f"{page}/takings").status_code == 303
    while "/postings" in text(client.get(page)):
        assert post(client, f"{page}/postings").status_code == 303
    return text(client.get(page))


def main_of(page: str) -> str:
    return page.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_step_speaks_one_language(owner, at_work, language):
    make_product(at_work, generic_name="Vitamin A", spec="100", maker="Works", pack_unit="box")
    owner.set_cookie("lang", language)
    rows = "Vitamin A,,,L1,,2030-01-01,1,,\nVitamin B,,,L2,,2030-01-01,1,,\nVitamin A,,,,,x,,,\n"

    page = upload(owner, "name,spec,maker,lot,produced,expiry,qty,cost,codes\n" + rows, "opening.csv")
    steps = [text(owner.get(HOME)), text(owner.get(page))]
    chosen = dict(zip([f"column-{n}" for n in range(9)], ["name", "spec", "maker", "lot", "produced_on", "expires_on", "packs", "cost", "codes"], strict=True))  # fmt: skip
    post(owner, f"{page}/columns", chosen)
    steps.append(text(owner.get(page)))
    post(owner, f"{page}/checks")
    steps += [text(owner.get(page)), text(owner.get(f"{page}?verdict=unmatched&row=3"))]
    post(owner, f"{page}/leavings")
    post(owner, f"{page}/takings")
    steps.append(text(owner.get(page)))
    post(owner, f"{page}/postings")
    post(owner, f"{page}/postings")
    steps.append(text(owner.get(page)))

    for shown in steps:
        assert bool(re.search("[\u4e00-\u9fff]", main_of(shown).replace("王店长", ""))) == (language == "zh"), main_of(
            shown
        )


def test_a_sheet_becomes_stock_and_names_its_receipt(clerk, pharmacy, at_work):
    make_product(at_work, generic_name="维生素A", trace_required=False)
    page = checked(clerk, HEAD + "维生素A,,,L1,,2030-01-01,3,8.5,\n维生素A,,,L2,,2031-01-01,2,8.5,\n")
    assert "入库 2 行" in text(clerk.get(page))

    done = taken(clerk, page)

    assert "2 行进了库存" in done
    assert value(at_work, "select sum(on_hand)::bigint from lot_balance where tenant_id = %(t)s") == 5 * 24
    receipt = re.search(r'href="(/stock/receipts/[^"]+)"', done)[1]
    assert "L2" in text(clerk.get(receipt))
    assert "已完成" in text(clerk.get(HOME))
    check_books(at_work)


def test_nothing_goes_in_while_a_row_is_undecided(owner, at_work):
    make_product(at_work, generic_name="维生素A")
    page = checked(owner, HEAD + "维生素A,,,L1,,2030-01-01,3,,\n没有的药,,,L2,,2031-01-01,2,,\n维生素A,,,,,x,0,,\n")
    shown = text(owner.get(page))
    assert "还有 2 行没有决定" in shown
    for sentence in (
        "没有批号，或超过 40 个字",
        "效期认不出",
        "数量要是大于 0 的整数",
        "目录里没有找到",
    ):
        assert sentence in shown

    refused = post(owner, f"{page}/takings")

    assert refused.status_code == 409
    assert "还有 2 行没有决定" in text(refused)
    assert value(at_work, "select count(*) from lot where tenant_id = %(t)s") == 0
    assert "已跳过 2 行" in text(owner.get(post(owner, f"{page}/leavings").location))
    assert "1 行进了库存，跳过 2 行" in taken(owner, page)


def test_a_row_gets_its_product_from_the_catalog(owner, at_work):
    product = make_product(at_work, generic_name="板蓝根颗粒", spec="10g")
    page = checked(
        owner, HEAD + "板兰根,10g,,A,,2030-01-01,1,,\n板兰根,10g,,B,,2030-01-01,2,,\n别的,,,C,,2030-01-01,1,,\n"
    )
    asked = text(owner.get(f"{page}?verdict=unmatched&row=2&q=blg"))
    assert "有 2 行写的一样" in asked
    assert f'value="{product}"' in asked

    answer = post(owner, f"{page}/rows/2/products", {"product": str(product), "on": "yes"})

    assert answer.location.endswith("row=4")  # On to the next row that asks.
    assert post(owner, f"{page}/rows/4/products", {"on": "yes"}).location == page
    assert "入库 2 行" in text(owner.get(page))
    assert post(owner, f"{page}/rows/2/products", {"product": "999999999"}).status_code == 404
    post(owner, f"{page}/rechecks", {"row": "4"})
    assert "还有 1 行没有决定" in text(owner.get(page))


def test_a_new_product_is_found_when_checked_again(owner, at_work):
    page = checked(owner, HEAD + "维生素A,,,L1,,2030-01-01,3,,\n")
    assert "还有 1 行没有决定" in text(owner.get(page))
    make_product(at_work, generic_name="维生素A")

    post(owner, f"{page}/rechecks")

    assert "入库 1 行" in text(owner.get(page))


def test_what_rows_say_of_each_other_is_seen_before_anything_goes_in(owner, at_work):
    known, twice = make_goods(at_work, 1).codes[0], make_code()
    for name in "甲乙丙丁戊":
        make_product(at_work, generic_name=f"期初{name}")
    rows = [
        "期初甲,,,L1,,2030-01-01,1,,", "期初甲,,,L1,,2030-01-01,1,,", f"期初乙,,,L1,,2030-01-01,1,,{known}", f"期初丙,,,L1,,2030-01-01,1,,{twice}",
        f"期初丁,,,L1,,2030-01-01,1,,{twice}", f"期初戊,,,L1,,2030-01-01,3,,{make_code()}", "期初戊,,,L2,,2030-01-01,99999999,,", "期初戊,,,L3,2999-01-01,2030-01-01,1,,",
    ]  # fmt: skip

    shown = text(owner.get(checked(owner, HEAD + "\n".join(rows))))

    for sentence in (
        "同一批号在文件里有两行",
        "追溯码已在本店登记过",
        "追溯码在文件里出现了两次",
        "追溯码比数量少",
        "数量太大",
        "晚于效期或今天",
    ):
        assert sentence in shown
    assert "入库 1 行" in shown


def test_a_sale_between_check_and_taking_stops_the_whole_file(owner, pharmacy, at_work):
    goods = make_product(at_work, generic_name="维生素A")
    make_product(at_work, generic_name="维生素B")
    page = checked(owner, HEAD + "维生素A,,,L1,,2030-01-01,3,,\n维生素B,,,L1,,2030-01-01,3,,\n")
    make_goods(at_work, 2, product_id=goods)

    answer = post(owner, f"{page}/takings")

    shown = text(owner.get(answer.location))
    assert "什么也没有入库" in shown
    assert "这个药品已有进出" in shown
    assert value(at_work, "select count(*) from stock_receipt where tenant_id = %(t)s and kind = 'opening'") == 0


def test_a_portion_that_is_refused_says_why_and_the_rest_is_checked_again(owner, pharmacy, at_work):
    goods = make_product(at_work, generic_name="维生素A")
    page = checked(owner, HEAD + "维生素A,,,L1,,2030-01-01,3,,\n")
    post(owner, f"{page}/takings")
    make_goods(at_work, 2, product_id=goods)

    refused = post(owner, f"{page}/postings")

    assert refused.status_code == 409
    assert "停在这里了" in text(refused)
    asked = owner.post(f"{page}/postings", data={"csrf_token": token(owner)}, headers={"HX-Request": "true"})
    assert asked.status_code == 200
    assert "hx-trigger" not in text(asked)
    post(owner, f"{page}/rechecks")
    assert "这个药品已有进出" in text(owner.get(page))


def test_checking_and_posting_go_on_by_themselves(owner, at_work):
    make_product(at_work, generic_name="维生素A")
    page = upload(owner, HEAD + "".join(f"维生素A,,,L{n},,2030-01-01,1,,\n" for n in range(1_200)))
    with_columns = {f"column-{n}": name for n, name in enumerate(["name", "spec", "maker", "lot", "produced_on", "expires_on", "packs", "cost", "codes"])}  # fmt: skip
    post(owner, f"{page}/columns", with_columns)

    first = owner.post(f"{page}/checks", data={"csrf_token": token(owner)}, headers={"HX-Request": "true"})
    second = owner.post(f"{page}/checks", data={"csrf_token": token(owner)}, headers={"HX-Request": "true"})

    assert "已检查 1,000 / 1,200 行" in text(first)
    assert second.headers["HX-Redirect"] == page
    post(owner, f"{page}/takings")
    part = owner.post(f"{page}/postings", data={"csrf_token": token(owner)}, headers={"HX-Request": "true"})
    assert "已入库 450 / 1,200 行" in text(part)
    assert "已入库 450 / 1,200 行" in text(owner.get(page))  # Whoever comes back sees where it stands.


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (("品名,批号,有效期至,数量\n维生素A,L1,2030-01-01,3\n").encode("gb18030"), "旧系统.csv"),
        (old_excel(["品名", "批号", "有效期至", "数量"], ["维生素A", "L1", "2030-01-01", 3.0]), "旧系统.xls"),
    ],
)
def test_old_excel_and_old_encodings_are_read(owner, at_work, content, name):
    make_product(at_work, generic_name="维生素A")

    assert "入库 1 行" in text(owner.get(checked(owner, content, name)))


def test_what_is_no_sheet_is_refused_with_a_sentence(owner):
    for content, name in (
        (b"", "a.csv"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 20, "a.xlsx"),
        (b"PK\x03\x04rest", "a.xlsx"),
    ):
        answer = owner.post(HOME, data={"csrf_token": token(owner), "file": (io.BytesIO(content), name)})
        assert 400 <= answer.status_code < 500
        assert 'role="alert"' in text(answer)
    assert post(owner, HOME).status_code == 422


def test_choices_of_columns_are_kept_for_the_next_file(owner, at_work):
    make_product(at_work, generic_name="维生素A")
    page = upload(owner, "甲,乙,丙,丁\n维生素A,1,2030-01-01,2\n")
    assert "还没有找到" in text(owner.get(page))
    refused = post(owner, f"{page}/columns", {"column-0": "name", "column-²": "lot", "column-" + "9" * 5000: "lot"})
    assert refused.status_code == 422
    assert "还缺 批号、效期、数量" in text(refused)
    post(
        owner, f"{page}/columns", {"column-0": "name", "column-1": "lot", "column-2": "expires_on", "column-3": "packs"}
    )

    again = text(owner.get(upload(owner, "甲,乙,丙,丁\n维生素A,9,2030-01-01,2\n")))

    assert 'value="expires_on" selected' in again
    assert "已按表头填好" in again


def test_a_stranger_finds_no_file_and_moves_none(owner, stranger):
    page = checked(owner, HEAD + "维生素A,,,L1,,2030-01-01,3,,\n")

    for address in (page, f"{page}/columns", f"{page}?row=2"):
        assert stranger.get(address).status_code == 404
    for act in ("columns", "checks", "rechecks", "leavings", "takings", "postings", "rows/2/products"):
        assert post(stranger, f"{page}/{act}").status_code == 404, act
    assert "期初.csv" not in text(stranger.get(HOME))


def test_a_suppliers_note_is_no_opening_file(owner, at_work):
    from tests.factories.purchase import approved_product as make_approved
    from tests.factories.purchase import make_delivery, row
    from tests.factories.supply import make_supplier

    product = make_approved(at_work)
    delivery, _version = make_delivery(at_work, make_supplier(at_work), row(product, 1))
    batch = uuid4()
    imports.upload_file(desk_of(at_work, at_work.owner), batch, "随货单.csv", "品名,批号\n甲,1\n".encode(), delivery)

    assert owner.get(f"{HOME}/{batch}").status_code == 404
    assert "随货单.csv" not in text(owner.get(HOME))


def test_statement_budgets(owner, at_work):
    make_product(at_work, generic_name="维生素A")
    page = checked(owner, HEAD + "".join(f"维生素A,,,L{n},,2030-01-01,1,,\n" for n in range(120)))
    around = asked_by(owner, "/account")

    for address, budget in {HOME: 1, page: 2, f"{page}?verdict=ready&after=60": 2, f"{page}/columns": 2}.items():
        assert len(asked_by(owner, address)) - len(around) <= budget + 1, address


def asked_by(client, page):
    with statements() as ran:
        assert client.get(page).status_code == 200
    return [each for each in ran if "session_version = %(version)s" not in each]


def test_a_long_preview_comes_in_pages(owner, at_work):
    make_product(at_work, generic_name="维生素A")
    page = checked(owner, HEAD + "".join(f"维生素A,,,L{n:03d},,2030-01-01,1,,\n" for n in range(60)))

    first = text(owner.get(page))

    assert "L049" in first
    assert "L050" not in first
    following = re.search(r'href="([^"]+)" rel="next"', first)[1].replace("&amp;", "&")
    assert "L050" in text(owner.get(following))


def test_sold_stock_of_an_opening_file_is_like_any_other(facility_app, pharmacy, at_work, owner):
    code = make_code()
    make_product(at_work, generic_name="维生素A")
    taken(owner, checked(owner, HEAD + f"维生素A,,,L1,,2030-01-01,1,8,{code}\n"))
    from tests.factories.shop import open_shift

    desk = desk_of(at_work)
    open_shift(desk)

    sell(desk, code)

    assert value(at_work, "select state from trace_code where tenant_id = %(t)s and code = %(c)s", c=code) == "SOLD"


def test_five_thousand_rows_of_a_thousand_products_go_in(at_work):
    """Measured and said, not promised: the machine of a test is not the machine of a shop."""
    desk, batch = desk_of(at_work, at_work.owner), uuid4()
    for number in range(200):
        make_product(at_work, generic_name=f"期初药{number:03d}", code=f"Q{number:03d}", trace_required=False)
    rows = "".join(f"期初药{n % 200:03d},,,L{n},,2030-01-01,1,3.5,\n" for n in range(5_000))

    begin = time.perf_counter()
    imports.upload_file(desk, batch, "期初.csv", (HEAD + rows).encode())
    imports.choose_columns(desk, batch, queries.get_import(desk.facility_id, batch).mapping)
    while not imports.check_next(desk, batch):
        pass
    middle = time.perf_counter()
    assert imports.take_opening(desk, batch)
    while not imports.post_next(desk, batch):
        pass
    end = time.perf_counter()

    print(f"5,000 rows: {middle - begin:.1f} s to read and check, {end - middle:.1f} s to take in")
    assert queries.get_import(desk.facility_id, batch).verdicts == {"posted": 5_000}


def test_problems_are_judged_on_plain_values():
    from types import SimpleNamespace as Row

    said = {"lot": "L1", "expires_on": "2030-01-01", "packs": 2, "codes": []}
    rows = [Row(number=n, product_id=n % 2, said=said, pack_size=1, trace_required=True) for n in (2, 3, 4)]

    assert problems_across(rows, {1}, {}, set()) == {3: "moved", 4: "twice"}


def real(name: str) -> bytes:
    if "SUNMED_REAL_DATA" not in os.environ:
        pytest.skip("SUNMED_REAL_DATA does not name the folder with real files")
    return (Path(os.environ["SUNMED_REAL_DATA"]) / "clinic_import_templates" / name).read_bytes()


def test_the_real_stock_sheet_of_a_clinic_goes_in_as_it_is(owner, at_work):
    for name in ("维生素A", "维生素B", "创口贴"):
        make_product(at_work, generic_name=name, trace_required=False)

    done = taken(owner, checked(owner, real("inventory.xlsx"), "inventory.xlsx"))

    assert "3 行进了库存" in done
    assert value(at_work, "select count(*) from lot where tenant_id = %(t)s and lot_number = '123456'") == 3


def test_the_real_list_of_goods_is_read_and_told_what_it_lacks(owner):
    page = upload(owner, real("物料模板.xlsx"), "物料模板.xlsx")

    shown = text(owner.get(page))

    assert "还没有找到：批号、效期、数量" in shown
    for field in ("name", "spec", "maker", "approval", "national_code", "code", "barcode"):
        assert f'value="{field}" selected' in shown
