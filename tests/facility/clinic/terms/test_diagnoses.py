"""A doctor finds a diagnosis by ear, by a piece of its name, by its code; the list is loaded by the owner and ends what is gone."""

from __future__ import annotations

import contextlib
import csv
import json

import pytest
import xlsxwriter
from psycopg import errors

from app.core.hot import statements
from app.facility.clinic.terms import demo, loading, queries
from app.facility.clinic.terms.actions import note_use
from app.facility.clinic.terms.errors import TermsUnreadable, UnknownDiagnosis
from app.facility.clinic.terms.loading import Term
from app.facility.clinic.terms.sounds import keys_of
from app.facility.db import transaction


def names(desk, text, *kinds, limit=12):
    return [found.name for found in queries.find_diagnoses(text, desk.staff_id, kinds, limit)]


@pytest.mark.parametrize(("text", "name"), [
    ("jxshxdgr", "急性上呼吸道感染"), ("shxd", "急性上呼吸道感染"), ("上呼吸道", "急性上呼吸道感染"), ("J06.9", "急性上呼吸道感染"), ("j069", "急性上呼吸道感染"), ("J06", "急性上呼吸道感染"), ("呼吸 感染 急性", "急性上呼吸道感染"),
    ("gxy", "高血压"), ("gaoxueya", "高血压"), ("高血压", "高血压"), ("i10.x00x002", "高血压"), ("I10X00X002", "高血压"), ("tnb 2型", "2型糖尿病"), ("2型糖尿病", "2型糖尿病"), ("tangniaobing", "2型糖尿病"),
    ("不寐", "不寐"), ("bm", "不寐"), ("A90.01.13", "不寐"), ("gqyjz", "肝气郁结证"), ("肝气", "肝气郁结证"), ("xunmazhen", "荨麻疹"),
])  # fmt: skip
def test_a_diagnosis_is_found(desk, text, name):
    assert name in names(desk, text)


def test_the_closest_comes_first(desk):
    assert names(desk, "高血压")[0] == "高血压"
    assert names(desk, "I10.x00x002") == ["高血压"]
    assert names(desk, "wy")[0].startswith("胃")


def test_the_kind_narrows(desk):
    assert names(desk, "ks", "TCM_DISEASE") == ["咳嗽"]
    assert {found.kind for found in queries.find_diagnoses("gan", desk.staff_id, ["TCM_SYNDROME"])} == {"TCM_SYNDROME"}


@pytest.mark.parametrize(
    "text",
    ["", "  ", "%", "_", "没有这样的病", "zzzqqq", "\x00", "'; drop table", "𠀀", "~gan", "^g", "a" * 500, "J06 没有"],
)
def test_nothing_is_found_where_nothing_is(desk, text):
    assert names(desk, text) == []


def test_what_a_doctor_signs_often_comes_first_for_this_doctor_alone(desk, place):
    before = names(desk, "慢性")
    wanted = before[-1]
    code = next(found.code for found in queries.find_diagnoses("慢性", desk.staff_id, limit=12) if found.name == wanted)
    for _ in range(2):
        with transaction(settings=desk.settings) as hot:
            note_use(hot, desk, [code, code, "没有的编码"])

    assert len(before) > 1
    assert names(desk, "慢性")[0] == wanted
    assert [found.name for found in queries.find_diagnoses("慢性", place.clerk)] == before
    [often] = queries.frequent_diagnoses(desk.staff_id)
    assert (often.code, often.times) == (code, 2)
    assert queries.frequent_diagnoses(place.clerk) == []


def test_terms_are_known_by_their_codes(desk):
    found = queries.get_diagnoses(["I10.x00x002", "J06.900", "NO.NO", "\x00"])

    assert {code: (each.name, each.version, each.current) for code, each in found.items()} == {
        "I10.x00x002": ("高血压", "demo", True),
        "J06.900": ("急性上呼吸道感染", "demo", True),
    }
    assert queries.get_diagnoses([]) == {}
    assert [each.name for each in queries.get_current(["J06.900", "A90.01.01"])] == ["急性上呼吸道感染", "感冒"]
    with pytest.raises(UnknownDiagnosis, match="NO-NO"):
        queries.get_current(["J06.900", "NO-NO"])


def test_finding_is_one_statement(desk):
    with statements() as said:
        queries.find_diagnoses("gm fr 热", desk.staff_id)

    assert len(said) == 1


def test_the_application_cannot_write_the_list(desk):
    for statement in ("update diagnosis_term set name = 'x'", "delete from diagnosis_term"):
        with pytest.raises(errors.InsufficientPrivilege), transaction(settings=desk.settings) as hot:
            hot.run(statement)


# ---- loading ---------------------------------------------------------------------------------------------------------------


class Undone(Exception):
    """Leaves the list as it was."""


@pytest.fixture
def owner(facility_app):
    """A transaction of the owner that is thrown away."""
    with facility_app.app_context(), contextlib.suppress(Undone), transaction("owner", settings={}) as hot:
        yield hot
        raise Undone


def state(hot, *codes):
    rows = hot.run(
        "select code, name, version, valid_until from diagnosis_term where code = any(%(c)s::text[])",
        {"c": list(codes)},
    )
    return {row.code: (row.name, row.version, row.valid_until is None) for row in rows}


