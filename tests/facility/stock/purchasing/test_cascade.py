"""A supplier's code file: every layout it comes in, a reason at each bad row, taken whole or not at all."""

from __future__ import annotations

import io
import re
from uuid import uuid4

import pytest
import xlsxwriter

from app.core.errors import DocumentChanged, NotFound
from app.core.hot import statements
from app.facility.stock.purchasing import cascade, codes
from app.facility.stock.purchasing import cascade_rules as rules
from app.facility.stock.purchasing.errors import CascadeNotTaken
from tests.facility.stock.conftest import next_page, text
from tests.facility.stock.purchasing.conftest import value
from tests.factories.people import make_pharmacy, post
from tests.factories.purchase import approved_product as make_approved
from tests.factories.shop import desk_of, make_goods

HOME = "/stock/cases"


def pack(number: int) -> str:
    return f"8100001{number:013d}"


def case(number: int) -> str:
    return f"8200002{number:013d}"


def pallet(number: int) -> str:
    return f"8300003{number:013d}"


PAIRS = "\n".join(
    ["parent,child,level", f"{case(1)},{pack(1)},2", f"{case(1)},{pack(2)},2", f"{case(2)},{pack(3)},2", f"{pallet(1)},{case(1)},3", f"{pallet(1)},{case(2)},3"]
)  # fmt: skip
LEVELS = "\n".join(
    ["大码,中码,小码", f"{pallet(1)},{case(1)},{pack(1)}", f"{pallet(1)},{case(1)},{pack(2)}", f"{pallet(1)},{case(2)},{pack(3)}"]
)  # fmt: skip


def upload(desk, content, name="大小码.csv"):
    file = uuid4()
    cascade.upload_file(desk, file, name, content if isinstance(content, bytes) else content.encode())
    return file


def bring(desk, content, name="大小码.csv"):
    return cascade.take_file(desk, upload(desk, content, name))


def excel(*rows):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return file.getvalue()


# ---- what it may look like -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        PAIRS.encode("gb18030"),
        PAIRS.replace("parent,child,level", "上级码,下级码,层级").replace(",2", ",中码").replace(",3", ",大码").encode("gb18030"),
        "\n".join(PAIRS.split("\n")[1:]).encode(),
        re.sub(r",[23](?=\n|$)", "", PAIRS).encode(),
        LEVELS.encode(),
        "\n".join(LEVELS.split("\n")[1:]).replace(",", "\t").encode(),
        excel(*(line.split(",") for line in LEVELS.split("\n"))),
    ],
)  # fmt: skip
def test_a_pallet_expands_through_its_cases_to_the_packs(at_work, desk, content):
    assert bring(desk, content) == 5

    assert codes.expand(pallet(1)).codes == (pack(1), pack(2), pack(3))
    assert codes.expand(case(2)).codes == (pack(3),)
    assert codes.expand(pack(1)).codes == (pack(1),)
    assert value(at_work, "select level from code_pack where tenant_id = %(t)s and child = %(c)s", c=case(1)) == 3


def test_a_row_without_a_middle_code_names_a_case_of_packs(at_work, desk):
    bring(desk, f"大码,中码,小码\n{case(1)},,{pack(1)}\n")

    assert codes.expand(case(1)).codes == (pack(1),)


def test_the_same_file_again_changes_nothing(at_work, desk):
    file = upload(desk, PAIRS)
    assert cascade.take_file(desk, file) == cascade.take_file(desk, file) == 5
    assert bring(desk, PAIRS) == 5
    cascade.upload_file(desk, file, "大小码.csv", PAIRS.encode())
    with pytest.raises(DocumentChanged):
        cascade.upload_file(desk, file, "大小码.csv", LEVELS.encode())

    assert value(at_work, "select count(*) from code_pack where tenant_id = %(t)s") == 5


def test_codes_that_begin_like_its_cases_are_cases(at_work, supplier, desk):
    product = make_approved(at_work)
    codes.learn_case(desk, "8400009" + "1" * 13, product, ["8100001" + "9" * 13])
    value(
        at_work,
        "insert into code_prefix (tenant_id, prefix, product_id, level) values (%(t)s, '8100001', %(p)s, 1) returning 1",
        p=product,
    )

    bring(desk, PAIRS)

    unknown = codes.expand(case(77))
    assert (unknown.asks, unknown.product_id) == (True, product)


