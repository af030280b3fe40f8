"""Files on their way in: read whatever they are, matched to the catalog, posted in portions that can be resumed."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

import pytest

from app.core.errors import DocumentChanged
from app.facility.stock.purchasing import deliveries, imports, queries
from app.facility.stock.purchasing.errors import ColumnsUnclear, ImportNotReady
from tests.facility.stock.purchasing.conftest import value
from tests.factories.purchase import approved_product as make_approved
from tests.factories.purchase import make_delivery, row
from tests.factories.shop import check_books, make_product

HEAD = "药品材料名称,规格,生产厂家,生产批号,生产日期,过期日期,入库数量,进价,售价\n"


def bring(desk, content: bytes, name="期初.csv", delivery=None):
    """Upload a file, take the guessed columns and check it to the end."""
    batch = uuid4()
    imports.upload_file(desk, batch, name, content, delivery)
    head = queries.get_import(desk.facility_id, batch)
    imports.choose_columns(desk, batch, head.mapping)
    while not imports.check_next(desk, batch):
        pass
    return batch


def post(desk, batch) -> int:
    imports.start_posting(desk, batch)
    rounds = 0
    while not imports.post_next(desk, batch):
        rounds += 1
    return rounds


def verdicts(desk, batch):
    return queries.get_import(desk.facility_id, batch).verdicts


def test_an_opening_file_is_matched_checked_and_posted(at_work, desk):
    make_product(at_work, generic_name="维生素A", maker="江西制药集团")
    cold = make_product(at_work, generic_name="胰岛素", storage="COLD")
    lines = [
        "维生素A,0.5g,江西制药集团,123456,2024-01-01,2030-01-01,100,3,3",
        "维生素A,0.5g,江西制药集团,OLD,2020-01-01,2024-01-01,2,3,3",
        "胰岛素,3ml,某厂,C1,2025-01-01,2031-05,5,30.5,60",
        "没有的药,,,X,,2030-01-01,1,,",
        "维生素A,0.5g,江西制药集团,,,2030-01-01,两盒,3,3",
    ]

    batch = bring(desk, (HEAD + "\n".join(lines)).encode("gb18030"))

    assert verdicts(desk, batch) == {"ready": 3, "unmatched": 1, "error": 1}
    post(desk, batch)
    assert verdicts(desk, batch) == {"posted": 3, "unmatched": 1, "error": 1}
    assert value(at_work, "select count(*) from stock_movement where tenant_id = %(t)s and kind = 'AD'") == 3
    assert (
        value(at_work, "select zone from lot_balance where tenant_id = %(t)s and product_id = %(p)s", p=cold) == "COLD"
    )
    assert value(at_work, "select zone from lot_balance b join lot l using (tenant_id) where tenant_id = %(t)s and l.id = b.lot_id and l.lot_number = 'OLD'") == "REJECT"  # fmt: skip
    check_books(at_work)


def test_a_row_nobody_knew_gets_its_product_by_hand(at_work, desk):
    product = make_product(at_work, generic_name="板蓝根颗粒")
    batch = bring(desk, (HEAD + "板兰根,,,A,,2030-01-01,1,,\n板兰根,,,B,,2030-01-01,2,,\n").encode())
    assert verdicts(desk, batch) == {"unmatched": 2}

    imports.choose_product(desk, batch, 2, product)

    assert verdicts(desk, batch) == {"ready": 2}


def test_the_same_file_again_opens_nothing_twice(at_work, desk):
    make_product(at_work, generic_name="板蓝根颗粒")
    content = (HEAD + "板蓝根颗粒,,,A,,2030-01-01,1,,\n").encode()
    post(desk, bring(desk, content))

    again = bring(desk, content)

    assert verdicts(desk, again) == {"error": 1}
    assert queries.import_rows(again)[0].problem == "moved"


def test_an_interrupted_posting_goes_on_where_it_stopped(at_work, desk, monkeypatch):
    make_product(at_work, generic_name="板蓝根颗粒")
    batch = bring(desk, (HEAD + "板蓝根颗粒,,,A,,2030-01-01,3,,\n").encode())
    imports.start_posting(desk, batch)
    whole = imports._mark
    monkeypatch.setattr(imports, "_mark", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        imports.post_next(desk, batch)
    monkeypatch.setattr(imports, "_mark", whole)

    while not imports.post_next(desk, batch):
        pass

    assert value(at_work, "select sum(on_hand)::bigint from lot_balance where tenant_id = %(t)s") == 72


def test_five_thousand_rows_come_in_by_portions(at_work, desk):
    for number in range(50):
        make_product(at_work, generic_name=f"期初药{number:03d}", code=f"Q{number:03d}")
    rows = "".join(f"期初药{n % 50:03d},,,L{n},,2030-01-01,1,3.5,\n" for n in range(5_000))
    batch = bring(desk, (HEAD + rows).encode())
    assert queries.get_import(desk.facility_id, batch).checked_count == 5_000

    assert post(desk, batch) > 10

    assert queries.get_import(desk.facility_id, batch).posted_count == 5_000
    assert value(at_work, "select count(*) from lot where tenant_id = %(t)s") == 5_000


def test_a_supplier_s_note_fills_the_delivery(at_work, supplier, desk):
    product = make_approved(at_work, generic_name="板蓝根颗粒")
    delivery, _version = make_delivery(at_work, supplier, row(product, 3, lot=""))
    batch = bring(
        desk, "商品名称,批号,有效期至,数量,单价\n板蓝根颗粒,N1,2030-05,3,8.5\n".encode(), "随货单.txt", delivery
    )

    assert imports.fill_delivery(desk, batch) == delivery
    assert imports.fill_delivery(desk, batch) == delivery

    draft, version = deliveries.get_draft(desk, delivery)
    [noted] = draft.rows
    assert (noted.lot, noted.arrived, noted.noted, noted.cost) == ("N1", "3", "3", "8.5")
    deliveries.accept_delivery(desk, delivery, version)


def test_columns_that_are_unclear_are_asked_for_and_remembered(at_work, desk):
    batch = uuid4()
    imports.upload_file(desk, batch, "a.csv", "甲,乙,丙,丁\n药,1,2030-01-01,2\n".encode())
    for mapping in (
        {},
        {"0": "name", "1": "lot", "2": "expires_on"},
        {"0": "name", "1": "lot", "2": "lot", "3": "packs"},
    ):
        with pytest.raises(ColumnsUnclear):
            imports.choose_columns(desk, batch, mapping)
    with pytest.raises(ImportNotReady):
        imports.start_posting(desk, batch)
    chosen = {"0": "name", "1": "lot", "2": "expires_on", "3": "packs"}
    imports.choose_columns(desk, batch, chosen)
    with pytest.raises(DocumentChanged):
        imports.upload_file(desk, batch, "a.csv", b"x,y\n1,2\n")

    second = uuid4()
    imports.upload_file(desk, second, "b.csv", "甲,乙,丙,丁\n药,1,2030-01-01,2\n".encode())
    assert queries.get_import(desk.facility_id, second).mapping == chosen


@pytest.mark.skipif("SUNMED_REAL_DATA" not in os.environ, reason="needs SUNMED_REAL_DATA")
def test_a_real_clinic_s_opening_template_is_read_as_it_is(at_work, desk):
    for name in ("维生素A", "维生素B", "创口贴"):
        make_product(at_work, generic_name=name)
    file = Path(os.environ["SUNMED_REAL_DATA"]) / "clinic_import_templates" / "inventory.xlsx"

    batch = bring(desk, file.read_bytes(), file.name)

    assert verdicts(desk, batch) == {"ready": 3}
    assert {found.problem for found in queries.import_rows(batch)} == {"expired"}