def test_the_same_list_again_changes_nothing(place, owner):
    again = loading.write_terms(owner, demo.terms(), demo.VERSION)

    assert (again.new, again.changed, again.ended) == (0, 0, 0)


def test_a_new_version_renames_adds_and_ends_what_is_gone_of_its_kinds(place, owner):
    done = loading.write_terms(owner, [Term("J06.900", "上感"), Term("Q99.999", "新病")], "2027")

    assert (done.new, done.changed) == (1, 1)
    assert done.ended == sum(term.kind == "WESTERN" for term in demo.terms()) - 1
    assert state(owner, "J06.900", "Q99.999", "I10.x00x002", "A90.01.01") == {
        "J06.900": ("上感", "2027", True), "Q99.999": ("新病", "2027", True), "I10.x00x002": ("高血压", "demo", False), "A90.01.01": ("感冒", "demo", True),
    }  # fmt: skip
    back = loading.write_terms(owner, [Term("I10.x00x002", "高血压")], "2028")
    assert (back.changed, back.ended) == (1, 2)
    assert state(owner, "I10.x00x002", "J06.900") == {
        "I10.x00x002": ("高血压", "2028", True),
        "J06.900": ("上感", "2027", False),
    }


@pytest.mark.parametrize(("terms", "version", "why"), [
    ([], "1", "没有诊断"), ([Term("A00", "霍乱")], " ", "哪个版本"), ([Term("", "霍乱")], "1", "不对"), ([Term("A00", "霍" * 300)], "1", "不对"),
    ([Term("A00", "霍乱", "OTHER")], "1", "不对"), ([Term("A00", "霍乱"), Term("A00", "伤寒")], "1", "重复：A00"),
])  # fmt: skip
def test_a_list_that_is_none_is_refused_with_its_reason(terms, version, why):
    with pytest.raises(TermsUnreadable, match=why):
        loading.write_terms(None, terms, version)


def test_a_list_is_read_from_each_kind_of_file(tmp_path):
    wanted = [Term("A00.000", "霍乱"), Term("A01.000", "伤寒")]
    (tmp_path / "list.json").write_text(json.dumps({"A00.000": "霍乱", "A01.000": " 伤寒 "}), "utf-8")
    with (tmp_path / "list.csv").open("w", encoding="utf-8-sig", newline="") as file:
        csv.writer(file).writerows([("编码", "名称"), ("A00.000", "霍乱"), ("A01.000", "伤寒")])
    with xlsxwriter.Workbook(str(tmp_path / "list.xlsx")) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(
            [("code", "name", "kind"), ("A00.000", "霍乱", "western"), ("A01.000", "伤寒", "")]
        ):
            sheet.write_row(number, 0, row)

    for name in ("list.json", "list.csv", "list.xlsx"):
        assert loading.read_terms(tmp_path / name) == wanted, name


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", "[1]"),
        ("a.json", "{"),
        ("a.csv", "A00\n"),
        ("a.xlsx", "no"),
        ("a.csv", "\udce4"),
        ("a.json", '{"A": 1}'),
    ],
)
def test_a_file_that_is_no_list_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(TermsUnreadable):
        loading.read_terms(tmp_path / name)


def test_a_list_is_loaded_from_the_command_line(facility_app, place, tmp_path):
    file = tmp_path / "demo.csv"
    file.write_bytes(demo.DIAGNOSES.read_bytes())
    runner = facility_app.test_cli_runner()

    done = runner.invoke(args=["terms", "load", str(file), "--version", "demo"])
    assert done.exit_code == 0, done.output
    assert "0 new, 0 changed, 0 ended" in done.output
    file.write_text("nothing")
    assert runner.invoke(args=["terms", "load", str(file), "--version", "demo"]).exit_code == 1


def test_a_name_is_found_by_both_readings():
    keys = keys_of("血管性痴呆 HIV")

    assert keys.search.split()[0] == "血管性痴呆hiv"
    assert "~chidai" in keys.grams
    assert "^xue" in keys.grams
    assert "^x" in keys.grams
    assert "hi" in keys.grams


# ---- the field that looks up -----------------------------------------------------------------------------------------------


def test_the_field_gets_its_choices(client, place):
    page = client.get("/clinic/terms/diagnoses?q=gaoxueya").get_data(as_text=True)

    assert 'role="listbox"' in page
    assert 'data-code="I10.x00x002" data-name="高血压" data-kind="WESTERN" data-version="demo"' in page
    assert 'data-q="gaoxueya"' in page


def test_the_field_says_when_there_is_nothing(client, place):
    assert "没有找到「没有这种病」" in client.get("/clinic/terms/diagnoses?q=没有这种病").get_data(as_text=True)
    assert client.get("/clinic/terms/diagnoses?q=gm&kind=OTHER").status_code == 422
    assert client.get("/clinic/terms/diagnoses").status_code == 200


def test_who_treats_nobody_does_not_look_into_the_list(facility_app, place):
    from tests.factories.people import sign_in

    stranger = facility_app.test_client()
    assert stranger.get("/clinic/terms/diagnoses?q=gm").status_code == 303
    sign_in(stranger, place, place.clerk)
    assert stranger.get("/clinic/terms/diagnoses?q=gm").status_code == 403
