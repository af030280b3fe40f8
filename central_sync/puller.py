"""The puller: asks the center for the news of all facilities of one database, round after round.

It keeps nothing but what the database says. What a stream brings is handed to `take`, which verifies and applies it in one
transaction with the stream's position; killed at any point, the next question says what was taken and nothing is taken twice.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from sqlalchemy import text

from central_sync import faults, news
from central_sync.chain import Fact, Head
from central_sync.transports.http import NoAnswer, NotAdmitted
from central_sync.wire import ROUND_STREAMS, Question

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection, Engine

    from central_sync.wire import Told

log = logging.getLogger("central_sync.puller")

NOTE_LENGTH = 300
NOTED_EVERY_SECONDS = 5  # How exactly the facility remembers when it last asked.
MOST_ROUNDS = 50  # Of one look: the next look goes on where this one ended.

PLACES = text("""
    select s.tenant_id, s.facility_id, s.stream, n.epoch, n.number, n.hash,
        coalesce(n.state, 'running') as state, coalesce(n.note, '') as note,
        n.pulled_at is null or n.pulled_at < clock_timestamp() - make_interval(secs => cast(:every as double precision)) as is_noted_long_ago
    from stream_head s left join news_head n on n.tenant_id = s.tenant_id and n.facility_id = s.facility_id
    order by s.stream limit 100000
""")
NOTE = text("""
    insert into news_head (tenant_id, facility_id, stream, hash, state, note, pulled_at)
    select r.tenant_id, r.facility_id, r.stream, decode(r.hash, 'hex'), r.state, r.note,
        case when r.state = 'running' then clock_timestamp() end
    from jsonb_to_recordset(cast(:places as jsonb)) as r (tenant_id bigint, facility_id bigint, stream text, hash text, state text, note text)
    order by r.tenant_id, r.facility_id
    on conflict (tenant_id, facility_id) do update set
        state = excluded.state, note = excluded.note, pulled_at = coalesce(excluded.pulled_at, news_head.pulled_at)
""")


class Place(NamedTuple):
    """A facility and the last news it has."""

    tenant_id: int
    facility_id: int
    stream: str
    head: Head


class Asker(Protocol):
    """A way over the bridge, downwards."""

    def ask_news(self, question: Question) -> Told: ...

    def ask_round(self, questions: Sequence[Question]) -> list[Told]: ...


@dataclass
class Look:
    """What one look at the center brought."""

    streams: int = 0
    items: int = 0
    stopped: int = 0  # Streams where both sides differ: somebody has to act.
    unheard: int = 0  # Streams that got no answer or were not admitted.
    note: str = ""


class Puller:
    """Pulls the news of every facility in a database. `engine` connects as the relay, each statement for itself."""

    def __init__(self, engine: Engine, asker: Asker, take: Callable[[Place, Sequence[Fact]], int]) -> None:
        self.engine, self.asker, self.take = engine, asker, take

    def look(self) -> Look:
        """Ask for every stream once, and again for those that have more."""
        seen = Look()
        with self.engine.connect() as connection:
            rows = connection.execute(PLACES, {"every": NOTED_EVERY_SECONDS}).all()
            seen.streams = len(rows)
            waiting = {row.stream: row for row in rows}
            for places in _rounds([_place(row) for row in rows]):
                self._ask(connection, places, waiting, seen)
        return seen

    def _ask(self, connection: Connection, places: list[Place], rows: dict[str, Any], seen: Look) -> None:
        """Bring one round's streams up to date."""
        for turn in range(MOST_ROUNDS):
            try:
                answers = self.asker.ask_round([_question(place) for place in places])
            except NoAnswer as silence:
                seen.unheard += len(places)
                seen.note = str(silence)[:NOTE_LENGTH]
                return
            faults.at("news.answered")
            told = list(zip(places, answers, strict=True))
            if turn == 0:
                self._note(connection, told, rows, seen)
            places = [after for place, answer in told if (after := self._take(place, answer, seen))]
            if not places:
                return

    def _take(self, place: Place, told: Told, seen: Look) -> Place | None:
        """Take one stream's news; returns where it then stands when there is more. A failure leaves it for the next look."""
        if told.outcome != "ok" or told.number <= place.head.number:
            return None
        try:
            if not told.news:  # It did not fit the round.
                told = self.asker.ask_news(_question(place))
            items = [Fact(place.head.epoch, n.number, n.kind, n.version, n.body, n.hash) for n in told.news]
            if not items:
                return None
            seen.items += self.take(place, items)
        except (NoAnswer, NotAdmitted) as silence:
            seen.note = f"{place.stream}: {silence}"[:NOTE_LENGTH]
            return None
        except Exception as bug:  # A bug in one stream must not stop the others; it is logged and tried again.
            seen.note = f"{place.stream}: {type(bug).__name__}: {bug}"[:NOTE_LENGTH]
            log.exception("news: stream %s", place.stream)
            return None
        last = items[-1]
        return place._replace(head=Head(last.epoch, last.number, last.hash)) if last.number < told.number else None

    def _note(self, connection: Connection, told: list[tuple[Place, Told]], rows: dict[str, Any], seen: Look) -> None:
        """Write down what was asked when, and which streams stand still; only where it says something new."""
        notes = []
        for place, answer in told:
            state = "running" if answer.outcome == "ok" else answer.outcome
            seen.stopped += state in ("rewound", "altered")
            seen.unheard += state == "refused"
            row, note = rows[place.stream], answer.why[:NOTE_LENGTH]
            if row.state != state or row.note != note or (state == "running" and row.is_noted_long_ago):
                notes.append(
                    {"tenant_id": place.tenant_id, "facility_id": place.facility_id, "stream": place.stream,
                     "hash": news.beginning(place.stream).hash.hex(), "state": state, "note": note}
                )  # fmt: skip
        if notes:
            connection.execute(NOTE, {"places": json.dumps(notes)})


def _place(row: Any) -> Place:
    head = Head(row.epoch, row.number, bytes(row.hash)) if row.hash is not None else news.beginning(row.stream)
    return Place(row.tenant_id, row.facility_id, row.stream, head)


def _question(place: Place) -> Question:
    return Question(place.stream, place.head.epoch, place.head.number, place.head.hash)


def _rounds(places: list[Place]) -> Iterator[list[Place]]:
    for start in range(0, len(places), ROUND_STREAMS):
        yield places[start : start + ROUND_STREAMS]
