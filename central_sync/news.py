"""News: what the center tells a facility, the same chain in the other direction (下行消息). Functions take a Connection.

The center numbers and chains what it publishes, per institution; the facility asks "after number n, whose hash is h" and
takes what follows. So each question also says what was taken before, and both sides' positions are compared with every one:
nobody has to remember to look after a restore.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from central_sync import chain, news_contract
from central_sync.chain import Head
from central_sync.wire import BATCH_BYTES, NEWS_FACTS, Told, WireFact

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy import Connection, Row

    from central_sync.wire import Question

NOTED_EVERY_SECONDS = 30  # How exactly the center remembers when a facility last asked.

PUBLISH = text("select stream, number from publish_news(:streams, :kind, cast(:version as integer), :body)")
HEADS = text("""
    select stream, epoch, number, hash, state, pulled_number,
        asked_at is null or asked_at < clock_timestamp() - make_interval(secs => cast(:every as double precision)) as is_noted_long_ago
    from news_head where stream = any(:streams)
""")
# What follows in each stream, with the item that the facility has as its last, to compare it.
FOLLOWING = text("""
    select stream, number, kind, version, body, hash
    from (
        select w.stream, n.*, sum(octet_length(n.body)) over (order by w.stream, n.number) - octet_length(n.body) as bytes_before
        from jsonb_to_recordset(cast(:wanted as jsonb)) as w (stream text, epoch bigint, after bigint, items integer)
        cross join lateral (
            select number, kind, version, body, hash from news
            where stream = w.stream and epoch = w.epoch and number >= w.after
            order by number limit w.items
        ) n
    ) as measured
    where bytes_before < :bytes
    order by stream, number
""")
NOTE = text("""
    update news_head h set state = r.state, pulled_number = least(r.pulled, h.number), asked_at = clock_timestamp(),
        pulled_at = case when r.pulled <> h.pulled_number then clock_timestamp() else h.pulled_at end
    from jsonb_to_recordset(cast(:asked as jsonb)) as r (stream text, state text, pulled bigint)
    where h.stream = r.stream
""")


def stream_name(stream: str) -> str:
    """The name under which an institution's news is hashed: never that of its facts."""
    return f"news/{stream}"


def beginning(stream: str) -> Head:
    """Where a stream of news stands before its first item."""
    return Head(1, 0, chain.genesis(stream_name(stream)))


def publish(connection: Connection, streams: Sequence[str], kind: str, body: Mapping[str, Any]) -> dict[str, int]:
    """Tell institutions something, in the caller's transaction; returns the number it got in each one's stream.

    Whoever is not in the answer was not reached: no such institution here. Raises OutsideContract.
    """
    told = news_contract.compose(kind, body)
    rows = connection.execute(PUBLISH, {"streams": sorted(set(streams)), "kind": kind, "version": 1, "body": told})
    return {row.stream: int(row.number) for row in rows}


def answer(connection: Connection, questions: Sequence[Question]) -> list[Told]:
    """Answer what many facilities ask, in their order, and note what each has taken."""
    params = {"streams": sorted(each.stream for each in questions), "every": NOTED_EVERY_SECONDS}
    heads = {row.stream: row for row in connection.execute(HEADS, params)}
    standing = {each.stream: _head(heads.get(each.stream), each.stream) for each in questions}
    behind = [each for each in questions if _is_behind(each, standing[each.stream])]
    following = _read_following(connection, behind) if behind else {}
    answers = [_told(each, standing[each.stream], following.get(each.stream, [])) for each in questions]
    asked = [
        {"stream": each.stream, "state": _state(told), "pulled": each.after}
        for each, told in zip(questions, answers, strict=True)
        if (row := heads.get(each.stream)) and _is_worth_noting(row, each, told)
    ]
    if asked:
        connection.execute(NOTE, {"asked": json.dumps(sorted(asked, key=lambda row: str(row["stream"])))})
    return answers


def _head(row: Row[Any] | None, stream: str) -> Head:
    return Head(row.epoch, row.number, bytes(row.hash)) if row else beginning(stream)


def _is_behind(question: Question, head: Head) -> bool:
    return question.epoch == head.epoch and question.after < head.number


def _read_following(connection: Connection, questions: Sequence[Question]) -> dict[str, list[WireFact]]:
    wanted = [
        {
            "stream": each.stream,
            "epoch": each.epoch,
            "after": each.after,
            "items": min(max(each.limit, 1), NEWS_FACTS) + (each.after > 0),
        }
        for each in questions
    ]
    found: dict[str, list[WireFact]] = {}
    for row in connection.execute(FOLLOWING, {"wanted": json.dumps(wanted), "bytes": BATCH_BYTES}):
        item = WireFact(row.number, row.kind, row.version, bytes(row.body), bytes(row.hash))
        found.setdefault(row.stream, []).append(item)
    return found


def _told(question: Question, head: Head, following: list[WireFact]) -> Told:
    """Compare where both sides stand, and say what follows."""
    if question.epoch != head.epoch or question.after > head.number:
        return Told("rewound", head.number, [], f"news {question.after} is not known here")
    if question.after == head.number:
        same = question.hash == head.hash
        return Told(
            "ok" if same else "altered", head.number, [], "" if same else f"news {question.after} is another here"
        )
    if question.after == 0:
        last, items = beginning(question.stream).hash, following
    elif following:
        last, items = following[0].hash, following[1:]
    else:  # No room in this answer: the facility asks alone.
        return Told("ok", head.number, [])
    if question.hash != last:
        return Told("altered", head.number, [], f"news {question.after} is another here")
    return Told("ok", head.number, items)


def _state(told: Told) -> str:
    return "running" if told.outcome == "ok" else told.outcome


def _is_worth_noting(row: Row[Any], question: Question, told: Told) -> bool:
    return bool(row.is_noted_long_ago or row.pulled_number != question.after or row.state != _state(told))
