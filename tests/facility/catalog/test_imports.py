"""What an import promises: whole or not at all, the second file over the first, undone while unused."""

from __future__ import annotations

from decimal import Decimal
from uuid import uuid4

import pytest

from app.core.errors import DocumentChanged
from app.core.tenancy import as_tenant
from app.facility.catalog import actions, import_queries, imports, queries
from app.facility.catalog.errors import (
    ChangedSinceImport,
    ImportInUse,
    NothingToTake,
    NotPreviewed,
    PreviewStale,
    RowsUndecided,
)
from app.facility.db import action, db, run
from tests.facility.catalog.conftest import codes, preview, product, rows_of, take
from tests.facility.catalog.test_products import put_on_shelf, vars_of

FIRST = """商品编码,通用名,规格,厂家,零售价,单位,条码,医保编码,医保类别
A1,阿莫西林胶囊,0.25g*24粒,联邦制药,12.50,盒,6901234567892,XJ01CAA040E001010100001,甲类
A2,布洛芬缓释胶囊,0.3g*20粒,史克,18,盒,,XM01AEB204E002020103641,乙10%
A3,板蓝根颗粒,10g*20袋,三九,9.9,盒,,ZA04AAB0036010203951,自费
"""


def verdicts(batch_id):
    return {row.number: row.verdict for row in rows_of(batch_id)}


def count(batch_id):
    return import_queries.get_batch(batch_id).verdicts


def test_first_file_brings_products_prices_and_units(at_work):
    take(at_work, FIRST)

    card = queries.product_by_code("A1")
    assert (card.pack_size, card.base_unit, card.pack_unit, card.insurance_class, card.selfpay_share) == (
        24,
        "粒",
        "盒",
        "A",
        0,
    )
    assert card.pack_price == Decimal("12.5")
    assert queries.product_by_code("A3").insurance_class == "C"
    assert queries.price_history(card.id)[0].reason == "导入 目录.csv"


def test_second_file_shows_new_changed_same_and_gone(at_work):
    take(at_work, FIRST)
    second = (
        FIRST.replace("A1,", "A9,新药,1g,某厂,1,盒,,,\nA1,")
        .replace("18,", "19.50,")
        .replace("A3,板蓝根颗粒,10g*20袋,三九,9.9,盒,,ZA04AAB0036010203951,自费\n", "")
    )

    batch_id = preview(at_work, second)

    assert count(batch_id) == {"new": 1, "changed": 1, "same": 1, "gone": 1, "error": 0}
    assert verdicts(batch_id) == {2: "new", 3: "same", 4: "changed", 5: "gone"}
    changed = rows_of(batch_id, verdict="changed")[0]
    assert changed.changes == {"pack_price": ["18", "19.5"]}
    assert imports.take_import(batch_id, at_work.owner) == {"new": 1, "changed": 1, "stopped": 0}
    assert [str(line.pack_price) for line in queries.price_history(queries.product_by_code("A2").id)] == [
        "19.500000",
        "18.000000",
    ]
    assert queries.product_by_code("A3").is_active


def test_gone_products_are_stopped_when_told_so_and_come_back_with_the_next_file(at_work):
    take(at_work, FIRST)

    take(at_work, FIRST.replace("A3,", "A4,"), gone="stop", duplicates="keep")

    assert not queries.product_by_code("A3").is_active
    take(at_work, FIRST)
    assert queries.product_by_code("A3").is_active


def test_blank_cells_erase_nothing(at_work):
    take(at_work, FIRST)

    batch_id = preview(at_work, "商品编码,通用名,规格,厂家,零售价,条码\nA1,阿莫西林胶囊,,,,\n")

    assert verdicts(batch_id)[2] == "same"