# ---- what is wrong with it -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "problems"),
    [
        ([("甲", pack(1))], ["codes"]),
        ([(case(1), "12")], ["codes"]),
        ([(case(1), pack(1), "第四")], ["level"]),
        ([(pack(1), pack(1))], ["itself"]),
        ([(case(1), pack(1)), (case(2), pack(1)), (case(2), pack(2))], ["twice", "twice", ""]),
        ([(case(1), case(2)), (case(2), case(1))], ["deep", "deep"]),
        ([(pallet(1), case(1)), (case(1), case(2)), (case(2), pack(1))], ["", "", "deep"]),
        ([(pallet(1), case(1)), (case(1), pack(1)), (case(1), pack(1))], ["", "", ""]),
    ],
)  # fmt: skip
def test_each_row_says_what_is_wrong_with_it(rows, problems):
    read = rules.read_rows(enumerate(rows, 1), {"0": "parent", "1": "child", "2": "level"})

    assert [",".join(row.problems) for row in read] == problems


def test_a_file_with_one_bad_row_is_not_taken_at_all(at_work, desk):
    file = upload(desk, f"{PAIRS}\n{case(3)},坏码,2\n")

    with pytest.raises(CascadeNotTaken) as refused:
        cascade.take_file(desk, file)

    assert "1 行有错（第 7 行）" in refused.value.message
    assert codes.expand(pallet(1)).codes == (pallet(1),)


def test_a_file_that_contradicts_what_is_known_says_so_in_its_row(at_work, desk):
    bring(desk, PAIRS)
    file = upload(desk, f"{case(9)},{pack(1)}\n{case(9)},{pack(8)}\n")

    with pytest.raises(CascadeNotTaken):
        cascade.take_file(desk, file)

    row = value(
        at_work,
        "select problem from stock_import_row where tenant_id = %(t)s and import_id = %(f)s and number = 1",
        f=file,
    )
    assert row == "elsewhere"
    assert codes.expand(case(9)).codes == (case(9),)


def test_what_was_learnt_elsewhere_since_the_preview_stops_the_whole_file(at_work, desk):
    file = upload(desk, f"{case(9)},{pack(1)}\n{case(9)},{pack(8)}\n")
    codes.learn_case(desk, case(1), make_approved(at_work), [pack(1)])

    with pytest.raises(CascadeNotTaken) as refused:
        cascade.take_file(desk, file)

    assert f"{pack(1)} 已在 {case(1)} 里" in refused.value.message
    assert value(at_work, "select count(*) from code_pack where tenant_id = %(t)s and parent = %(c)s", c=case(9)) == 0


@pytest.mark.parametrize("content", ["甲,乙\n丙,丁\n", "parent,child\n", "品名,批号\n阿莫西林,A1\n"])
def test_a_file_that_is_no_code_file_is_refused(at_work, desk, content):
    with pytest.raises(CascadeNotTaken):
        upload(desk, content)


def test_another_tenant_cannot_take_it_and_may_use_the_same_id(facility_app, at_work, desk):
    file = upload(desk, PAIRS)
    other = make_pharmacy(facility_app, name="三号药店")

    with other.acting():
        with pytest.raises(NotFound):
            cascade.take_file(desk_of(other, other.owner), file)
        cascade.upload_file(desk_of(other, other.owner), file, "大小码.csv", LEVELS.encode())
        assert cascade.take_file(desk_of(other, other.owner), file) == 5

    assert value(at_work, "select state from stock_import where tenant_id = %(t)s and id = %(f)s", f=file) == "preview"


# ---- the pages -------------------------------------------------------------------------------------------------------


def send(client, content, name="大小码.csv"):
    data = {"document": str(uuid4()), "file": (io.BytesIO(content.encode()), name)}
    return post(client, f"{HOME}/files", data, content_type="multipart/form-data")


def test_the_empty_page_says_what_it_is_for_and_is_reached_from_the_deliveries(clerk):
    assert f'href="{HOME}"' in text(clerk.get("/stock/deliveries"))
    assert "还没有记住的箱码" in text(clerk.get(HOME))
    assert "没有找到「999999」" in text(clerk.get(f"{HOME}?q=999999"))


