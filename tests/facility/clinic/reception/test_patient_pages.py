"""Files of patients on screen: made once, found by any paper, never shown whole in a list."""

from __future__ import annotations

from uuid import uuid4

from tests.center.world import some_certno
from tests.facility.stock.conftest import text
from tests.factories.people import post as post_form


def post(client, address, **data):
    return post_form(client, address, data)


def person(**changes):
    return {
        "document": str(uuid4()),
        "name": "周建国",
        "sex": "1",
        "born_on": "1950-02-03",
        "phone": "13912345678",
    } | changes


def test_a_patient_is_registered_found_changed_and_never_shown_whole_in_a_list(clerk):
    made = post(clerk, "/clinic/patients/new", **person())
    assert made.status_code == 303
    for typed in ("周建国", "zjg", "13912345678"):
        found = text(post(clerk, "/clinic/patients", q=typed))
        assert made.location in found
        assert "周建国" not in found.replace('value="周建国"', "")
    form = text(clerk.get(f"{made.location}/edit"))
    assert "周建国" in form
    version = form.partition('name="version" value="')[2].partition('"')[0]
    assert (
        post(clerk, f"{made.location}/edit", **person(version=version, sex="1", born_on="1950-02-04")).status_code
        == 303
    )
    assert post(clerk, f"{made.location}/edit", **person(version=version)).status_code == 409


def test_a_citizen_id_that_is_known_leads_to_its_file(clerk):
    told = person(certno=some_certno("1", "19500203"))
    first = post(clerk, "/clinic/patients/new", **told)
    again = post(clerk, "/clinic/patients/new", **(told | {"document": str(uuid4())}))

    assert again.status_code == 409
    assert first.location in text(again)
    coming = text(post(clerk, "/clinic/patients/new", **(told | {"document": str(uuid4()), "then": "visit"})))
    assert first.location.replace("/clinic/patients/", "/clinic/reception/patients/") in coming


def test_somebody_like_another_is_asked_about_once(clerk):
    told = person(name="钱同名", born_on="1990-05-05", certno="", phone="")
    first = post(clerk, "/clinic/patients/new", **told)
    assert first.status_code == 303
    assert post(clerk, "/clinic/patients/new", **told).status_code == 303  # The same press again is not another.

    second = told | {"document": str(uuid4())}
    asked = post(clerk, "/clinic/patients/new", **second)
    assert asked.status_code == 409
    assert "同一天出生" in text(asked)
    assert first.location.rsplit("/", 1)[-1] in asked.text
    assert post(clerk, "/clinic/patients/new", **second | {"another": "1"}).status_code == 303
    assert post(clerk, "/clinic/patients/new", **told | {"document": str(uuid4()), "born_on": "1990-05-06"}).status_code == 303  # fmt: skip


def test_a_passport_is_taken_down_shown_masked_and_searched_for(clerk):
    told = person(name="SMITH JOHN", cert_type="08", certno="k87654321", born_on="1980-05-01")
    assert "外国人护照" in text(clerk.get("/clinic/patients/new"))
    assert "证件类型要选一项" in text(post(clerk, "/clinic/patients/new", **told | {"cert_type": "90"}))
    made = post(clerk, "/clinic/patients/new", **told)
    assert made.status_code == 303
    page = text(clerk.get(made.location))
    assert "外国人护照 K******21" in page
    assert "K87654321" not in page
    found = text(post(clerk, "/clinic/patients", q="K87654321"))
    assert "S********N" in found
    twin = text(post(clerk, "/clinic/patients/new", **told | {"document": str(uuid4()), "name": "SMITH J"}))
    assert "打开那份档案" in twin
    assert 'value="08" selected' in twin
