"""Backup and restore with real processes: sell, back up, sell on, restore; the next epoch opens and the stream goes on."""

import json

import pytest
from sqlalchemy import create_engine, text

from launcher import world
from launcher.home import Home
from tests.factories.city import make_insured_pharmacy
from tests.factories.shop import check_books, desk_of, make_goods, on_hand, one, open_shift, sell
from tests.faults.conftest import eventually
from tests.launcher.installation import Installation

pytestmark = pytest.mark.faults


@pytest.fixture
def installation(open_folder):
    made = Installation(open_folder)
    made.start()
    yield made
    made.stop()


def at(installation, wing, statement, **params):
    engine = create_engine(installation.urls()[wing]["owner"])
    try:
        with engine.connect() as connection:
            return connection.execute(text(statement), params).all()
    finally:
        engine.dispose()


def heads(installation, stream):
    [here] = at(installation, "facility", "select epoch, number from stream_head where stream = :s", s=stream)
    there = at(installation, "center", "select epoch, number from inbox_stream where stream = :s", s=stream)
    return tuple(here), tuple(there[0]) if there else None


def arrived(installation, stream):
    """Wait until the center has what the facility wrote; returns (epoch, number)."""
    return eventually(lambda: (both := heads(installation, stream))[0] == both[1] and both[0])


def sell_packs(installation, pharmacy, codes):
    with installation.wings() as (facility, _center), facility.app_context(), pharmacy.acting():
        for code in codes:
            sell(desk_of(pharmacy), code)
        check_books(pharmacy)


def verified(installation, side):
    from central_sync.cli import main

    return main(["verify", side, "--database", installation.urls()[side]["owner"]])


def test_a_restored_facility_opens_the_next_epoch_and_goes_on(installation, tmp_path):
    with installation.wings() as (facility, center):
        pharmacy = make_insured_pharmacy(facility, center)
        with facility.app_context(), pharmacy.acting():
            open_shift(desk_of(pharmacy))
            goods = make_goods(pharmacy, 8)
        world._write_bridge_secrets(Home(installation.folder), facility)
    sell_packs(installation, pharmacy, goods.codes[:2])
    epoch, kept = arrived(installation, pharmacy.code)
    folder = tmp_path / "backup"

    # Backed up while it runs; another backup does not overwrite it.
    done = installation.command("backup", TO=str(folder))
    assert done.returncode == 0, done.stderr
    assert "every stream verified" in done.stdout
    assert "key that opens the personal data" in done.stdout
    assert json.loads((folder / "backup.json").read_text())["wings"]["facility"]["heads"] == {
        pharmacy.code: [epoch, kept]
    }
    again = installation.command("backup", TO=str(folder))
    assert (again.returncode, "not empty" in again.stderr) == (1, True)

    sell_packs(installation, pharmacy, goods.codes[2:5])
    _, newest = arrived(installation, pharmacy.code)
    assert newest == kept + 3

    # Not while it runs, and not over newer facts without a word of confirmation.
    busy = installation.command("restore", FROM=str(folder), CONFIRM="1")
    assert (busy.returncode, "Stop it first" in busy.stderr) == (1, True)
    installation.stop()
    unsure = installation.command("restore", FROM=str(folder), ONLY="facility")
    assert unsure.returncode == 1
    assert f"{pharmacy.code} is at epoch 1 fact {newest}, in the backup at {kept}" in unsure.stderr

    # The facility alone goes back; the center keeps what only it has as orphaned.
    done = installation.command("restore", FROM=str(folder), ONLY="facility", CONFIRM="1")
    assert done.returncode == 0, done.stderr
    assert f"epoch 2 opened after fact {kept}; 3 facts that only the center has became orphaned" in done.stdout
    installation.start()
    sell_packs(installation, pharmacy, goods.codes[5:6])
    assert arrived(installation, pharmacy.code) == (2, kept + 1)
    assert eventually(lambda: installation.health()[0] == 200)
    orphans = at(installation, "center", "select number from inbox_fact where stream = :s and orphaned_at is not null order by number", s=pharmacy.code)  # fmt: skip
    assert [row.number for row in orphans] == [kept + 1, kept + 2, kept + 3]
    assert (verified(installation, "facility"), verified(installation, "center")) == (0, 0)
    with installation.wings() as (facility, _center), facility.app_context(), pharmacy.acting():
        assert on_hand(pharmacy, goods) == ((8 - 3) * goods.pack_size, 0)

    # Both go back: nothing is ahead, and selling goes on from the backup.
    installation.stop()
    done = installation.command("restore", FROM=str(folder), CONFIRM="1")
    assert done.returncode == 0, done.stderr
    assert "no new epoch was needed" in done.stdout
    installation.start()
    sell_packs(installation, pharmacy, goods.codes[6:7])
    assert arrived(installation, pharmacy.code) == (1, kept + 1)
    with installation.wings() as (facility, _center), facility.app_context(), pharmacy.acting():
        assert one(pharmacy, "select count(*) as n from sale where tenant_id = %(t)s").n == 3
    assert (verified(installation, "facility"), verified(installation, "center")) == (0, 0)

    # A file that was touched is not taken.
    installation.stop()
    with (folder / "center.dump").open("ab") as file:
        file.write(b"x")
    spoilt = installation.command("restore", FROM=str(folder), CONFIRM="1")
    assert (spoilt.returncode, "its digest differs" in spoilt.stderr) == (1, True)
