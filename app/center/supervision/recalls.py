"""Recalls of the center (召回): one officer asks, another approves, then it goes to every institution of the district as news."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from app.center.db import action, db, run
from app.center.supervision.recall_errors import OwnRecall, RecallIncomplete, RecallNotThere
from app.core import clock, trail
from app.core.errors import NotFound, words
from app.national import codes
from central_sync import news, news_contract

if TYPE_CHECKING:
    from uuid import UUID

    from app.core.signin import Me

MOST_TEXT = 1000


@dataclass(frozen=True)
class Draft:
    """What an officer wants called back."""

    level: int
    name: str
    reason: str
    instructions: str
    national: str = ""
    approval: str = ""
    maker: str = ""
    spec: str = ""
    lots: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()

    def problem(self) -> str:
        """What is missing; empty when nothing is."""
        if self.level not in (1, 2, 3):
            return words("没有选级别")
        if not self.name or not (self.national or self.approval or self.maker):
            return words("药品要写名称，并写国家医保代码、批准文号或生产企业之一")
        if any(len(text) > 200 for text in (self.name, self.national, self.approval, self.maker, self.spec)):
            return words("药品的每一项最多 200 个字")
        if not self.reason or not self.instructions or max(len(self.reason), len(self.instructions)) > MOST_TEXT:
            return words("请写明原因和处理要求，各最多 {most} 个字", most=MOST_TEXT)
        wrong_lots = len(self.lots) > news_contract.MOST_LOTS or any(len(lot) > 60 for lot in self.lots)
        if wrong_lots or len(self.codes) > news_contract.MOST_CODES or any(len(code) > 80 for code in self.codes):
            return words(
                "批号最多 {lots} 个，追溯码最多 {codes} 个",
                lots=news_contract.MOST_LOTS,
                codes=news_contract.MOST_CODES,
            )
        return ""

    def product(self) -> dict[str, Any]:
        """As the news names it; the first thing given is what facilities match by."""
        return {
            "name": self.name, "national": self.national or None, "approval": self.approval or None, "maker": self.maker or None, "spec": self.spec or None
        }  # fmt: skip


@action
def ask_recall(recall_id: UUID, draft: Draft, me: Me) -> None:
    """Propose a recall; nothing goes out until another officer approves. Sent again it changes nothing. Raises RecallIncomplete."""
    if why := draft.problem():
        raise RecallIncomplete(why=why)
    run(
        """
        insert into recall (id, district, level, product, lots, codes, reason, instructions, issuer, asked_by, asked_name, asked_at)
        values (:id, :district, cast(:level as int), cast(:product as jsonb), :lots, :codes, :reason, :instructions, :issuer, :by, :name, :at)
        on conflict (id) do nothing
        """,
        id=recall_id, district=me.district, level=draft.level, product=json.dumps(draft.product(), ensure_ascii=False), lots=list(draft.lots),
        codes=list(draft.codes), reason=draft.reason, instructions=draft.instructions, issuer=codes.place(me.district), by=me.staff_id,
        name=me.name, at=clock.now(),
    )  # fmt: skip
    trail.record("recall.asked", str(recall_id), level=draft.level)


@action
def approve_recall(recall_id: UUID, me: Me) -> int:
    """Let a recall go out to every institution of the district (下达召回); returns how many. Raises OwnRecall, RecallNotThere."""
    row, at = _lock(recall_id, "asked", me), clock.now()
    hours = run(
        "select value::int from parameter where scope = '*' and name = :name and :day between valid_from and coalesce(valid_until, 'infinity')",
        name=f"recall_hours_{row.level}", day=clock.business_date(),
    ).scalar_one()  # fmt: skip
    deadline = at + timedelta(hours=hours)
    body = {
        "recall": str(recall_id), "number": number_of(row), "level": row.level, "issued_at": at.isoformat(), "deadline_at": deadline.isoformat(),
        "issuer": row.issuer, "product": row.product, "reason": row.reason, "instructions": row.instructions, "lots": row.lots, "codes": row.codes,
    }  # fmt: skip
    streams = run("select code from institution order by code limit 100000").scalars().all()
    told = news.publish(db.session.connection(), streams, "recall.issued", body)
    run(
        """
        insert into recall_sent (recall_id, stream, district, number)
        select :id, r.stream, i.district, r.number from jsonb_to_recordset(cast(:told as jsonb)) as r (stream text, number bigint)
        join institution i on i.code = r.stream
        """,
        id=recall_id, told=json.dumps([{"stream": stream, "number": number} for stream, number in told.items()]),
    )  # fmt: skip
    _decide(recall_id, "issued", me, deadline)
    trail.record("recall.issued", str(recall_id), institutions=len(told))
    return len(told)


@action
def refuse_recall(recall_id: UUID, me: Me) -> None:
    """Do not let a proposed recall go out. Raises OwnRecall, RecallNotThere."""
    _lock(recall_id, "asked", me)
    _decide(recall_id, "refused", me, None)
    trail.record("recall.refused", str(recall_id))


@action
def close_recall(recall_id: UUID, summary: str, me: Me) -> None:
    """End a recall (结束召回): what it still freezes anywhere may be sold again. Raises RecallIncomplete, RecallNotThere."""
    if not 1 <= len(summary.strip()) <= MOST_TEXT:
        raise RecallIncomplete(why=words("请写明召回结果"))
    row, at = _lock(recall_id, "issued"), clock.now()
    streams = (
        run("select stream from recall_sent where recall_id = :id order by stream limit 100000", id=recall_id)
        .scalars()
        .all()
    )
    body = {"recall": str(recall_id), "number": number_of(row), "closed_at": at.isoformat(), "summary": summary.strip()}
    news.publish(db.session.connection(), streams, "recall.closed", body)
    run(
        "update recall set state = 'closed', closed_by = :by, closed_name = :name, closed_at = :at, summary = :summary where id = :id",
        id=recall_id, by=me.staff_id, name=me.name, at=at, summary=summary.strip(),
    )  # fmt: skip
    trail.record("recall.closed", str(recall_id))


def number_of(row: Any) -> str:
    """A recall's number as everybody names it."""
    return f"ZH{row.asked_at:%Y}-{row.turn:04d}"


def _lock(recall_id: UUID, state: str, decider: Me | None = None) -> Any:
    row = run("select * from recall where id = :id for update", id=recall_id).one_or_none()
    if row is None:
        raise NotFound
    if row.state != state:
        raise RecallNotThere
    if decider is not None and row.asked_by == decider.staff_id:
        raise OwnRecall
    return row


def _decide(recall_id: UUID, state: str, me: Me, deadline: Any) -> None:
    run(
        "update recall set state = :state, decided_by = :by, decided_name = :name, decided_at = :at, deadline_at = :deadline where id = :id",
        id=recall_id, state=state, by=me.staff_id, name=me.name, at=clock.now(), deadline=deadline,
    )  # fmt: skip
