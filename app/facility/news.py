"""What the center tells this wing's facilities: pulled, verified, applied once (下行消息).

Who asks for it is `central_sync.puller`; here each item is applied as the application of the one tenant it is for, in the
transaction that moves the facility's position. An item that cannot be applied is set aside with its reason and stops nothing
behind it.
"""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from psycopg import Error as DatabaseError
from psycopg import errors as pg

from app.core import clock, faults
from app.core.errors import Outage, Refusal
from app.facility.clinic.referral import arrivals as referrals
from app.facility.db import db, hot_action, transaction
from app.facility.stock.recalls import arrivals as recalls
from central_sync import chain, news, news_contract
from central_sync.chain import Head
from central_sync.contract import OutsideContract
from central_sync.puller import Puller
from central_sync.settings import SecretFile
from central_sync.transports.http import HttpTransport

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping, Sequence

    from flask import Flask

    from app.core.hot import Hot
    from central_sync.chain import Fact
    from central_sync.puller import Asker, Place

log = logging.getLogger("sunmed.news")

EVERY_SECONDS = 5.0
REASON_LENGTH = 500

OPEN = """
insert into news_head (tenant_id, facility_id, stream, hash) values (%(tenant)s, %(facility)s, %(stream)s, %(hash)s)
on conflict (tenant_id, facility_id) do nothing
"""
LOCK = "select epoch, number, hash from news_head where tenant_id = %(tenant)s and facility_id = %(facility)s for no key update"
WRITE = """
with items as (
    insert into news (tenant_id, facility_id, epoch, number, stream, kind, version, body, hash, set_aside)
    select %(tenant)s, %(facility)s, r.epoch, r.number, %(stream)s, r.kind, r.version, decode(r.body, 'hex'), decode(r.hash, 'hex'), r.set_aside
    from jsonb_to_recordset(%(items)s::jsonb) as r(epoch bigint, number bigint, kind text, version int, body text, hash text, set_aside text)
)
update news_head set number = %(number)s, hash = %(hash)s where tenant_id = %(tenant)s and facility_id = %(facility)s
"""
APPEND = "select number from append_facts(%(tenant)s, %(facility)s, %(facts)s::jsonb)"
BEAT = """
insert into worker_heartbeat (name, beat_at, waiting, note) values ('news', %(at)s, %(stopped)s, %(note)s)
on conflict (name) do update set beat_at = excluded.beat_at, waiting = excluded.waiting, note = excluded.note
"""

# What is done with each kind; what comes back are facts, as `append_facts` takes them, that answer the center. Kinds without
# a handler are kept and shown.
HANDLERS: dict[str, Callable[[Hot, Place, Any], Sequence[Mapping[str, Any]]]] = {
    "recall.issued": recalls.take_issued,
    "recall.closed": recalls.take_closed,
    "referral.moved": referrals.take_moved,
}


@hot_action
def take(place: Place, items: Sequence[Fact]) -> int:
    """Verify the items that follow a facility's last one, apply them and move its position, all or nothing; returns how many.

    Items taken before are passed over, so two pullers and a repeated answer do no harm. Raises BrokenChain.
    """
    keys = {"tenant": place.tenant_id, "facility": place.facility_id, "stream": place.stream}
    with transaction(settings={"app.tenant_id": str(place.tenant_id)}) as hot:
        *_, found = hot.run_all([(OPEN, {**keys, "hash": news.beginning(place.stream).hash}), (LOCK, keys)])
        head = Head(found[0].epoch, found[0].number, bytes(found[0].hash))
        fresh = [item for item in items if item.number > head.number]
        if not fresh:
            return 0
        reached = chain.follow(news.stream_name(place.stream), head, fresh)
        answers: list[Mapping[str, Any]] = []
        rows = [_row(item, _apply(hot, place, item, answers)) for item in fresh]
        hot.run(WRITE, {**keys, "items": json.dumps(rows), "number": reached.number, "hash": reached.hash})
        if answers:  # The head of the facts is the last lock, as everywhere.
            hot.run(APPEND, {**keys, "facts": json.dumps(answers)})
        faults.at("news.applied")
    return len(fresh)


def _apply(hot: Hot, place: Place, item: Fact, answers: list[Mapping[str, Any]]) -> str | None:
    """Apply one item; returns why it was set aside, or nothing."""
    hot.run("savepoint news_item")
    try:
        body = news_contract.read(item.kind, item.version, item.body)
        handler = HANDLERS.get(item.kind)
        answers += handler(hot, place, body) if handler else []
    except (pg.OperationalError, pg.SerializationFailure, pg.DeadlockDetected):
        raise  # A lost race or a lost connection says nothing about the item: everything comes again.
    except (OutsideContract, Refusal, DatabaseError, ArithmeticError, LookupError, TypeError, ValueError) as failure:
        hot.run("rollback to savepoint news_item")
        log.warning("news %s of %s set aside: %s", item.number, place.stream, failure)
        return f"{failure if isinstance(failure, (OutsideContract, Refusal)) else type(failure).__name__ + f': {failure}'}"[
            :REASON_LENGTH
        ]
    return None


def _row(item: Fact, set_aside: str | None) -> dict[str, Any]:
    return {
        "epoch": item.epoch, "number": item.number, "kind": item.kind, "version": item.version, "body": item.body.hex(),
        "hash": item.hash.hex(), "set_aside": set_aside,
    }  # fmt: skip


def look(asker: Asker) -> None:
    """Ask the center once for every facility's news and say that we did."""
    seen = Puller(db.engine_of("relay").execution_options(isolation_level="AUTOCOMMIT"), asker, take).look()
    note = seen.note or (f"{seen.unheard} streams not admitted" if seen.unheard else "")
    _beat(seen.stopped, note)


def _beat(stopped: int, note: str) -> None:
    with transaction("worker", settings={}) as hot:
        hot.run_last(BEAT, {"at": clock.now(), "stopped": stopped, "note": note[:200]})


def run(app: Flask, stop: threading.Event) -> None:
    """Look until told to stop; beside the recovery of settlements, so that neither waits for the other."""
    address, secrets = os.environ.get("SUNMED_BRIDGE_URL"), os.environ.get("SUNMED_BRIDGE_SECRETS")
    if not (address and secrets):
        log.warning("no bridge is configured: news is not pulled")
        return
    every = float(os.environ.get("SUNMED_NEWS_SECONDS", EVERY_SECONDS))
    asker = HttpTransport(address, SecretFile(Path(secrets)))
    with app.app_context():
        while not stop.is_set():
            try:
                look(asker)
            except Outage as outage:
                log.warning("news: %s", outage.reason)
            except Exception:
                log.exception("news could not be pulled; trying again")
            stop.wait(every)
    asker.close()
