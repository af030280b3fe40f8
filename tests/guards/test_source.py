"""What the source itself must keep: short functions, whole money, one clock, no secrets, no personal data in logs."""

import ast
import importlib
import pkgutil
import re
from collections import defaultdict
from pathlib import Path

import pytest

from app.core.errors import Refusal

ROOT = Path(__file__).resolve().parents[2]
OURS = ("app", "central_sync", "launcher", "migrations")
MOST_LINES = 70

# Functions longer than 70 lines, and why.
LONG = {}
# Who may ask the time, and why.
CLOCKS = {
    "app/core/clock.py": "the one clock",
    "app/core/db.py": "sleeps between tries",
    "app/core/faults.py": "sleeps where a fault is asked for",
    "app/facility/clinic/reception/walls.py": "ages of what is remembered, by a clock that never jumps",
    "app/facility/insurance/desk.py": "ages of what is remembered, by a clock that never jumps",
    "app/facility/organizations/parameters.py": "ages of what is remembered, by a clock that never jumps",
    "app/core/signin.py": "ages of what is believed, by a clock that never jumps",
    "app/center/interface/views.py": "ages of what is remembered, by a clock that never jumps",
    "app/center/supervision/bridge.py": "sleeps between tries",
    "app/facility/insurance/worker.py": "sleeps between rounds",
}
# Arithmetic on money that a rule of its own covers.
DIVIDING = {"app/core/money.py": "the one place that splits amounts"}
PERSONAL = re.compile(r"(certno|card|phone|name|patient|person|text|body|password|secret|token|form|input)s?$")
LOGS = {"debug", "info", "warning", "error", "exception", "critical"}


def _files(*folders, suffix="*.py"):
    return [
        path
        for folder in folders
        for path in sorted((ROOT / folder).rglob(suffix))
        if "node_modules" not in path.parts and "vendor" not in path.parts
    ]


def _trees(*folders):
    return [(str(path.relative_to(ROOT)), ast.parse(path.read_text())) for path in _files(*folders)]


def test_functions_are_short():
    long = {
        f"{path}:{node.name}"
        for path, tree in _trees("app", "central_sync", "launcher")
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno - node.lineno + 1 > MOST_LINES
    }
    assert long == LONG.keys()


def test_browser_tests_type_like_a_person():
    """Keys without a pause are a scanner's burst to the page: `hands.type_in` pauses, `hands.scan` is the scanner."""
    hasty = [
        str(path.relative_to(ROOT))
        for path in _files("tests/browser")
        if path.name != "hands.py" and re.search(r"keyboard\.(type|insert_text)\(", path.read_text())
    ]
    assert hasty == []


def _names(node) -> set:
    return {
        found.id if isinstance(found, ast.Name) else found.attr
        for found in ast.walk(node)
        if isinstance(found, ast.Name | ast.Attribute)
    }


def _money_faults(path, tree):
    for node in ast.walk(tree):
        of_money = any(name.endswith("_fen") for name in _names(node))
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and of_money:
            yield f"{path}:{node.lineno} divides money with /"
        if isinstance(node, ast.BinOp) and of_money and _has_float(node):
            yield f"{path}:{node.lineno} mixes money with a float"
        if _makes_float(node) and any(name.endswith(("_fen", "price", "amount", "quantity")) for name in _names(node)):
            yield f"{path}:{node.lineno} makes a float of money or goods"


def _has_float(node) -> bool:
    return any(isinstance(part, ast.Constant) and isinstance(part.value, float) for part in ast.walk(node))


def _makes_float(node) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float"


def test_money_is_never_a_float():
    assert [
        fault
        for path, tree in _trees("app", "central_sync")
        for fault in _money_faults(path, tree)
        if path not in DIVIDING
    ] == []


@pytest.mark.parametrize("line", ["x = total_fen / 2", "x = float(row.cash_fen)", "x = fund_fen * 0.7"])
def test_a_float_of_money_is_found(line):
    assert list(_money_faults("x.py", ast.parse(line)))


def test_only_the_clock_asks_the_time():
    asks = re.compile(
        r"\b(datetime\.(now|utcnow|today)|date\.today|time\.(time|monotonic|sleep|perf_counter|localtime|gmtime))\b"
    )
    found = {str(path.relative_to(ROOT)) for path in _files("app") if asks.search(path.read_text())}

    assert found - CLOCKS.keys() == set()
    wall = re.compile(r"\b(datetime\.(now|utcnow|today)|date\.today|time\.time)\(")
    assert {str(path.relative_to(ROOT)) for path in _files("app") if wall.search(path.read_text())} <= {
        "app/core/clock.py"
    }


def test_nothing_is_printed_by_the_wings():
    found = [
        f"{path}:{node.lineno}"
        for path, tree in _trees("app")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"print", "breakpoint", "eval", "exec"}
    ]
    assert found == []


def test_logs_hold_no_personal_data():
    found = []
    for path, tree in _trees("app", "central_sync"):
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in LOGS
                and _is_log(node.func.value)
            ):
                said = [ast.unparse(argument) for argument in node.args[1:]]
                found += [
                    f"{path}:{node.lineno} logs {text}"
                    for text in said
                    if PERSONAL.search(text.rpartition(".")[2]) and "__name__" not in text
                ]
    assert [each for each in found if not each.endswith(tuple(LOGGED))] == []


# Logged values that sound personal and are none.
LOGGED = {"logs name", "logs self.name"}  # The relay's name of a stream: an institution's code.


