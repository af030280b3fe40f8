"""The whole national list of 33,304 diagnoses: loaded in under a minute, searched by the index, in a database of its own."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from app.core.tenancy import Desk
from app.facility.clinic.terms import loading, queries
from app.facility.clinic.terms.actions import note_use
from app.facility.clinic.terms.loading import Term
from app.facility.db import db, transaction
from launcher.databases import connect, prepare
from tests.factories.people import make_pharmacy

LIST = "icd10_ybb/ZD_INFO.json"
TERMS = 33_304
MOST_MS = 40  # Twice the budget: the suite shares its cores.
TYPED = (
    "gm", "gxy", "sx", "gx", "x", "癌", "感染", "损伤", "高血压", "急性 炎", "J06", "j0", "00", "S", "gaoxueya", "tangniaobing", "jxshxdgr", "2型糖尿病", "xing", "糖尿病 肾", "fei", "an", "zj", "特指",
)  # fmt: skip


@pytest.fixture(scope="module")
def listed():
    """The national list, or made up ones where it is not there: the index is proven on either."""
    folder = os.environ.get("SUNMED_REAL_DATA")
    if folder and (path := Path(folder) / LIST).is_file():
        return loading.read_terms(path)
    return [Term(f"{chr(65 + n % 26)}{n // 26 % 100:02d}.{n // 2600:03d}", _name(n)) for n in range(8_000)]


def _name(n):
    """Some characters as if by chance, and now and then a word that is looked for."""
    known = ("高血压", "感染", "糖尿病性肾病")
    return "".join(chr(0x4E00 + n * 7919 * (at + 3) % 2000) for at in range(6)) + (
        known[n // 100 % 3] if n % 100 == 0 else ""
    )


def is_real(listed):
    if len(listed) != TERMS:
        pytest.skip(f"SUNMED_REAL_DATA names no folder with the national list ({LIST})")


@pytest.fixture(scope="module")
def house(cluster, role_passwords, center_app, listed):
    """A facility database that knows the list; returns (application, desk, addresses, seconds that loading took)."""
    from app.facility.factory import create_app

    urls = prepare(cluster.admin_url, "facility", role_passwords, "facility_terms")
    app = create_app(urls, secret="tests", testing=True, center=center_app)
    place = make_pharmacy(app)
    heard = []
    with app.app_context():
        began = time.perf_counter()
        done = loading.load_terms(listed, "2.0", heard.append)
        took = time.perf_counter() - began
    with connect(urls["owner"], autocommit=True) as connection:
        connection.execute("vacuum analyze diagnosis_term")
    assert (done.terms, done.new, done.ended) == (len(listed), len(listed), 0)
    assert heard[-1] == len(listed)
    assert len(heard) > 2
    yield app, Desk(place.tenant_id, place.facility_id, place.owner, "001"), urls, took
    with app.app_context():
        app.extensions["sqlalchemy"].close()


@pytest.fixture
def desk(house):
    app, desk, *_ = house
    from app.core import tenancy

    with app.app_context(), tenancy.as_tenant(desk.tenant_id):
        yield desk


def test_the_list_is_loaded_in_under_a_minute(house, listed):
    is_real(listed)
    assert house[3] < 120  # Twice the promise: the suite shares its cores.


@pytest.mark.parametrize("text", ["gxy", "感染", "J06", "gaoxueya", "糖尿病 肾"])
def test_the_search_walks_the_index_under_the_applications_role(desk, text):
    asked = []

    def watch(_connection, _cursor, statement, parameters, *_):
        if "from diagnosis_term" in statement:
            asked.append((statement, parameters))

    from sqlalchemy import event

    event.listen(db.engine, "before_cursor_execute", watch)
    try:
        queries.find_diagnoses(text, desk.staff_id)
    finally:
        event.remove(db.engine, "before_cursor_execute", watch)
    [(statement, parameters)] = asked
    with db.engine.connect() as connection:
        plan = "\n".join(row[0] for row in connection.exec_driver_sql(f"explain {statement}", parameters))

    assert "Seq Scan on diagnosis_term" not in plan, plan
    assert "diagnosis_term_grams" in plan or "diagnosis_term_pk" in plan, plan


def test_whatever_is_typed_is_found_in_a_blink(desk, listed):
    """20 ms is the budget of the statement; the best of some tries leaves out what else the machine does."""
    is_real(listed)
    slow = {}
    for text in TYPED:
        took = []
        for _ in range(10):
            began = time.perf_counter()
            queries.find_diagnoses(text, desk.staff_id)
            took.append(time.perf_counter() - began)
        slow[text] = round(min(took) * 1000, 1)
    assert max(slow.values()) <= MOST_MS, slow


def test_a_doctor_finds_what_doctors_look_for(desk, listed):
    is_real(listed)
    first = {
        text: queries.find_diagnoses(text, desk.staff_id, limit=8)
        for text in ("jxshxdgr", "J06.9", "gxy", "2xtnb", "mxwy", "xmz", "tongfeng", "带状 疱疹")
    }

    assert first["jxshxdgr"][0].name == "急性上呼吸道感染"
    assert first["J06.9"][0].code.startswith("J06.9")
    assert first["gxy"][0].name == "高血压"
    assert "慢性胃炎" in {each.name for each in first["mxwy"]}
    assert first["xmz"][0].name == "荨麻疹"
    assert first["tongfeng"][0].name == "痛风"
    assert first["带状 疱疹"][0].name == "带状疱疹"


def test_what_a_doctor_signs_comes_before_thirty_thousand_others(desk):
    found = queries.find_diagnoses("sx", desk.staff_id, limit=50) or queries.find_diagnoses(
        "感染", desk.staff_id, limit=50
    )
    with transaction(settings=desk.settings) as hot:
        note_use(hot, desk, [found[-1].code])

    assert queries.find_diagnoses("sx", desk.staff_id, limit=1) or queries.find_diagnoses(
        "感染", desk.staff_id, limit=1
    )
    assert queries.frequent_diagnoses(desk.staff_id)[0].code == found[-1].code


def test_half_of_the_list_ends_the_rest_and_the_rest_is_no_longer_found(house, listed):
    app, desk, *_ = house
    with app.app_context():
        half = loading.load_terms(listed[::2], "2.1")
        gone, kept = queries.get_diagnoses([listed[1].code])[listed[1].code], listed[0]
        found = {each.code for each in queries.find_diagnoses(kept.code, desk.staff_id)}
    assert (half.new, half.changed, half.ended) == (0, len(listed) // 2, len(listed) // 2)
    assert not gone.current
    assert kept.code in found
    assert gone.code not in found
