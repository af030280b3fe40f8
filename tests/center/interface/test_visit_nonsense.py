"""Whatever stands in a field of a visit's messages: an answer in an envelope, never a fault of ours."""

import copy
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.national import envelope
from tests.center import world

NONSENSE = st.sampled_from([
    None, "", " ", "x", "-1", "0", "1e400", "NaN", "9" * 40, -1, 0, 10**60, Decimal("1.23456789"), True, [], {}, [[]], [{}], {"a": 1}, "\x01", "''; --",
    "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2026-02-30 10:00:00", "2026-01-05", "字" * 4001, "😀", "0000", "{", "\\", "%", "%s",
])  # fmt: skip


@pytest.fixture(scope="module")
def clinic_of_nonsense(center_app):
    world.make_policies(center_app)
    clinic, person, drug = (
        world.make_shop(center_app, kind="clinic"),
        world.make_person(center_app),
        world.make_item(center_app),
    )
    visit, rows = world.open_visit(clinic, person, [(drug, "1.00", "1")])
    data = {"psn_no": person.psn_no, "mdtrt_id": visit}
    return clinic, {
        "2201": world.registration(person),
        "2202": {"data": data | {"ipt_otp_no": "M"}},
        "2203": world.description(person, visit),
        "2204": {"feedetail": [world.charge(person, visit, drug, batch="B7", number="7", prd_days="3")]},
        "2205": {"data": data | {"chrg_bchno": "B7"}},
        "2206": world.bill(person, visit, rows),
        "2207": world.bill(person, visit, rows, parts=dict.fromkeys(("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt"), "0") | {"inscp_scp_amt": "1"}),
        "2208": {"data": data | {"setl_id": "1"}},
        "3101": world.draft(person, visit, [world.order(drug, 3)]),
        "3103": {"data": {"warn_type": "1", "warns": [{"warn_rslt_id": "1", "dspo_way": "2"}]}},
        "S001": {"data": data},
        "S002": {"data": data | {"med_type": "11", "acct_used_flag": "1", "medfee_sumamt": "1.00"}, "feedetail": [{"feedetl_sn": "1", "med_list_codg": drug, "medins_list_codg": "1", "det_item_fee_sumamt": "1.00", "cnt": "1", "pric": "1"}]},
    }  # fmt: skip


def places(value, path=()):
    """Every place in a message where something stands."""
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*path, number))


def put(message, path, value):
    changed = copy.deepcopy(message)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    "infno", ["2201", "2202", "2203", "2204", "2205", "2206", "2207", "2208", "3101", "3103", "S001", "S002"]
)
@settings(max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nonsense_in_any_place_is_answered(clinic_of_nonsense, infno, data):
    clinic, messages = clinic_of_nonsense
    good = messages[infno]
    path = data.draw(st.sampled_from([path for path in places(good) if path]))
    asked = put(good, path, data.draw(NONSENSE))

    response = clinic.send(infno, clinic.compose(infno, asked))

    assert response.status_code == 200, (path, response.get_data(as_text=True))
    answer = envelope.parse_answer(response.data)
    assert answer.accepted or answer.message
