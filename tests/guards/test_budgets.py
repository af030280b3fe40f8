"""What a page weighs, and that docs/budgets.md says the same."""

import re
from pathlib import Path

import pytest

from launcher import frontend

ROOT = Path(__file__).resolve().parents[2]
STATIC = ROOT / "static"
TEMPLATES = ROOT / "templates"
IMPORTS = re.compile(r"""(?:from|import) "(\.[^"]+)\"""")
STYLES = re.compile(r"filename='css/([^']+)'")
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


def heaviest_pages():
    """The bytes of our own styles and scripts on the pages that load most: those a template and its frames name, with imports."""
    templates = {path.relative_to(TEMPLATES).as_posix(): path.read_text("utf-8") for path in TEMPLATES.rglob("*.html")}

    def named(name, what):
        text = templates[name]
        frame = EXTENDS.search(text)
        return set(what.findall(text)) | (named(frame.group(1), what) if frame else set())

    styles, scripts = [], []
    for name in templates:
        styles.append(sum((STATIC / "css" / style).stat().st_size for style in named(name, STYLES)))
        loaded = set()
        for script in named(name, SCRIPTS):
            with_imports((STATIC / "js" / script).resolve(), loaded)
        scripts.append(sum(path.stat().st_size for path in loaded))
    return max(styles), max(scripts), max(map(sum, zip(styles, scripts, strict=True)))


def test_styles_and_scripts_keep_their_weight(allowed):
    base, styles, scripts, everything, _first_load = allowed  # The last is weighed in the browser.
    page_styles, page_scripts, page = heaviest_pages()

    weights = [
        weight("vendor/base.css"), page_styles, page_scripts,
        weight("vendor/base.css", "vendor/htmx.min.js", "vendor/icons.svg") + page,
    ]  # fmt: skip

    assert min(weights) > 20_000
    assert [
        found for found, most in zip(weights, (base, styles, scripts, everything), strict=True) if found > most
    ] == []


def test_the_page_of_budgets_names_tests_that_are_there():
    named = set(re.findall(r"`(tests/[^`]+\.py)`", (ROOT / "docs" / "budgets.md").read_text("utf-8")))

    assert named
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
