"""python -m central_sync: status, verify, replay, rewind, contract.

    status  facility|center              where each stream stands, facts and then news
    verify  facility|center [--stream S] recompute the chains; exit 1 names every altered, missing or extra fact or item of news
    replay  --stream S --handler M:N     take up an application that was set aside (add --skip N to leave that fact out)
    rewind  --stream S [--confirm]       after a restore: say what is common, and open the next epoch
    contract                             write contract.json from contract.py

Databases: `--database URL`, else SUNMED_SYNC_FACILITY_URL / SUNMED_SYNC_CENTER_URL.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, select

from central_sync import contract, inbox, news_contract, rewind, tables, verify
from central_sync.settings import SecretFile
from central_sync.transports.http import HttpTransport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Connection, Engine, Table

CONTRACT_FILE = Path(__file__).with_name("contract.json")
MOST_STREAMS = 100_000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; return its exit code."""
    options = _parser().parse_args(arguments)
    if options.command == "contract":
        CONTRACT_FILE.write_text(contract_text())
        return 0
    side = getattr(options, "side", "center" if options.command == "replay" else "facility")
    engine = _engine(side, options.database)
    try:
        return int(
            {"status": _status, "verify": _verify, "replay": _replay, "rewind": _rewind}[options.command](
                engine, side, options
            )
        )
    finally:
        engine.dispose()


def contract_text() -> str:
    """Return the contract as the file holds it."""
    whole = {**contract.as_json_schema(), "news": contract.as_json_schema(news_contract.KINDS, "Sunmed news")}
    return json.dumps(whole, ensure_ascii=False, indent=1) + "\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m central_sync", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("status", "verify"):
        command = commands.add_parser(name)
        command.add_argument("side", choices=("facility", "center"))
        command.add_argument("--stream")
        command.add_argument("--database")
    replay = commands.add_parser("replay")
    replay.add_argument("--stream", required=True)
    replay.add_argument("--handler", default="app.center.supervision.handler:handler")
    replay.add_argument("--skip", type=int)
    replay.add_argument("--database")
    back = commands.add_parser("rewind")
    back.add_argument("--stream", required=True)
    back.add_argument("--confirm", action="store_true")
    back.add_argument("--database")
    commands.add_parser("contract")
    return parser


def _engine(side: str, url: str | None) -> Engine:
    name = {"facility": "SUNMED_SYNC_FACILITY_URL", "center": "SUNMED_SYNC_CENTER_URL"}[side]
    found = url or os.environ.get(name)
    if not found:
        raise SystemExit(f"say which database: --database or {name}")
    return create_engine(found.replace("postgresql://", "postgresql+psycopg://", 1))


def _status(engine: Engine, side: str, options: argparse.Namespace) -> int:
    with engine.connect() as connection:
        rows = _center_rows(connection) if side == "center" else _facility_rows(connection)
        told = _news_rows(connection, tables.center_news_head if side == "center" else tables.facility_news_head)
    wanted = [row for row in rows if options.stream in (None, row[0])]
    for row in wanted:
        sys.stdout.write("\t".join(str(part) for part in row) + "\n")
    for row in told:
        if options.stream in (None, row[0]):
            sys.stdout.write("\t".join(["news/" + str(row[0]), *(str(part) for part in row[1:])]) + "\n")
    return 0


def _facility_rows(connection: Connection) -> list[tuple[object, ...]]:
    c = tables.stream_head.c
    rows = connection.execute(
        select(c.stream, c.epoch, c.number, c.sent_number, c.sent_at, c.relay_state, c.relay_note)
        .order_by(c.stream)
        .limit(MOST_STREAMS)
    )
    return [tuple(row) for row in rows]


def _center_rows(connection: Connection) -> list[tuple[object, ...]]:
    c = tables.inbox_stream.c
    rows = connection.execute(
        select(c.stream, c.epoch, c.number, c.applied_number, c.received_at, c.set_aside_number, c.set_aside_reason)
        .order_by(c.stream)
        .limit(MOST_STREAMS)
    )
    return [tuple(row) for row in rows]


def _news_rows(connection: Connection, head: Table) -> list[tuple[object, ...]]:
    """Stream, epoch, newest number, state, when it was last pulled; at the center also how far."""
    c = head.c
    pulled = [c.pulled_number] if "pulled_number" in c else []
    rows = connection.execute(
        select(c.stream, c.epoch, c.number, c.state, c.pulled_at, *pulled).order_by(c.stream).limit(MOST_STREAMS)
    )
    return [tuple(row) for row in rows]


def _verify(engine: Engine, side: str, options: argparse.Namespace) -> int:
    with engine.begin() as connection:
        check = verify.verify_center if side == "center" else verify.verify_facility
        reports = check(connection, options.stream)
        if side == "center":
            for report in reports:
                verify.mark_verified(connection, report)
        told = verify.verify_center_news if side == "center" else verify.verify_facility_news
        reports += told(connection, options.stream)
    for report in reports:
        sys.stdout.write(f"{report.stream}\t{report.facts} facts\t{'complete' if not report.findings else 'BROKEN'}\n")
        for finding in report.findings:
            sys.stdout.write(f"  {finding.what}\tepoch {finding.epoch} fact {finding.number}: {finding.why}\n")
    if options.stream and not reports:
        sys.stdout.write(f"{options.stream}\tno such stream\n")
        return 1
    return 1 if any(report.findings for report in reports) else 0


def _replay(engine: Engine, _side: str, options: argparse.Namespace) -> int:
    module, _, name = options.handler.partition(":")
    handler = getattr(import_module(module), name)
    with engine.begin() as connection:
        if options.skip is not None:
            reached = inbox.skip(connection, options.stream, options.skip, handler)
        else:
            reached = inbox.apply_waiting(connection, options.stream, handler)
        head = inbox.head_of(connection, options.stream)
    assert head is not None
    sys.stdout.write(f"{options.stream}\tapplied {reached} of {head.number}\n")
    return 0 if reached == head.number else 1


def _rewind(engine: Engine, _side: str, options: argparse.Namespace) -> int:
    center = HttpTransport(os.environ["SUNMED_BRIDGE_URL"], SecretFile(Path(os.environ["SUNMED_BRIDGE_SECRETS"])))
    try:
        with engine.begin() as connection:
            plan = rewind.plan(connection, center, options.stream)
            if plan is None:
                sys.stdout.write(f"{options.stream}\tnot rewound: nothing to do\n")
                return 0
            sys.stdout.write(
                f"{options.stream}\tlast common fact {plan.common.number} {plan.common.hash.hex()}\n"
                f"  only at the center: {plan.orphaned} (will be kept there as orphaned)\n"
                f"  only here: {plan.written_again} (will be sent under the next epoch)\n"
            )
            if not options.confirm:
                sys.stdout.write("  nothing was changed; add --confirm to open the next epoch\n")
                return 2
            head = rewind.carry_out(connection, plan)
            sys.stdout.write(f"  epoch {head.epoch} is open at fact {head.number}\n")
    finally:
        center.close()
    return 0
