"""Names in templates: each means one thing, and a page hides none of those that stand around it."""

import ast
from collections import Counter
from pathlib import Path

import pytest
from flask import Flask
from jinja2 import nodes

from tests.factories.people import center_client, make_officer, make_pharmacy, sign_in, sign_in_officer

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "templates"
OF_ONE_WING = {"facility": "center", "center": "facility"}  # A folder of templates or of app, and who never sees it.
SOMETIMES = {"recall_alert", "tabs"}  # Given only where there is something to say; a page may not take them either.
REGISTERS = {"app_template_global": "global", "app_template_filter": "filter", "app_template_test": "test"}
KEPT_IN = {"globals": "global", "filters": "filter", "tests": "test"}


@pytest.fixture(params=["facility", "center"])
def app(request):
    return request.getfixturevalue(f"{request.param}_app")


@pytest.fixture
def around(app):
    """The names every page of the wing is given: by the shell, by rooms for all pages, by Flask and Jinja."""
    client = _somebody(app)
    with client:
        client.get("/account")
        given = {}
        app.update_template_context(given)
        own = [
            (room, name)
            for room, functions in app.template_context_processors.items()
            if room
            for function in functions
            for name in function()
            if name not in {"g", "request", "session"}
        ]
    return given.keys() | app.jinja_env.globals.keys() | SOMETIMES, own


def _somebody(app):
    if app.config["WING"] == "center":
        client = center_client(app)
        sign_in_officer(client, make_officer(app))
        return client
    pharmacy, client = make_pharmacy(app), app.test_client()
    sign_in(client, pharmacy, pharmacy.owner)
    return client


def _is_seen(path, wing) -> bool:
    return OF_ONE_WING[wing] not in path.parts[:2]


def test_no_template_hides_a_name_that_stands_around_it(app, around):
    names, _own = around
    hidden = [
        f"{path}:{line} {name}"
        for path, tree in _templates(app)
        if _is_seen(path, app.config["WING"])
        for line, name in _bound(tree)
        if name in names
    ]
    assert {"me", "rooms", "facility" if app.config["WING"] == "facility" else "district", "url_for", "range"} <= names
    assert hidden == []


def test_no_view_gives_a_page_another_thing_of_a_name_that_stands_around_it(app, around):
    names, own = around
    given = [
        f"{path}:{line} {name}"
        for path, line, name in _given_by_views()
        if _is_seen(path, app.config["WING"]) and name in names
    ]
    assert given == []
    assert [f"{room}: {name}" for room, name in own if name in names] == []


def _templates(app):
    for path in sorted(TEMPLATES.rglob("*.html")):
        yield path.relative_to(TEMPLATES), app.jinja_env.parse(path.read_text("utf-8"))


def _bound(tree):
    """Every name that a template gives a meaning of its own: set, loop, macro and its parameters, import."""
    for node in tree.find_all((nodes.Name, nodes.Macro, nodes.FromImport, nodes.Import)):
        if isinstance(node, nodes.FromImport):
            yield from ((node.lineno, name[1] if isinstance(name, tuple) else name) for name in node.names)
        elif isinstance(node, nodes.Import):
            yield node.lineno, node.target
        elif isinstance(node, nodes.Macro) or node.ctx in {"store", "param"}:
            yield node.lineno, node.name


def _given_by_views():
    for path, tree in _sources():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _called(node) == "render_template":
                yield from ((path, node.lineno, word.arg) for word in node.keywords if word.arg)


def _sources():
    for path in sorted((ROOT / "app").rglob("*.py")):
        yield path.relative_to(ROOT / "app"), ast.parse(path.read_text("utf-8"))


def _called(node) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


@pytest.mark.parametrize(
    "page", ["{% set me = 1 %}", "{% for me in [] %}{% endfor %}", "{% macro me() %}{% endmacro %}", "{% macro a(me) %}{% endmacro %}", "{% from 'a' import b as me %}", "{% import 'a' as me %}"]
)  # fmt: skip
def test_a_hidden_name_is_found(facility_app, page):
    assert "me" in {name for _line, name in _bound(facility_app.jinja_env.parse(page))}


# ---- one name, one thing -------------------------------------------------------------------------------------------


def test_each_global_and_filter_of_templates_is_made_at_one_place(app):
    made = [name for path, tree in _sources() if _is_seen(path, app.config["WING"]) for name in _made(tree)]
    bare = Flask("bare").jinja_env
    jinjas = {(kind, name) for kept, kind in KEPT_IN.items() for name in getattr(bare, kept)}

    assert ("filter", "fen") in made
    assert [f"{kind} {name}" for (kind, name), times in Counter(made).items() if times > 1] == []
    assert sorted(set(made) & jinjas) == []


def _made(tree):
    """(kind, name) of what a module gives to all templates."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and _called(mark) in REGISTERS:
                    yield REGISTERS[_called(mark)], mark.args[0].value if mark.args else node.name
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Call) and _called(node.func) in REGISTERS:
            named = node.func.args[0].value if node.func.args else ast.unparse(node.args[0])
            yield REGISTERS[_called(node.func)], named
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                kept = getattr(target.value, "id", getattr(target.value, "attr", "")) if isinstance(target, ast.Subscript) else ""  # fmt: skip
                if kept in KEPT_IN and isinstance(target.slice, ast.Constant):
                    yield KEPT_IN[kept], target.slice.value


@pytest.mark.parametrize(
    "source", ["@b.app_template_global()\ndef x(): ...", "@b.app_template_global('x')\ndef y(): ...", "b.app_template_global('x')(y)", "b.app_template_global()(x)", "app.jinja_env.globals['x'] = 1"]
)  # fmt: skip
def test_a_global_is_found(source):
    assert list(_made(ast.parse(source))) == [("global", "x")]