def test_undo_leaves_no_trace_of_new_products_and_restores_changed_ones(at_work):
    take(at_work, FIRST)
    batch_id = take(
        at_work, FIRST.replace("12.50", "15").replace("联邦制药", "别家").replace("A3,", "A4,"), gone="stop"
    )

    imports.undo_import(batch_id, at_work.owner)

    card = queries.product_by_code("A1")
    assert (card.maker, card.pack_price) == ("联邦制药", Decimal("12.5"))
    assert [line.reason for line in queries.price_history(card.id)] == [
        "撤销导入 目录.csv",
        "导入 目录.csv",
        "导入 目录.csv",
    ]
    assert queries.product_by_code("A4") is None
    assert queries.product_by_code("A3").is_active
    assert queries.find_products("lbzy") == [] or queries.find_products("联邦")[0].id == card.id


def test_imports_are_undone_one_after_the_other(at_work):
    first = take(at_work, FIRST)
    second = take(at_work, FIRST.replace("12.50", "15"))

    with pytest.raises(ChangedSinceImport):
        imports.undo_import(first, at_work.owner)
    imports.undo_import(second, at_work.owner)
    imports.undo_import(first, at_work.owner)
    imports.undo_import(first, at_work.owner)

    assert queries.count_products() == {"": 0, "stopped": 0}


def test_undo_is_refused_when_stock_refers_to_a_product(at_work):
    batch_id = take(at_work, FIRST)
    put_on_shelf(at_work, queries.product_by_code("A2").id)

    with pytest.raises(ImportInUse) as refused:
        imports.undo_import(batch_id, at_work.owner)

    assert "布洛芬缓释胶囊" in refused.value.message
    assert queries.count_products()[""] == 3


def test_undo_is_refused_when_somebody_changed_a_product(at_work):
    batch_id = take(at_work, FIRST)
    actions.change_price(queries.product_by_code("A2").id, Decimal(1), None, at_work.owner, "促销")

    with pytest.raises(ChangedSinceImport):
        imports.undo_import(batch_id, at_work.owner)


def test_one_row_that_cannot_be_stored_brings_nothing(at_work):
    batch_id = preview(at_work, FIRST)

    @action
    def break_one():
        run(
            "update import_row set parsed = jsonb_set(parsed, '{final,rx_class}', '\"NONSENSE\"') where batch_id = :id and number = 4",
            id=batch_id,
        )

    break_one()
    with pytest.raises(Exception, match="product_rx_class_check"):
        imports.take_import(batch_id, at_work.owner)

    assert queries.count_products()[""] == 0
    assert import_queries.get_batch(batch_id).state == "previewed"


def test_taking_twice_takes_once(at_work):
    batch_id = preview(at_work, FIRST)

    first, second = imports.take_import(batch_id, at_work.owner), imports.take_import(batch_id, at_work.owner)

    assert first == second == {"new": 3, "changed": 0, "stopped": 0}
    assert len(queries.price_history(queries.product_by_code("A1").id)) == 1


def test_the_same_upload_twice_is_one_and_another_file_under_its_id_is_refused(at_work):
    batch_id = uuid4()
    for _ in range(2):
        imports.upload_file(batch_id, "a.csv", FIRST.encode(), at_work.owner)

    with pytest.raises(DocumentChanged):
        imports.upload_file(batch_id, "a.csv", FIRST.replace("12.50", "13").encode(), at_work.owner)

    assert import_queries.get_batch(batch_id).row_count == 3


def test_catalog_changed_after_the_preview_is_not_overwritten(at_work):
    take(at_work, FIRST)
    batch_id = preview(at_work, FIRST.replace("联邦制药", "别家"))
    card = queries.product_by_code("A1")
    actions.update_product(
        card.id, type(actions.draft_of(card))(**{**vars_of(actions.draft_of(card)), "dosage_form": "胶囊剂"})
    )

    with pytest.raises(PreviewStale):
        imports.take_import(batch_id, at_work.owner)
    imports.check_again(batch_id)
    while not imports.check_next(batch_id):
        pass
    imports.take_import(batch_id, at_work.owner)

    card = queries.product_by_code("A1")
    assert (card.maker, card.dosage_form) == ("别家", "胶囊剂")


