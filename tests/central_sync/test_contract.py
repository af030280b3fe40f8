"""The contract: one file, checked where facts are written and where they are read."""

from __future__ import annotations

import json
from copy import deepcopy

import pytest
from sqlalchemy import inspect

from central_sync import cli, contract, tables
from tests.center.supervision.world import MORNING, received, refunded, sold
from tests.central_sync.world import shift_body

SALE = sold(MORNING, "1", insured=True)
BODIES = [
    received(MORNING, "1"),
    SALE,
    sold(MORNING, "1"),
    refunded(MORNING, SALE, "1"),
    ("shift.closed", shift_body()),
]


def test_the_file_is_the_contract():
    assert cli.CONTRACT_FILE.read_text() == cli.contract_text(), "run python -m central_sync contract"


def test_the_file_names_every_kind():
    kinds = {(each["kind"], each["version"]) for each in json.loads(cli.CONTRACT_FILE.read_text())["kinds"]}

    assert kinds == set(contract.KINDS)
    assert {kind for kind, _ in kinds} >= {
        "stock.received",
        "sale.sold",
        "sale.refunded",
        "identity.checked",
        "shift.closed",
    }


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_a_whole_body_passes_and_reads_back(kind, body):
    made = contract.compose(kind, body)

    read = contract.read(kind, 1, made["body"].encode())

    assert read.document == body["document"] or str(read.document) == body["document"]


@pytest.mark.parametrize(("kind", "body"), BODIES)
def test_no_field_may_be_missing_too_much_or_of_another_kind(kind, body):
    needed = {"document", "at", "operator"} | ({"lines"} if "lines" in body else set())
    wrong = [{**body, "patient": "张三"}, *({**body, name: None} for name in needed)]
    wrong += [{name: value for name, value in body.items() if name != left_out} for left_out in needed]
    if "lines" in body:
        for change in ({"quantity": 0}, {"quantity": -1}, {"quantity": 1.5}, {"codes": [""]}, {"psn_no": "1"}):
            changed = deepcopy(body)
            changed["lines"][0].update(change)
            wrong.append(changed)
        wrong.append({**body, "lines": []})

    for each in wrong:
        with pytest.raises(contract.OutsideContract):
            contract.compose(kind, each)


@pytest.mark.parametrize("at", ["2026-11-12T02:43:20", "yesterday", 5])
def test_a_moment_without_its_zone_is_no_moment(at):
    with pytest.raises(contract.OutsideContract):
        contract.compose("shift.closed", shift_body(at=at))


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null", b'{"a":"\xff"}'])
def test_bytes_that_are_no_body_are_outside(body):
    with pytest.raises(contract.OutsideContract):
        contract.read("shift.closed", 1, body)


def test_unknown_kinds_and_versions_are_outside():
    for kind, version in (("sale.sold", 2), ("sale.given", 1)):
        with pytest.raises(contract.OutsideContract):
            contract.read(kind, version, b"{}")


@pytest.mark.parametrize(("side", "metadata"), [("facility", tables.facility), ("center", tables.center)])
def test_tables_are_those_of_the_migrations(engines, side, metadata):
    inspector = inspect(engines[side, "owner"])

    for table in metadata.tables.values():
        found = {column["name"]: column for column in inspector.get_columns(table.name)}
        assert set(found) == set(table.columns.keys())
        assert {name for name, column in found.items() if column["nullable"]} == {
            c.name for c in table.columns if c.nullable
        }
        assert set(inspector.get_pk_constraint(table.name)["constrained_columns"]) == {
            c.name for c in table.primary_key
        }
