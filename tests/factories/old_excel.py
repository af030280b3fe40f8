"""An .xls of Excel 97 made by hand: one sheet of texts and numbers, as old systems still export. Nothing installed writes it."""

from __future__ import annotations

import struct

SECTOR = 512
FREE, END, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def old_excel(*rows) -> bytes:
    """The bytes of a workbook with these rows."""
    return _container(_book(rows))


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _book(rows) -> bytes:
    begin = struct.pack("<HHHHII", 0x0600, 0x0005, 0x0DBB, 0x07CC, 0, 6)
    sheet = struct.pack("<HHHHII", 0x0600, 0x0010, 0x0DBB, 0x07CC, 0, 6)
    name = _record(0x0085, struct.pack("<IBBBB", 0, 0, 0, 6, 0) + b"Sheet1")
    head, end = _record(0x0809, begin), _record(0x000A, b"")
    offset = len(head) + len(name) + len(end)
    name = _record(0x0085, struct.pack("<IBBBB", offset, 0, 0, 6, 0) + b"Sheet1")
    size = struct.pack("<IIHHH", 0, len(rows), 0, max(map(len, rows)), 0)
    cells = b"".join(_cell(y, x, value) for y, row in enumerate(rows) for x, value in enumerate(row) if value != "")
    return head + name + end + _record(0x0809, sheet) + _record(0x0200, size) + cells + end


def _cell(y: int, x: int, value) -> bytes:
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return _record(0x0204, struct.pack("<HHHHB", y, x, 0, len(value), 1) + text)
    return _record(0x0203, struct.pack("<HHHd", y, x, 0, value))


def _container(stream: bytes) -> bytes:
    """A compound file: sector 0 its table, sector 1 its folder, then the one stream."""
    count = max(-(-len(stream) // SECTOR), 8)  # A stream below 4096 bytes would lie elsewhere.
    body = stream.ljust(count * SECTOR, b"\0")
    chain = [TABLE, END, *range(3, count + 2), END]
    assert len(chain) <= SECTOR // 4, "one table sector is enough for a test"
    table = struct.pack("<128I", *chain, *[FREE] * (128 - len(chain)))
    root = _entry("Root Entry", 5, 1, END, 0)
    folder = root + _entry("Workbook", 2, FREE, 2, len(body)) + bytes(256)
    head = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, END, 0, END, 0) + struct.pack("<109I", 0, *[FREE] * 108)
    return head + table + folder + body


def _entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
    text = name.encode("utf-16-le")
    links = struct.pack("<HBBIII", len(text) + 2, kind, 1, FREE, FREE, child)
    return text.ljust(64, b"\0") + links + bytes(36) + struct.pack("<IQ", start, size)
