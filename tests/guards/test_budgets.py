"""What a page weighs, and that docs/budgets.md says the same."""

import re
from pathlib import Path

import pytest

from launcher import frontend

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"
IMPORTS = re.compile(r"""(?:from|import) "(\.[^"]+)\"""")
SCRIPTS = re.compile(r"filename='js/([^']+)'")
EXTENDS = re.compile(r"""extends "([^"]+)\"""")
ROWS = re.compile(r"^\| (.+?) \| (\d+) KB", re.MULTILINE)


@pytest.fixture(scope="module")
def allowed():
    frontend.prepare()
    return [int(number) * 1000 for _, number in ROWS.findall((ROOT / "docs" / "budgets.md").read_text("utf-8"))]


def weight(*patterns):
    return sum(path.stat().st_size for pattern in patterns for path in STATIC.glob(pattern))


def with_imports(script, seen):
    """A script and all it imports."""
    if script not in seen:
        seen.add(script)
        for name in IMPORTS.findall(script.read_text("utf-8")):
            with_imports((script.parent / name).resolve(), seen)
    return seen


def heaviest_page():
    """The bytes of the scripts that the heaviest page loads: those its template and its frames name, with what they import."""
    templates = {path.relative_to(TEMPLATES).as_posix(): path.read_text("utf-8") for path in TEMPLATES.rglob("*.html")}

    def named(name):
        text = templates[name]
        frame = EXTENDS.search(text)
        return set(SCRIPTS.findall(text)) | (named(frame.group(1)) if frame else set())

    loaded = {}
    for name in templates:
        scripts = set()
        for script in named(name):
            with_imports((STATIC / "js" / script).resolve(), scripts)
        loaded[name] = sum(path.stat().st_size for path in scripts)
    return max(loaded.values())


def test_styles_and_scripts_keep_their_weight(allowed):
    base, styles, scripts, everything, _first_load = allowed  # The last is weighed in the browser.
    page = heaviest_page()

    weights = [
        weight("vendor/base.css"), weight("css/**/*.css"), page,
        weight("vendor/base.css", "vendor/htmx.min.js", "vendor/icons.svg", "css/**/*.css") + page,
    ]  # fmt: skip

    assert all(weights)
    assert page > 20_000
    assert [
        found for found, most in zip(weights, (base, styles, scripts, everything), strict=True) if found > most
    ] == []


def test_the_page_of_budgets_names_tests_that_are_there():
    named = set(re.findall(r"`(tests/[^`]+\.py)`", (ROOT / "docs" / "budgets.md").read_text("utf-8")))

    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
