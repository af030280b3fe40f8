"""Barcodes and QR codes as small drawings: what scanners read from our paper and labels. One module for all rooms."""

from __future__ import annotations

import re

import segno
from markupsafe import Markup

# The widths of bars and gaps of Code 128's values 0 to 105 (ISO/IEC 15417), bar first; eleven units each.
_WIDTHS = (
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 "
    "123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 "
    "232121 111323 131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 "
    "313121 211331 231131 213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 "
    "111422 121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 "
    "111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 "
    "114311 411113 411311 113141 114131 311141 411131 211412 211214 211232"
)
_STOP = "2331112"
_TO_PAIRS, _TO_SIGNS, _START_SIGNS, _START_PAIRS = 99, 100, 104, 105
# The widths of EAN-13's digits (GS1 General Specifications 5.2), gap first, seven units each; mirrored where the first
# digit, which has no bars of its own, says so for the left half.
_EAN_WIDTHS = ("3211", "2221", "2122", "1411", "1132", "1231", "1114", "1312", "1213", "3112")
_EAN_MIRRORED = ("000000", "001011", "001101", "001110", "010011", "011001", "011100", "010101", "010110", "011010")
_EAN_QUIET_LEFT, _EAN_QUIET_RIGHT = 11, 7
_QUIET = 10  # Units of white that a scanner needs on both sides.
_HEIGHT = 40
_DIGITS = re.compile(r"[0-9]*")
_FITS = re.compile(r"^[ -~]{1,80}$")


def fits_code128(text: str) -> bool:
    """Say whether a text can stand as a one-line barcode: 1 to 80 plain Latin signs. Anything else takes a QR code."""
    return bool(_FITS.match(text))


def code128_svg(text: str) -> Markup:
    """Draw a text as Code 128; as wide as its place, bars in whole units, white margins included."""
    if not fits_code128(text):
        message = f"not for Code 128: {text!r}"
        raise ValueError(message)
    return _drawn(text, "".join(_patterns(text)), _QUIET, _QUIET)


def ean13(twelve: str) -> str:
    """Twelve digits and the one that checks them."""
    assert len(twelve) == 12
    assert twelve.isascii()
    assert twelve.isdigit()
    return f"{twelve}{-sum(int(digit) * (1, 3)[place % 2] for place, digit in enumerate(twelve)) % 10}"


def is_ean13(text: str) -> bool:
    """Say whether a text is thirteen digits whose last one checks the others."""
    return len(text) == 13 and text.isascii() and text.isdigit() and ean13(text[:12]) == text


def ean13_svg(text: str) -> Markup:
    """Draw an EAN-13 as a shop's scanners know it; as wide as its place, white margins included."""
    if not is_ean13(text):
        message = f"no EAN-13: {text!r}"
        raise ValueError(message)
    left = "".join(
        _EAN_WIDTHS[int(digit)][:: -1 if mirrored == "1" else 1]
        for digit, mirrored in zip(text[1:7], _EAN_MIRRORED[int(text[0])], strict=True)
    )
    right = "".join(_EAN_WIDTHS[int(digit)] for digit in text[7:])
    return _drawn(text, f"111{left}11111{right}111", _EAN_QUIET_LEFT, _EAN_QUIET_RIGHT)


def _drawn(text: str, widths: str, quiet_left: int, quiet_right: int) -> Markup:
    """Bars and gaps of these widths, a bar first, between white margins."""
    at, bars = quiet_left, []
    for place, width in enumerate(map(int, widths)):
        if place % 2 == 0:
            bars.append(f"M{at} 0h{width}v{_HEIGHT}h-{width}z")
        at += width
    drawn = '<path fill="#fff" d="M0 0h{wide}v{high}h-{wide}z"/><path fill="#000" d="{bars}"/>'
    inside = drawn.format(wide=at + quiet_right, high=_HEIGHT, bars="".join(bars))
    frame = Markup(
        '<svg class="barcode" role="img" aria-label="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" shape-rendering="crispEdges">{}</svg>'
    )
    return frame.format(text, at + quiet_right, _HEIGHT, Markup(inside))  # noqa: S704 - figures only


def qr_svg(text: str, margin: int = 4) -> Markup:
    """Draw a text as a QR code, margin included unless white paper is around it; for what no line of bars can hold, and for telephones."""
    drawn = segno.make(text, error="m", micro=False).svg_inline(
        scale=1, border=margin, omitsize=True, dark="#000", light="#fff", svgclass="qr", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 - drawn by the QR library; the text is not in it


def _patterns(text: str) -> list[str]:
    values = _values(text)
    check = (values[0] + sum(place * value for place, value in enumerate(values[1:], 1))) % 103
    return [*(_widths(value) for value in (*values, check)), _STOP]


def _widths(value: int) -> str:
    return _WIDTHS[value * 7 : value * 7 + 6]


def _values(text: str) -> list[int]:
    """Pairs of digits take half the room, so runs of four and more are written in pairs."""
    pairs = _run(text, 0) == len(text) and len(text) % 2 == 0
    values, at = [_START_PAIRS if pairs else _START_SIGNS], 0
    while at < len(text):
        run = _run(text, at)
        if pairs and run < 2:
            values, pairs = [*values, _TO_SIGNS], False
        elif not pairs and run >= 4 and run % 2 == 0:
            values, pairs = [*values, _TO_PAIRS], True
        values.append(int(text[at : at + 2]) if pairs else ord(text[at]) - 32)
        at += 2 if pairs else 1
    return values


def _run(text: str, at: int) -> int:
    found = _DIGITS.match(text, at)
    return len(found.group()) if found else 0
