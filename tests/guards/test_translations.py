"""Chinese first, English complete: nobody meets a text without an English one."""

import ast
import re

import pytest
from jinja2 import nodes
from markupsafe import Markup

from app.core.web import MANY, one_or_many
from launcher import translations
from launcher.home import ROOT


def test_every_text_has_an_english_one():
    missing = [f"{message.text}  ({message.places[0]})" for message in translations.missing()]

    assert not missing, "Write these into translations/en/<room>.po:\n" + "\n".join(missing)


def test_refusals_put_no_chinese_into_an_english_page():
    """The facts inside a refusal are translated with its sentence: `what`, `why`, and whatever is `words`."""
    assert translations.untranslated() == []


def test_chinese_that_nobody_can_translate_is_found(tmp_path):
    (tmp_path / "app" / "national").mkdir(parents=True)
    said = 'raise No(why=f"第 {n} 行", most="两行", what="单据", who=words("某人"), name=_("药"))\n'
    (tmp_path / "app" / "acts.py").write_text(said)
    (tmp_path / "app" / "national" / "wire.py").write_text(said)

    assert len(translations.untranslated(tmp_path)) == 2
    assert {"单据", "某人"} <= set(translations.messages(tmp_path))


def test_english_keeps_the_places_to_be_filled_in():
    assert translations.lost_holes() == []


def test_words_that_fit_their_number_are_said_by_pages_only():
    """What a page says turns "1 day(s)" into "1 day"; a text said in code is shown as it is."""
    marked = {
        message.id: message.string
        for message in translations.merged(translations.fragments_of(ROOT))
        if MANY in message.string
    }

    assert marked
    assert all("%(n)s" in english for english in marked.values())
    assert marked.keys().isdisjoint(text for _file, text, _line in translations.python_texts(ROOT))


def test_one_is_not_said_like_many():
    text = Markup("%(n)s day(s) left")

    assert [one_or_many(text, n) % {"n": n} for n in (1, 2, 0)] == ["1 day left", "2 days left", "0 days left"]


def test_two_rooms_do_not_say_one_thing_in_two_ways():
    assert translations.disagreements() == []


def test_a_text_without_english_is_found(tmp_path):
    (tmp_path / "app").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "app" / "errors.py").write_text(
        'class No(Exception):\n    sentence = "不行"\n\n\nshown = gettext("好")\n'
    )
    (tmp_path / "templates" / "page.html").write_text('{{ _("共 %(n)s 条", n=3) }}')

    assert [message.text for message in translations.missing(tmp_path)] == ["不行", "好", "共 %(n)s 条"]


def test_fragments_become_one_catalog(tmp_path):
    folder = tmp_path / "translations" / "en"
    folder.mkdir(parents=True)
    (folder / "till.po").write_text('msgid "找零"\nmsgstr "Change"\n')
    (folder / "stock.po").write_text('msgid "批号"\nmsgstr "Lot"\n')

    assert translations.prepare(tmp_path)
    assert not translations.prepare(tmp_path)

    made = translations.read_fragment(folder / "LC_MESSAGES" / "messages.po")
    assert {message.id: message.string for message in made if message.id} == {"找零": "Change", "批号": "Lot"}


# ---- the percent sign ----------------------------------------------------------------------------------------------

BARE = re.compile(r"%(?!\(\w+\)[sd])")


def bare(text) -> bool:
    """A percent sign that is neither a place to be filled in nor written twice."""
    return bool(BARE.search(text.replace("%%", "")))


def test_templates_write_a_percent_sign_twice():
    """A template fills its texts in always: a single sign would make an error of the page."""
    found = translations.template_texts(translations.ROOT)

    assert [f"{path.name}:{line} {text}" for path, text, line in found if bare(text)] == []


def test_templates_translate_only_what_is_written_there(facility_app):
    """A text that comes from elsewhere may hold a percent sign; whoever made it translates it."""
    found = [
        f"{path.relative_to(translations.ROOT)}:{call.lineno}"
        for path in sorted((translations.ROOT / "templates").rglob("*.html"))
        for call in facility_app.jinja_env.parse(path.read_text("utf-8")).find_all(nodes.Call)
        if getattr(call.node, "name", "") in {"_", "gettext", "ngettext"} and not isinstance(call.args[0], nodes.Const)
    ]
    assert found == []


def test_python_fills_in_what_it_says_it_fills_in():
    found = [
        f"{path.relative_to(translations.ROOT)}:{line} {text}"
        for path in sorted((translations.ROOT / "app").rglob("*.py"))
        for line, text in misfilled(ast.parse(path.read_text("utf-8")))
    ]
    assert found == []


def misfilled(tree):
    """Texts with facts and a single percent sign; texts without facts and a doubled one, which would stay doubled."""
    for node in ast.walk(tree):
        name = getattr(node.func, "id", getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else ""
        if name not in {"_", "gettext", "lazy_gettext", "ngettext"}:
            continue
        filled = bool(node.keywords) or name == "ngettext"
        for text in translations.texts_of(node):
            if bare(text) if filled else "%%" in text:
                yield node.lineno, text


def test_english_has_the_percent_signs_of_its_chinese():
    catalog = translations.merged(translations.fragments_of(translations.ROOT))
    texts = [(str(message.id), str(message.string)) for message in catalog if message.id]

    assert len(texts) > 1000
    assert [each for each in texts if bare(each[0]) != bare(each[1]) or ("%%" in each[0]) != ("%%" in each[1])] == []


@pytest.mark.parametrize("said", ['_("优惠 5%，共 %(n)s", n=3)', 'ngettext("%(num)s 条 5%", "x", 3)', '_("湿度 %%")'])
def test_a_misused_percent_sign_is_found(said):
    assert list(misfilled(ast.parse(said)))