def test_code_taken_after_the_preview_is_not_overwritten(at_work):
    batch_id = preview(at_work, FIRST)
    product(at_work, "A1", generic_name="抢先")

    with pytest.raises(PreviewStale):
        imports.take_import(batch_id, at_work.owner)

    assert queries.product_by_code("A2") is None


def test_rows_in_error_wait_for_a_decision(at_work):
    batch_id = preview(at_work, FIRST + "A5,,1g,某厂,1,盒,,,\nA6,负价,1g,某厂,-3,盒,,,\n")
    assert [codes(row)[0] for row in rows_of(batch_id, verdict="error")] == ["name_missing", "price_negative"]

    with pytest.raises(RowsUndecided):
        imports.take_import(batch_id, at_work.owner)
    imports.decide_row(batch_id, 5, "skip")
    with pytest.raises(RowsUndecided):
        imports.take_import(batch_id, at_work.owner)
    imports.decide(batch_id, errors="skip")

    assert imports.take_import(batch_id, at_work.owner)["new"] == 3


def test_twins_in_the_file_are_named_with_their_rows(at_work):
    batch_id = preview(
        at_work, "商品编码,通用名,零售价,条码\nA1,药甲,1,6901234567892\nA1,药乙,1,\nA3,药丙,1,6901234567892\n"
    )

    found = {row.number: {one["code"]: one.get("rows") for one in row.problems} for row in rows_of(batch_id)}
    assert found[2]["code_twice"] == "3"
    assert found[3]["code_twice"] == "2"
    assert found[2]["barcode_twice"] == "4"
    assert count(batch_id)["error"] == 3


def test_shared_national_code_is_the_users_choice(at_work):
    text = "商品编码,通用名,零售价,医保编码\nA1,药,1,XJ01CAA040E001010100001\nA2,药,1,XJ01CAA040E001010100001\nA3,别的,1,\n"
    batch_id = preview(at_work, text)
    imports.decide(batch_id, duplicates="first")
    imports.decide_row(batch_id, 3, "take")
    assert [row.will_take for row in rows_of(batch_id)] == [True, True, True]
    imports.decide_row(batch_id, 3, None)

    assert [row.will_take for row in rows_of(batch_id)] == [True, False, True]
    assert imports.take_import(batch_id, at_work.owner)["new"] == 2
    assert queries.product_by_code("A2") is None


def test_units_of_a_product_in_use_are_not_changed_by_a_file(at_work):
    take(at_work, FIRST)
    put_on_shelf(at_work, queries.product_by_code("A1").id)

    batch_id = preview(at_work, "商品编码,通用名,包装数量,最小单位\nA1,阿莫西林胶囊,12,粒\nA2,布洛芬缓释胶囊,10,粒\n")

    assert verdicts(batch_id)[2] == "error"
    assert "units_in_use" in codes(rows_of(batch_id)[0])
    assert verdicts(batch_id)[3] == "changed"


def test_barcodes_change_places(at_work):
    text = "商品编码,通用名,零售价,条码\nA1,药甲,1,6901234567892\nA2,药乙,1,6901234567908\n"
    take(at_work, text)

    take(at_work, "商品编码,通用名,零售价,条码\nA1,药甲,1,6901234567908\nA2,药乙,1,6901234567892\n")

    assert queries.product_by_barcode("6901234567892").code == "A2"


def test_barcode_of_a_product_outside_the_file_stays(at_work):
    product(at_work, "Z1", barcode="6901234567892")

    batch_id = preview(at_work, "商品编码,通用名,零售价,条码\nA1,药甲,1,6901234567892\n")

    assert "barcode_taken" in codes(rows_of(batch_id)[0])


