"""Notices (通知): an officer tells every institution of the district something; it goes to them as news."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from app.center.db import action, db, run
from app.center.supervision.recall_errors import NoticeIncomplete
from app.core import clock, trail
from app.core.errors import DocumentChanged, words
from app.national import codes
from central_sync import news

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.signin import Me

LEVELS = {"info": words("一般"), "warn": words("重要")}
MOST_TITLE = 60
MOST_TEXT = 2000


@action
def publish_notice(notice_id: UUID, level: str, title: str, text: str, me: Me) -> int:
    """Tell every institution of the officer's district (发布通知); returns how many it goes to.

    Sent again it tells nobody twice. Raises NoticeIncomplete, DocumentChanged.
    """
    title, text = title.strip(), text.strip()
    if why := _problem(level, title, text):
        raise NoticeIncomplete(why=why)
    at, issuer = clock.now(), codes.place(me.district)
    row = run(
        """
        insert into notice (id, district, level, title, text, issuer, published_by, published_name, published_at)
        values (:id, :district, :level, :title, :text, :issuer, :by, :name, :at) on conflict (id) do nothing returning turn, published_at
        """,
        id=notice_id, district=me.district, level=level, title=title, text=text, issuer=issuer, by=me.staff_id, name=me.name, at=at,
    ).one_or_none()  # fmt: skip
    if row is None:
        return _told_before(notice_id, (level, title, text))
    body = {
        "notice": str(notice_id), "number": number_of(row), "published_at": at.isoformat(), "issuer": issuer, "title": title, "text": text, "level": level,
    }  # fmt: skip
    told = news.publish(db.session.connection(), _streams(), "notice.published", body)
    run(
        """
        insert into notice_sent (notice_id, stream, district, number)
        select :id, r.stream, i.district, r.number from jsonb_to_recordset(cast(:told as jsonb)) as r (stream text, number bigint)
        join institution i on i.code = r.stream
        """,
        id=notice_id, told=json.dumps([{"stream": stream, "number": number} for stream, number in told.items()]),
    )  # fmt: skip
    trail.record("notice.published", str(notice_id), level=level, institutions=len(told))
    return len(told)


def _problem(level: str, title: str, text: str) -> str:
    if level not in LEVELS:
        return words("没有选轻重")
    if not 1 <= len(title) <= MOST_TITLE:
        return words("标题要有 1 到 {most} 个字", most=MOST_TITLE)
    if not 1 <= len(text) <= MOST_TEXT:
        return words("内容要有 1 到 {most} 个字", most=MOST_TEXT)
    return words("内容里有不能识别的字符") if "\0" in title + text else ""


def _streams() -> list[str]:
    return list(run("select code from institution order by code limit 100000").scalars())


def _told_before(notice_id: UUID, content: tuple[str, str, str]) -> int:
    known = run("select level, title, text from notice where id = :id", id=notice_id).one_or_none()
    if known is None or tuple(known) != content:
        raise DocumentChanged
    return int(run("select count(*) from notice_sent where notice_id = :id", id=notice_id).scalar_one())


def number_of(row: Any) -> str:
    """A notice's number as everybody names it."""
    return f"TZ{row.published_at:%Y}-{row.turn:04d}"
