"""Skin tests (皮试) and what is carried out (治疗执行): counted, each time with who and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid5

from app.core import clock
from app.core.errors import DocumentChanged, words
from app.facility.clinic.charging import sheets
from app.facility.clinic.dispensing import handing, rules, statements
from app.facility.clinic.dispensing.errors import ExecutionIncomplete, SkinTestIncomplete
from app.facility.clinic.practice import actions as practice
from app.facility.db import hot_action, transaction
from app.facility.stock.ledger import as_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from app.core.tenancy import Desk
    from app.facility.clinic.dispensing.rules import Line


@hot_action
def note_skin_test(
    desk: Desk, test_id: UUID, order_id: UUID, order_line_no: int, result: str, second_id: int, note: str = ""
) -> None:
    """Note the result of a skin test, seen by two people. A positive one stops the drug and goes onto the patient's file.

    Sent again it changes nothing. Raises SkinTestIncomplete, NotToDispense, NotPractitioner, NotEligible, DocumentChanged, NotFound.
    """
    note = note.strip()
    if result not in rules.TESTS or len(note) > rules.MOST_NOTE:
        raise SkinTestIncomplete(why=words("要选阴性或阳性"))
    if second_id == desk.staff_id:
        raise SkinTestIncomplete(why=words("看结果的须是两个人"))
    digest = handing.digest_of(str(order_id), order_line_no, result, second_id, note)
    keys: dict[str, Any] = {
        **desk.keys, "id": test_id, "order": order_id, "line": order_line_no, "result": result, "second": second_id, "note": note, "at": clock.now(), "digest": digest,
    }  # fmt: skip
    with transaction(settings=desk.settings) as hot:
        sheet, lines = handing.open_sheet(hot, keys, words("记皮试"))
        if known := hot.run(statements.KNOWN_TEST, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return
        practice.check_staff(hot, desk, second_id, emergency=sheet.tag == "emergency")
        line = next((one for one in lines.values() if one.order_line_no == order_line_no and one.skin_test), None)
        if line is None or line.tested == "positive":
            raise SkinTestIncomplete(why=words("这一行不用皮试，或已经是阳性"))
        hot.run(statements.TEST, keys)
        if result == "positive":
            allergy = {
                **keys,
                "id": uuid5(test_id, "allergy"),
                "patient": sheet.patient_id,
                "substance": line.name[:60],
                "note": note[:100],
            }
            hot.run(statements.POSITIVE, allergy)


@hot_action
def carry_out(desk: Desk, execution_id: UUID, order_id: UUID, times: Mapping[int, int], note: str = "") -> None:
    """Carry out lines of a paid sheet so many times (治疗执行): order line -> times; who and when are kept.

    An infused drug has to be handed over before. Sent again it changes nothing. Raises ExecutionIncomplete, NotToDispense, SkinTestMissing,
    SkinTestPositive, NotPractitioner, NotEligible, DocumentChanged, NotFound.
    """
    note, wanted = note.strip(), {line: n for line, n in sorted(times.items()) if n}
    digest = handing.digest_of(str(order_id), wanted, note)
    keys: dict[str, Any] = {
        **desk.keys,
        "id": execution_id,
        "order": order_id,
        "at": clock.now(),
        "digest": digest,
        "note": note,
    }
    if len(note) > rules.MOST_NOTE:
        raise ExecutionIncomplete(why=words("备注最多 200 个字"))
    with transaction(settings=desk.settings) as hot:
        if known := hot.run(statements.KNOWN_EXECUTION, keys):
            if bytes(known[0].digest) != digest:
                raise DocumentChanged
            return
        sheet, found = handing.open_sheet(hot, keys, words("执行"))
        practice.check_staff(hot, desk, emergency=sheet.tag == "emergency")
        lines = {line.order_line_no: line for line in found.values()}
        if sheet.kind not in sheets.TREATED or not wanted or not wanted.keys() <= lines.keys():
            raise ExecutionIncomplete(why=words("没有选要执行的项目"))
        for number, n in wanted.items():
            _check(lines[number], n)
            lines[number].done += n
            lines[number].handed_over += 0 if lines[number].is_goods else n
        hot.run_last(
            statements.EXECUTE,
            {
                **keys, "done": as_json([{"order_line_no": line, "times": n} for line, n in wanted.items()]), "state": sheets.becomes(sheet.kind, list(found.values())),
                "services": as_json([{"line_no": lines[line].line_no, "times": n} for line, n in wanted.items() if not lines[line].is_goods]),
            },
        )  # fmt: skip


def _check(line: Line, times: int) -> None:
    handing.check_tested(line)
    if line.is_awaited:
        raise ExecutionIncomplete(why=words("{name} 还没有发药", name=line.name))
    if not 1 <= times <= line.times_left:
        raise ExecutionIncomplete(
            why=words("{name} 还剩 {left} 次，这次写了 {times} 次", name=line.name, left=line.times_left, times=times)
        )
