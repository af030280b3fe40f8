"""Files of the world, read as they are, with exact counts. They live outside the project: SUNMED_REAL_DATA names the folder."""

from __future__ import annotations

import pytest

from app.facility.catalog import import_queries, imports, queries
from app.facility.catalog.errors import NothingToTake, RowsUndecided
from tests.facility.catalog.conftest import codes, preview, real_file, rows_of

HOSPITAL = "hospital_formulary/药品目录 20260227.xlsx"
CLINIC = "clinic_import_templates/drug.xlsx"
BARCODES = "otc_barcodes/otc_barcodes.csv"


def counts(batch_id):
    return import_queries.get_batch(batch_id).counts


def test_hospital_formulary_is_read_whole_and_reported(at_work):
    batch_id = preview(at_work, real_file(HOSPITAL))

    found = counts(batch_id)
    assert found["verdicts"] == {"new": 1172, "changed": 0, "same": 0, "gone": 0, "error": 0}
    assert found["shared_codes"] == 20
    assert found["problems"]["national_code_shared"] == 40
    assert found["problems"]["national_code_missing"] == 2
    assert found["problems"]["national_code_odd"] == 2
    assert found["problems"]["price_missing"] == 1
    assert found["problems"]["unit_missing"] == 1
    assert found["problems"]["spaces_removed"] == 14
    assert found["problems"]["class_cleaned"] == 1169
    assert found["problems"]["mark_unread"] == 1


def test_hospital_formulary_says_which_rows_share_a_code(at_work):
    batch_id = preview(at_work, real_file(HOSPITAL))

    first, *_ = rows_of(batch_id, problem="national_code_shared")

    shared = next(one for one in first.problems if one["code"] == "national_code_shared")
    assert (first.number, shared["value"], shared["rows"], shared["later"]) == (
        47,
        "XC05BAD165F002010180481",
        "450",
        False,
    )


def test_hospital_formulary_waits_for_decisions_then_comes_in(at_work):
    batch_id = preview(at_work, real_file(HOSPITAL))
    with pytest.raises(RowsUndecided):
        imports.take_import(batch_id, at_work.owner)

    imports.decide(batch_id, duplicates="keep")
    taken = imports.take_import(batch_id, at_work.owner)

    assert taken == {"new": 1172, "changed": 0, "stopped": 0}
    aspirin = queries.product_by_code("X00847")
    assert (aspirin.generic_name, aspirin.insurance_class, aspirin.selfpay_share, str(aspirin.pack_price)) == (
        "阿司匹林肠溶片",
        "A",
        0,
        "1.110000",
    )
    assert aspirin.approval_number == "国药准字H20247035"
    assert len(queries.product_by_national_code("XC05BAD165F002010180481")) == 2
    assert queries.product_by_code("Y00000013159").pack_price is None


def test_hospital_formulary_first_rows_only(at_work):
    batch_id = preview(at_work, real_file(HOSPITAL))
    imports.decide(batch_id, duplicates="first")

    assert imports.take_import(batch_id, at_work.owner)["new"] == 1152


def test_hospital_formulary_twice_changes_nothing(at_work):
    batch_id = preview(at_work, real_file(HOSPITAL))
    imports.decide(batch_id, duplicates="keep")
    imports.take_import(batch_id, at_work.owner)

    again = preview(at_work, real_file(HOSPITAL))

    assert counts(again)["verdicts"] == {"new": 0, "changed": 0, "same": 1172, "gone": 0, "error": 0}
    assert counts(again)["remembered"]
    with pytest.raises(NothingToTake):
        imports.take_import(again, at_work.owner)


def test_clinic_template_composes_the_specification(at_work):
    batch_id = preview(at_work, real_file(CLINIC))

    found = rows_of(batch_id)
    assert [row.said["spec"] for row in found] == ["0.5g*100片/瓶"] * 3
    assert [row.number for row in found] == [3, 4, 5]
    imports.take_import(batch_id, at_work.owner)
    vitamin = queries.product_by_code("P000001")
    assert (vitamin.generic_name, vitamin.pack_unit, vitamin.base_unit, vitamin.pack_size, vitamin.split_allowed) == (
        "维生素a",
        "瓶",
        "片",
        100,
        False,
    )


def test_barcode_list_splits_brand_and_specification(at_work):
    batch_id = preview(at_work, real_file(BARCODES))

    assert counts(batch_id)["verdicts"]["new"] == 125
    assert counts(batch_id)["problems"]["name_split"] == 120
    imports.take_import(batch_id, at_work.owner)
    tablets = queries.product_by_barcode("6924168200451")
    assert (tablets.generic_name, tablets.trade_name, tablets.spec, tablets.pack_size) == (
        "维C银翘片(双层片)",
        "百灵鸟",
        "0.5g*24片",
        24,
    )


@pytest.mark.parametrize(
    "path",
    [
        "clinic_import_templates/stuff.xlsx",
        "clinic_import_templates/inventory.xlsx",
        "clinic_import_templates/物料模板.xlsx",
        "retail_drug_catalogue/药品说明书-dlt.xlsx",
        "pharmacy_sales_2018q1/sales.csv",
    ],
)
def test_other_files_are_previewed_without_an_error_of_ours(at_work, path):
    batch_id = preview(at_work, real_file(path))

    assert sum(counts(batch_id)["verdicts"].values()) == import_queries.get_batch(batch_id).row_count


def test_interface_scope_has_no_products(at_work):
    from app.facility.catalog.errors import ColumnsMissing

    with pytest.raises(ColumnsMissing):
        preview(at_work, real_file("interface_scope/药店 门诊部 社康 医院对应的接口 (自动保存的).xls"))


def test_a_clinics_materials_come_in_as_devices_with_the_price_of_one_and_of_a_pack(at_work):
    batch_id = preview(at_work, real_file("clinic_import_templates/stuff.xlsx"))

    said = [row.said for row in rows_of(batch_id)]
    assert [(one["generic_name"], one["rx_class"], one["pack_price"], one["split_price"], one["pack_size"]) for one in said] == [
        ("绷带", "DEVICE", "20", "2", 10),
        ("创口贴", "DEVICE", "25", "0.5", 50),
    ]  # fmt: skip
    imports.take_import(batch_id, at_work.owner)


def test_a_plain_list_of_goods_names_what_is_wrong_in_its_only_row(at_work):
    batch_id = preview(at_work, real_file("clinic_import_templates/物料模板.xlsx"))

    [row] = rows_of(batch_id)
    assert row.verdict == "error"
    assert "barcode_wrong" in codes(row)
