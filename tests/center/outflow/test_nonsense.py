"""Whatever stands in a field of these messages: an answer in an envelope, never a fault of ours."""

from __future__ import annotations

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from app.national import envelope, rx_code
from tests.center import world
from tests.center.interface.test_visit_nonsense import NONSENSE, places, put
from tests.center.outflow.papers import paper


@pytest.fixture(scope="module")
def asking(center_app):
    clinic, shop = world.make_shop(center_app, kind="clinic"), world.make_shop(center_app)
    document, code = str(uuid4()), {"data": {"rx_trace_code": rx_code.make()}}
    return {
        "S010": (clinic, paper()), "S011": (shop, code), "S012": (shop, code), "S013": (clinic, {"data": [{"rx_docm_id": document}]}),
        "S014": (shop, {"data": {"rx_no": "W1", "lock_sn": "1"}}), "S015": (clinic, {"data": {"rx_docm_id": document, "memo": "x"}}),
    }  # fmt: skip


@pytest.mark.parametrize("infno", ["S010", "S011", "S012", "S013", "S014", "S015"])
@settings(max_examples=60, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_nonsense_in_any_place_is_answered(asking, infno, data):
    who, good = asking[infno]
    path = data.draw(st.sampled_from([path for path in places(good) if path]))

    response = who.send(infno, who.compose(infno, put(good, path, data.draw(NONSENSE))))

    assert response.status_code == 200, (path, response.get_data(as_text=True))
    answer = envelope.parse_answer(response.data)
    assert answer.accepted or answer.message
