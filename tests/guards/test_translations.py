"""Chinese first, English complete: nobody meets a text without an English one."""

from launcher import translations


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
