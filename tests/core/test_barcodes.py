"""What we print can be scanned: every drawing is read back by a decoder that knows nothing of us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.barcodes import code128_svg, ean13, ean13_svg, fits_code128, is_ean13, qr_svg
from tests.scanning import decode

_PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40)


@pytest.mark.parametrize(
    "text",
    ["K26-1122-0003", "83000010000012345678", "6901234567892", "LOT-7", "a", "12", "AB123456CD7", "R26-1122-0001"],
)
def test_a_barcode_reads_back_as_what_was_written(text):
    assert decode(code128_svg(text)) == text


@given(_PLAIN.filter(lambda text: text == text.strip()))
def test_any_plain_text_reads_back(text):
    assert decode(code128_svg(text), scale=2) == text


@pytest.mark.parametrize("text", ["83000010000012345678", "批号 240301", "https://example.test/stock/codes/1"])
def test_a_qr_code_reads_back_as_what_was_written(text):
    assert decode(qr_svg(text)) == text


@given(st.from_regex(r"[0-9]{12}", fullmatch=True))
def test_an_ean13_reads_back_as_what_was_written(twelve):
    assert decode(ean13_svg(ean13(twelve)), scale=2).zfill(13) == ean13(twelve)


def test_an_ean13_is_told_by_its_last_digit():
    assert ean13("690123456789") == "6901234567892"
    assert is_ean13("6901234567892")
    for other in ("6901234567893", "690123456789", "69012345678９2", "²901234567892", ""):
        assert not is_ean13(other)
        with pytest.raises(ValueError, match="no EAN-13"):
            ean13_svg(other)


def test_what_no_barcode_can_hold_is_said_before_drawing():
    assert not fits_code128("批号 240301")
    assert not fits_code128("")
    with pytest.raises(ValueError, match="Code 128"):
        code128_svg("批号")


def test_pairs_of_digits_take_half_the_room():
    letters, digits = code128_svg("A" * 20), code128_svg("8" * 20)

    assert len(digits) < len(letters)


def test_the_text_is_told_to_a_screen_reader_without_breaking_the_page():
    assert 'aria-label="&lt;b&gt;&#34;"' in code128_svg('<b>"')
