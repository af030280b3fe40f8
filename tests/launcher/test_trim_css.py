"""The trimmed stylesheet keeps what our pages use, and nothing else."""

from launcher.frontend import ROOT, icon_names, used_classes
from launcher.trim_css import split_rules, trim

SHEET = """
:root { --used: 1px; --chain: var(--deep); --deep: red; --idle: 2px; }
/* a comment with { braces } */
.btn, .card .title:not(.open) { padding: var(--used); color: var(--chain); }
.card { background: url("data:image/svg+xml,%3csvg{}%3e"); }
@media (min-width: 600px) { .btn { margin: 0 } .card { margin: 1px } }
@media print { .card { display: none } }
@keyframes spin { to { rotate: 1turn } }
@keyframes pulse { to { opacity: 0 } }
.spinner { animation: spin 1s }
[data-theme=dark] .btn { color: white }
"""


def test_rules_of_unused_classes_are_left_out():
    kept = trim(SHEET, {"btn"}, set())

    assert ".btn{" in kept
    assert "card" not in kept
    assert "@media (min-width: 600px){.btn{margin: 0}" in kept
    assert "@media print" not in kept


def test_themes_that_are_never_switched_on_are_left_out():
    assert "data-theme" not in trim(SHEET, {"btn"}, set())


def test_properties_stay_as_long_as_something_reads_them():
    kept = trim(SHEET, {"btn"}, set())

    assert "--used: 1px" in kept
    assert "--deep: red" in kept
    assert "--idle" not in kept
    assert "--idle: 2px" in trim(SHEET, {"btn"}, {"--idle"})


def test_animations_stay_when_they_are_played():
    kept = trim(SHEET, {"spinner"}, set())

    assert "@keyframes spin" in kept
    assert "pulse" not in kept


def test_a_class_inside_not_is_no_need():
    assert ".card .title:not(.open)" in trim(SHEET, {"card", "title"}, set())


def test_braces_in_quotes_do_not_end_a_rule():
    rules = split_rules('.a { content: "}" } .b { color: red }')

    assert [rule.head for rule in rules] == [".a", ".b"]


def test_classes_and_icons_are_found_where_they_are_used():
    assert {"btn", "btn-primary", "form-control", "visually-hidden"} <= used_classes(ROOT)
    assert {"scan", "cash-register", "lock"} <= set(icon_names(ROOT))
