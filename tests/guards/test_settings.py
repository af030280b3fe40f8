"""Each setting that the code reads from the environment is told in docs/operations.md, and nothing is told in vain."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("app", "central_sync", "launcher", "migrations", "wsgi.py", "dev.py")
# The system's own, and words of WSGI that are read from a request's environment.
NOT_OURS = {"PATH_INFO", "DEBIAN_FRONTEND", "REQUEST_METHOD", "CONTENT_LENGTH"}
OURS = re.compile(r"^(SUNMED_[A-Z_]+|[A-Z]+_DATABASE_URL|PORT|TO|FROM|ONLY|CONFIRM|CI)$")


def files():
    for place in PLACES:
        path = ROOT / place
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def names_read(source):
    """What `environ[…]`, `environ.get(…)`, `getenv(…)` and our own on/off switch ask for, and any word that looks like a setting."""
    for node in ast.walk(ast.parse(source)):
        if (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and re.fullmatch(r"SUNMED_[A-Z_]+|[A-Z]+_DATABASE_URL", node.value)
        ):
            yield node.value
        asked = None
        if isinstance(node, ast.Subscript) and getattr(node.value, "attr", getattr(node.value, "id", "")) == "environ":
            asked = node.slice
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            of = getattr(node.func.value, "attr", getattr(node.func.value, "id", ""))
            if (of, node.func.attr) in {("environ", "get"), ("os", "getenv")}:
                asked = node.args[0]
        if isinstance(asked, ast.Constant) and isinstance(asked.value, str) and OURS.match(asked.value):
            yield asked.value


def test_each_setting_is_in_the_docs_and_none_in_vain():
    told = set(re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs" / "operations.md").read_text("utf-8")))
    read = {name for path in files() for name in names_read(path.read_text("utf-8"))} - NOT_OURS
    of_tests = {"CI", "SUNMED_REAL_DATA"}

    assert len(read) > 20
    assert sorted(read - told) == []
    assert sorted(name for name in told - read - of_tests if OURS.match(name)) == []


def test_a_setting_is_found_however_it_is_read():
    source = 'import os\nfrom os import environ\nos.environ["SUNMED_A"]; os.environ.get("PORT", "1"); environ["SUNMED_B"]; os.getenv("SUNMED_C"); on("SUNMED_D")'

    assert set(names_read(source)) == {"SUNMED_A", "SUNMED_B", "SUNMED_C", "SUNMED_D", "PORT"}