def test_a_file_is_looked_at_row_by_row_and_taken_with_one_key(clerk, at_work):
    answer = send(clerk, PAIRS)
    assert answer.status_code == 303
    page = text(clerk.get(answer.location))
    assert "每一行都读懂了，还没有取用" in page
    assert pallet(1) in page
    assert text(clerk.get(HOME)).count("等待确认") == 1

    taken = post(clerk, f"{answer.location}/takings", {})

    assert (taken.status_code, taken.location) == (303, answer.location)
    assert "这份文件已取用" in text(clerk.get(answer.location))
    page = text(clerk.get(HOME))
    assert all(code in page for code in (case(1), case(2), pallet(1)))
    assert f"在 {pallet(1)} 里" in page


def test_bad_rows_are_shown_with_their_reason_and_keep_the_key_shut(clerk, at_work, desk):
    bring(desk, PAIRS)
    answer = send(clerk, f"{case(9)},{pack(1)}\n{case(9)},坏\n{case(9)},{pack(8)}\n")

    page = text(clerk.get(answer.location))
    assert "2 行有错，这份文件现在不能取用" in page
    assert re.search(r"data-primary disabled", page)
    assert f'<span class="mono">{case(1)}</span>' in page
    assert "要写外面的码和里面的码" in page
    only = text(clerk.get(f"{answer.location}?verdict=error"))
    assert pack(8) not in only
    assert post(clerk, f"{answer.location}/takings", {}).status_code == 422
    assert "没有一行大小码" in text(send(clerk, "甲,乙\n"))
    assert post(clerk, f"{HOME}/files", {"document": str(uuid4())}).status_code == 422


def test_cases_are_found_by_how_they_begin_and_by_a_pack_in_them(clerk, at_work, desk):
    bring(desk, PAIRS)

    assert pallet(1) not in text(clerk.get(f"{HOME}?q=8200002")).split("最近的文件")[0].replace(
        f"在 {pallet(1)} 里", ""
    )
    by_pack = text(clerk.get(f"{HOME}?q={pack(3)}"))
    assert case(2) in by_pack
    assert case(1) not in by_pack


def test_a_case_opens_to_its_packs_and_they_to_their_lives(clerk, at_work, desk):
    goods = make_goods(at_work, 2)
    codes.learn_case(desk, case(1), goods.product_id, [*goods.codes, pack(9)])
    bring(desk, f"{pallet(1)},{case(1)},3\n")

    page = text(clerk.get(f"{HOME}/{case(1)}"))
    assert all(f'href="/stock/codes/{code}"' in page for code in goods.codes)
    assert f'href="/stock/codes/{pack(9)}"' not in page
    assert f'href="{HOME}/{pallet(1)}"' in page
    assert goods.lot_number in page
    assert "里面 3 个码" in text(clerk.get(f"{HOME}/{pallet(1)}"))
    assert clerk.get(f"{HOME}/{pack(9)}").status_code == 404
    assert clerk.get(f"{HOME}/files").status_code == 404


def test_long_lists_come_a_page_at_a_time_in_few_questions(clerk, at_work, desk):
    rows = [f"{case(number)},{pack(number)}" for number in range(1, 61)]
    file = upload(desk, "\n".join(rows + [f"{case(61)},{pack(100 + number)}" for number in range(60)]))
    cascade.take_file(desk, file)
    clerk.get(HOME)

    for address in (HOME, f"{HOME}?q=8200002", f"{HOME}/{case(61)}", f"{HOME}/files/{file}"):
        with statements() as ran:
            page = text(clerk.get(address))
        assert len(ran) <= 6, (address, ran)
        assert "没有更多了" in text(clerk.get(next_page(page))) or address.endswith(str(file))
    assert clerk.get(f"{HOME}?after=%00'").status_code == 200


def test_a_stranger_finds_nothing(stranger, at_work, desk):
    file = upload(desk, PAIRS)
    cascade.take_file(desk, file)

    assert case(1) not in text(stranger.get(HOME))
    assert stranger.get(f"{HOME}/{case(1)}").status_code == 404
    assert stranger.get(f"{HOME}/files/{file}").status_code == 404
    assert post(stranger, f"{HOME}/files/{file}/takings", {}).status_code == 404


def test_the_pages_speak_english(clerk, at_work, desk):
    bring(desk, PAIRS)
    file = upload(desk, f"{case(9)},{pack(1)}\n")
    clerk.set_cookie("lang", "en")

    for address, word in (
        (HOME, "Known cases"),
        (f"{HOME}/{case(1)}", "Codes inside"),
        (f"{HOME}/files/{file}", "known in another case"),
    ):
        assert word in text(clerk.get(address)), address
