"""Verifying: the command names every altered, missing or extra fact, on either side, and says so by its exit code."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from central_sync import cli, inbox
from tests.central_sync.world import Recorder, batch_of, facts_of, make_facility, write

# What someone with the database's keys might do, and what verify calls it. Numbers 1 to 6 were written.
CRIMES = {
    "altered body": ("update {t} set body = body || ' '::bytea where {s} and number = 3", ["altered", "3"]),
    "altered kind": ("update {t} set kind = 'sale.sold' where {s} and number = 6", ["altered", "6"]),
    "altered body with its own new hash": (
        "update {t} set body = '\\x7b7d', hash = fact_hash_of(number, '\\x7b7d') where {s} and number = 3",
        ["altered", "3"],
    ),
    "missing in the middle": ("delete from {t} where {s} and number = 4", ["missing", "4"]),
    "missing at the end": ("delete from {t} where {s} and number = 6", ["missing", "6"]),
    "missing at the start": ("delete from {t} where {s} and number = 1", ["missing", "1"]),
    "extra after the head": (
        "insert into {t} ({c}, number) select {c}, 7 from {t} where {s} and number = 6", ["extra", "7"],
    ),
    "extra before the start": (
        "insert into {t} ({c}, number) select {c}, 0 from {t} where {s} and number = 1", ["extra", "0"],
    ),
    "extra epoch": (
        "insert into {t} ({c9}, epoch, number) select {c9}, 9, 100 from {t} where {s} and number = 1", ["extra", "epoch 9"],
    ),
    "all gone": ("delete from {t} where {s}", ["missing", "1"]),
}  # fmt: skip

COLUMNS = {
    "outbox": "tenant_id, facility_id, epoch, stream, kind, version, body, hash",
    "inbox_fact": "stream, epoch, district, kind, version, body, hash",
}


@pytest.fixture
def told(owner, center, clerk):
    """A facility with six facts that the center has as well."""
    facility = make_facility(owner)
    write(clerk, facility, 6)
    with center.begin() as connection:
        inbox.open_stream(connection, facility.stream, "330212")
        inbox.receive(connection, facility.stream, batch_of(facility, facts_of(clerk, facility)), Recorder())
    return facility


def verify(engines, side, facility, capsys):
    role = "relay" if side == "facility" else "inbox"
    url = engines[side, role].url.render_as_string(hide_password=False)
    code = cli.main(["verify", side, "--stream", facility.stream, "--database", url])
    return code, capsys.readouterr().out


@pytest.mark.parametrize("side", ["facility", "center"])
def test_an_untouched_stream_is_complete(engines, told, capsys, side):
    code, said = verify(engines, side, told, capsys)

    assert code == 0
    assert said == f"{told.stream}\t6 facts\tcomplete\n"


@pytest.mark.parametrize("side", ["facility", "center"])
@pytest.mark.parametrize("crime", CRIMES)
def test_a_crime_is_named(engines, told, capsys, side, crime):
    statement, words = CRIMES[crime]
    commit_crime(engines[side, "owner"], side, told, statement)

    code, said = verify(engines, side, told, capsys)

    assert code == 1
    assert all(word in said for word in words), said


def commit_crime(owner, side, facility, statement):
    table = "outbox" if side == "facility" else "inbox_fact"
    columns = COLUMNS[table]
    with owner.begin() as connection:
        connection.execute(
            text(statement.format(
                t=table, s=f"stream = '{facility.stream}'", c=columns, c9=columns.replace("epoch, ", ""),
            ).replace("fact_hash_of(number, '\\x7b7d')", "sha256('forged')"))
        )  # fmt: skip


def test_a_head_moved_back_with_its_facts_is_found_by_the_other_side(engines, told, capsys):
    """Whoever rewrites both facts and head leaves a chain that is complete in itself; the center still has the facts."""
    from central_sync import position
    from tests.central_sync.world import center_head

    with engines["facility", "owner"].begin() as connection:
        connection.execute(text("delete from outbox where stream = :s and number > 4"), {"s": told.stream})
        connection.execute(
            text("""update stream_head set number = 4, sent_number = 4,
                    hash = (select hash from outbox where stream = :s and number = 4) where stream = :s"""),
            {"s": told.stream},
        )
    assert verify(engines, "facility", told, capsys)[0] == 0

    with engines["facility", "relay"].connect() as connection:
        stream = position.find_stream(connection, told.stream)
        verdict = position.compare(connection, stream, center_head(engines["center", "inbox"], told))

    assert isinstance(verdict, position.Rewound)


def test_facts_wrongly_marked_as_orphaned_are_found(engines, told, capsys):
    with engines["center", "owner"].begin() as connection:
        connection.execute(
            text("update inbox_fact set orphaned_at = now() where stream = :s and number = 2"), {"s": told.stream}
        )

    code, said = verify(engines, "center", told, capsys)

    assert code == 1
    assert "orphaned" in said


def test_an_unknown_stream_is_not_called_complete(engines, told, capsys):
    url = engines["center", "inbox"].url.render_as_string(hide_password=False)

    assert cli.main(["verify", "center", "--stream", "H00000000000", "--database", url]) == 1


def test_a_complete_verification_is_noted_for_the_officers(engines, told, capsys):
    verify(engines, "center", told, capsys)

    with engines["center", "owner"].connect() as connection:
        row = connection.execute(text("select * from inbox_stream where stream = :s"), {"s": told.stream}).one()
    assert row.verified_number == 6
    assert row.verified_at is not None


def test_status_says_where_each_stream_stands(engines, told, capsys):
    url = engines["center", "inbox"].url.render_as_string(hide_password=False)

    assert cli.main(["status", "center", "--stream", told.stream, "--database", url]) == 0

    assert capsys.readouterr().out.startswith(f"{told.stream}\t1\t6\t6\t")