def test_rows_without_code_are_recognised_by_what_they_are(at_work):
    text = "通用名,规格,厂家,零售价\n药甲,1g,某厂,1\n药乙,1g,某厂,2\n"
    take(at_work, text)
    assert queries.product_by_code("P000002").generic_name == "药乙"
    assert queries.find_products("p000002")[0].generic_name == "药乙"

    batch_id = preview(at_work, text.replace(",2\n", ",3\n"))

    assert verdicts(batch_id) == {2: "same", 3: "changed"}


def test_headers_that_repeat_and_files_without_header(at_work):
    twice = preview(at_work, "通用名,通用名,零售价\n药甲,药乙,1\n")
    assert rows_of(twice)[0].said["generic_name"] == "药甲"

    bare = preview(
        at_work, "阿莫西林胶囊,6901234567892,12.50\n布洛芬片,6901234567908,8.80\n板蓝根颗粒,6901234567915,9.90\n"
    )
    assert import_queries.get_batch(bare).header_row == 0
    assert [row.said["barcode"] for row in rows_of(bare)] == ["6901234567892", "6901234567908", "6901234567915"]


def test_checking_goes_in_portions_and_can_be_taken_up_again(at_work, monkeypatch):
    monkeypatch.setattr(imports, "PORTION", 2)
    batch_id = uuid4()
    imports.upload_file(batch_id, "a.csv", FIRST.encode(), at_work.owner)
    imports.choose_columns(batch_id, import_queries.get_batch(batch_id).mapping, at_work.owner)

    assert not imports.check_next(batch_id)
    assert import_queries.get_batch(batch_id).percent == 66
    db.session.remove()
    assert imports.check_next(batch_id)
    assert imports.check_next(batch_id)
    assert count(batch_id)["new"] == 3


def test_steps_out_of_order_are_refused(at_work):
    batch_id = uuid4()
    imports.upload_file(batch_id, "a.csv", FIRST.encode(), at_work.owner)

    for step in (
        lambda: imports.check_next(batch_id),
        lambda: imports.take_import(batch_id, 1),
        lambda: imports.undo_import(batch_id, 1),
        lambda: imports.decide(batch_id),
    ):
        with pytest.raises(NotPreviewed):
            step()


def test_empty_outcome_is_said(at_work):
    take(at_work, FIRST)

    with pytest.raises(NothingToTake):
        take(at_work, FIRST)


def test_columns_are_remembered_for_the_same_header(at_work):
    odd = "编号X,东西,价\nA1,药,1\n"
    batch_id = uuid4()
    imports.upload_file(batch_id, "a.csv", odd.encode(), at_work.owner)
    imports.choose_columns(batch_id, {"0": "code", "1": "generic_name", "2": "pack_price"}, at_work.owner)

    again = uuid4()
    imports.upload_file(again, "b.csv", odd.replace("药", "药二").encode(), at_work.owner)

    assert import_queries.get_batch(again).mapping == {"0": "code", "1": "generic_name", "2": "pack_price"}


def test_five_thousand_rows_take_few_statements(at_work):
    from app.core.hot import statements

    batch_id = preview(
        at_work,
        "商品编码,通用名,规格,零售价\n"
        + "\n".join(f"K{i},阿莫西林胶囊{i},0.25g*24粒,{i % 90 + 1}" for i in range(5000)),
    )

    with statements() as ran:
        taken = imports.take_import(batch_id, at_work.owner)

    assert taken["new"] == 5000
    assert len(ran) <= 14


def test_another_tenant_cannot_touch_an_import(facility_app, at_work):
    from app.core.errors import NotFound
    from tests.factories.people import make_pharmacy

    batch_id = preview(at_work, FIRST)
    other = make_pharmacy(facility_app, name="三号药店")
    db.session.remove()

    with as_tenant(other.tenant_id):
        for step in (
            imports.check_next,
            imports.check_again,
            lambda one: imports.take_import(one, other.owner),
            lambda one: imports.decide_row(one, 2, "skip"),
        ):
            with pytest.raises(NotFound):
                step(batch_id)
        db.session.remove()