def _is_log(node) -> bool:
    return isinstance(node, ast.Name) and node.id in {"log", "logger", "logging"}


def test_no_secret_lies_in_the_repository():
    key = re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\bAKIA[0-9A-Z]{16}\b|\bghp_[A-Za-z0-9]{36}\b|(?i:password|secret|token)\s*[=:]\s*[\"'][A-Za-z0-9+/]{24,}[\"']"
    )
    folders = (*OURS, "templates", "static", "demo", "docs")
    files = [
        path
        for folder in folders
        if (ROOT / folder).exists()
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".html", ".js", ".json", ".md", ".csv", ".toml", ".css"}
    ]
    assert [
        str(path.relative_to(ROOT))
        for path in files
        if "vendor" not in path.parts and key.search(path.read_text(errors="replace"))
    ] == []


# ---- templates and scripts ---------------------------------------------------------------------------------------------


def test_templates_have_no_inline_script_or_style():
    inline = re.compile(r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=|\son[a-z]+=\"|javascript:", re.IGNORECASE)
    found = []
    for path in _files("templates", suffix="*.html"):
        text = re.sub(r"\{#.*?#\}", "", path.read_text(), flags=re.DOTALL)
        found += [
            f"{path.relative_to(ROOT)}: {match[0].strip()}"
            for match in inline.finditer(text)
            if "application/json" not in match[0]
        ]
    assert found == []


# What is put into a page as it is, and why.
TRUSTED = {"templates/signin/_scan.html: |safe": "a QR picture drawn from our own figures"}


def test_templates_trust_nothing():
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _files("templates", suffix="*.html")
        for match in re.finditer(r"\|\s*safe\b|autoescape\s+false", path.read_text())
    ]
    assert set(found) == TRUSTED.keys()


def test_scripts_make_no_page_out_of_text():
    danger = re.compile(
        r"\beval\s*\(|new\s+Function\s*\(|\.(inner|outer)HTML\s*=|insertAdjacentHTML|document\.write|set(Timeout|Interval)\s*\(\s*[\"']"
    )
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _files("static/js", suffix="*.js")
        for match in danger.finditer(path.read_text())
    ]
    assert found == []


def test_scripts_keep_no_personal_data_in_the_browser():
    keeps = re.compile(r"(local|session)Storage\.setItem\(([^)]*)\)")
    personal = re.compile(r"certno|card|person|patient|phone|name", re.IGNORECASE)
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in _files("static/js", suffix="*.js")
        for match in keeps.finditer(path.read_text())
        if personal.search(match[2])
    ]
    assert found == []


# ---- answers ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wing", ["facility", "center"])
def test_every_answer_carries_its_protections(request, wing):
    app = request.getfixturevalue(f"{wing}_app")
    for where in ("/signin", "/nowhere", "/static/css/tokens.css", "/signin/code?code=X"):
        answer = app.test_client().get(where)
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'self'" in policy or "default-src 'none'" in policy
        assert {"frame-ancestors", "form-action", "base-uri", "object-src"} <= {
            part.split()[0] for part in policy.split(";") if part.strip()
        } | ({"object-src"} if "default-src 'none'" in policy else set())
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize("wing", ["facility", "center"])
def test_cookies_are_out_of_reach_of_scripts_and_other_sites(request, wing):
    app = request.getfixturevalue(f"{wing}_app")
    answer = app.test_client().get("/signin", base_url="http://localhost/center" if wing == "center" else None)
    [cookie] = [line for line in answer.headers.getlist("Set-Cookie") if line.startswith(f"sunmed_{wing}=")]

    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Path={'/center' if wing == 'center' else '/'}" in cookie


def test_over_https_cookies_are_secure_and_browsers_stay_there(database_urls):
    from app.facility.factory import create_app

    app = create_app(database_urls["facility"], secret="tests", testing=True, https=True)
    answer = app.test_client().get("/signin", base_url="https://localhost")
    with app.app_context():
        app.extensions["sqlalchemy"].close()

    assert all("Secure" in line for line in answer.headers.getlist("Set-Cookie"))
    assert answer.headers["Strict-Transport-Security"]


# ---- refusals -----------------------------------------------------------------------------------------------------------


def _refusals():
    for package in ("app", "central_sync"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)

    def below(kind):
        for child in kind.__subclasses__():
            yield child
            yield from below(child)

    return [kind for kind in below(Refusal) if kind.__module__.startswith("app.")]


def test_every_refusal_has_a_code_and_a_sentence():
    for kind in _refusals():
        assert "code" in vars(kind) or kind.__subclasses__(), f"{kind.__qualname__} has no code of its own"
        assert re.fullmatch(r"[a-z][a-z0-9_]*|[A-Z][A-Z0-9_]*", kind.code), f"{kind.__qualname__}: {kind.code}"
        if not kind.__subclasses__():
            assert re.search("[\u4e00-\u9fff]{3}|{why}", kind.sentence), f"{kind.__qualname__} says nothing"
            assert kind.sentence.endswith(("。", "！", "？", "}")), f"{kind.__qualname__}: {kind.sentence}"
        assert 400 <= kind.status < 500, kind.__qualname__


def test_a_code_means_one_thing_within_a_wing():
    by_code = defaultdict(set)
    for kind in _refusals():
        wing = kind.__module__.split(".")[1]
        if "code" in vars(kind):
            by_code[wing, kind.code].add(f"{kind.__module__}.{kind.__qualname__}")
    assert {key: names for key, names in by_code.items() if len(names) > 1} == {}
