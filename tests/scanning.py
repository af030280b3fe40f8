"""Reads back what we draw: an SVG of bars or squares becomes dots of grey, and a decoder reads them."""

from __future__ import annotations

import re

import zxingcpp

_STEP = re.compile(r"([MmhvHz])([^MmhvHz]*)")


def decode(svg: str, scale: int = 4) -> str:
    """The text a scanner reads out of a barcode or QR code drawn as SVG; empty when it reads nothing."""
    if box := re.search(r'viewBox="0 0 (\d+) (\d+)"', str(svg)):
        wide, high = map(int, box.groups())
    dots = bytearray(b"\xff" * (wide * scale * high * scale))
    for drawn in re.findall(r"<path[^>]*>", str(svg)):
        attributes = dict(re.findall(r'([a-z]+)="([^"]*)"', drawn))
        if attributes.get("fill", "").startswith("#fff"):
            continue
        for x, y, width, height in _boxes(attributes["d"], attributes.get("stroke") is not None):
            for line in range(int(y * scale), int((y + height) * scale)):
                begin = line * wide * scale + int(x * scale)
                dots[begin : begin + int(width * scale)] = bytes(int(width * scale))
    image = memoryview(bytes(dots)).cast("B", (high * scale, wide * scale))
    return "".join(found.text for found in zxingcpp.read_barcodes(image)[:1])


def _boxes(path: str, stroked: bool):
    """The filled boxes of a path: rectangles, or strokes one unit thick."""
    x = y = 0.0
    width = 0.0
    for step, numbers in _STEP.findall(path):
        values = [float(number) for number in re.findall(r"-?[\d.]+", numbers)]
        if step == "M":
            x, y = values
        elif step == "m":
            x, y = x + values[0], y + values[1]
        elif step == "h" and stroked:
            yield x, y - 0.5, values[0], 1
            x += values[0]
        elif step == "h" and values[0] > 0:
            width = values[0]
        elif step == "v":
            yield x, y, width, values[0]
