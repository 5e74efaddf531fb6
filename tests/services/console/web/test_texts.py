"""Every text of a page is there in both languages, and none stands in a template untranslated."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from babel.dates import format_datetime
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes

from services.console.web.translations import LANGUAGES, LOCALES, preferred, texts_of
from tests.services.console.web.texts import WEB, texts

TEMPLATES = sorted(WEB.rglob("*.html"))
WORD = re.compile(r"[^\W\d_]{2,}")
NOT_READ = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL)
UNTRANSLATED = {"bytes", "doctype"}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "nl"])
def test_every_text_is_translated_and_no_translation_is_left_over(language: str) -> None:
    with (LOCALES / f"{language}.po").open("rb") as file:
        catalog = read_po(file, locale=language)
    translated = {message.id if isinstance(message.id, str) else tuple(message.id): message for message in catalog}
    translated.pop("")
    assert texts() - translated.keys() == set()
    assert translated.keys() - texts() == set()
    assert [message.id for message in translated.values() if not message.string or message.fuzzy] == []


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "nl"])
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    in_language = texts_of(language)
    for text in texts():
        originals = (text,) if isinstance(text, str) else text
        found = in_language.messages[originals[0]]
        for original, translation in zip(originals, (found,) if isinstance(found, str) else found, strict=True):
            places = re.findall(r"%\(\w+\)s", original)
            assert sorted(re.findall(r"%\(\w+\)s", translation)) == sorted(places), original


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: str(path.relative_to(WEB)))
def test_no_text_stands_in_a_template_untranslated(template: Path) -> None:
    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    tree = environment.parse(template.read_text(encoding="utf-8"))
    literal = "\0".join(data.data for data in tree.find_all(nodes.TemplateData))
    bare = {word for word in WORD.findall(NOT_READ.sub(" ", literal.replace("\0", ""))) if word not in UNTRANSLATED}
    in_attributes = re.findall(r'(?:aria-label|title|alt|placeholder)="([^"\0]*[a-z][^"\0]*)"', literal)
    assert (bare, in_attributes) == (set(), [])


@pytest.mark.parametrize(
    ("asked", "language"),
    [("", "nl"), ("en-GB,en;q=0.9", "en"), ("de, en;q=0.5", "en"), ("fr", "nl"), ("nl-NL,en", "nl")],
)
def test_somebody_unknown_gets_the_language_of_his_browser(asked: str, language: str) -> None:
    assert preferred(asked) == language


@pytest.mark.parametrize(("language", "said"), [("en", "05/03/2026, 16:26"), ("nl", "05-03-2026, 16:26")])
def test_the_day_stands_before_the_month_in_each_language(language: str, said: str) -> None:
    shown = format_datetime(datetime(2026, 3, 5, 16, 26, tzinfo=UTC), "short", locale=texts_of(language).locale)
    assert shown == said
