"""What a page weighs, and that docs/budgets.md says the same."""

import re
from pathlib import Path

import pytest

from launcher import frontend

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
ROWS = re.compile(r"^\| (.+?) \| (\d+) KB", re.MULTILINE)


@pytest.fixture(scope="module")
def allowed():
    frontend.prepare()
    return [int(number) * 1000 for _, number in ROWS.findall((ROOT / "docs" / "budgets.md").read_text("utf-8"))]


def weight(*patterns):
    return sum(path.stat().st_size for pattern in patterns for path in STATIC.glob(pattern))


def test_styles_and_scripts_keep_their_weight(allowed):
    base, styles, scripts, everything, _first_load = allowed  # The last is weighed in the browser.

    weights = [
        weight("vendor/base.css"), weight("css/**/*.css"), weight("js/**/*.js"),
        weight("vendor/base.css", "vendor/htmx.min.js", "vendor/icons.svg", "css/**/*.css", "js/**/*.js"),
    ]  # fmt: skip

    assert all(weights)
    assert [
        found for found, most in zip(weights, (base, styles, scripts, everything), strict=True) if found > most
    ] == []


def test_the_page_of_budgets_names_tests_that_are_there():
    named = set(re.findall(r"`(tests/[^`]+\.py)`", (ROOT / "docs" / "budgets.md").read_text("utf-8")))

    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
