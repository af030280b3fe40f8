"""Codes on cases: learnt from files and by hand, expanded down to the packs."""

from __future__ import annotations

import pytest

from app.facility.stock.purchasing import codes
from app.facility.stock.purchasing.errors import CascadeNotTaken
from tests.facility.stock.purchasing.conftest import make_approved
from tests.factories.shop import make_goods


def pack(number: int) -> str:
    return f"8100001{number:013d}"


def case(number: int) -> str:
    return f"8200002{number:013d}"


def pallet(number: int) -> str:
    return f"8300003{number:013d}"


CASCADE = "\n".join(
    ["parent,child,level", f"{case(1)},{pack(1)},2", f"{case(1)},{pack(2)},2", f"{case(2)},{pack(3)},2", f"{pallet(1)},{case(1)},3", f"{pallet(1)},{case(2)},3"]
)  # fmt: skip


def test_a_pallet_expands_through_its_cases_to_the_packs(at_work, desk):
    assert codes.import_cascade(desk, "大小码.csv", CASCADE.encode("gb18030")) == 5
    codes.import_cascade(desk, "大小码.csv", CASCADE.encode())

    assert codes.expand(pallet(1)).codes == (pack(1), pack(2), pack(3))
    assert codes.expand(case(2)).codes == (pack(3),)
    assert codes.expand(pack(1)).codes == (pack(1),)


def test_a_file_that_contradicts_what_is_known_is_refused(at_work, desk):
    codes.import_cascade(desk, "大小码.csv", CASCADE.encode())

    with pytest.raises(CascadeNotTaken) as refused:
        codes.import_cascade(desk, "二.csv", f"{case(9)},{pack(1)}\n".encode())

    assert case(1) in refused.value.message
    assert codes.expand(case(9)).codes == (case(9),)


@pytest.mark.parametrize("content", ["甲,乙\n丙,丁\n", f"{pack(1)},{pack(1)}\n", "parent,child\n"])
def test_a_file_that_is_no_cascade_is_refused(at_work, desk, content):
    with pytest.raises(CascadeNotTaken):
        codes.import_cascade(desk, "x.csv", content.encode())


def test_a_case_scanned_by_hand_teaches_what_the_next_one_is(at_work, desk):
    product = make_approved(at_work)

    codes.learn_case(desk, case(1), product, [pack(1), pack(2)])

    assert codes.expand(case(1)).codes == (pack(1), pack(2))
    unknown = codes.expand(case(7))
    assert (unknown.codes, unknown.asks, unknown.product_id) == ((), True, product)


def test_a_receipt_teaches_which_product_a_prefix_belongs_to(at_work, supplier, desk):
    from uuid import uuid4

    from app.facility.stock.purchasing import deliveries
    from tests.facility.stock.purchasing.test_deliveries import line

    product = make_approved(at_work)
    deliveries.receive_purchase(desk, uuid4(), supplier, [line(product, codes=(pack(50),))])

    assert codes.expand(pack(51)) == codes.Expanded((pack(51),), 1, product, asks=False)


def test_a_stranger_knows_nothing_of_our_cases(facility_app, at_work, desk):
    from tests.factories.people import make_pharmacy

    make_goods(at_work, 1)
    codes.import_cascade(desk, "大小码.csv", CASCADE.encode())
    with make_pharmacy(facility_app, name="三号药店").acting():
        assert codes.expand(pallet(1)).codes == (pallet(1),)
