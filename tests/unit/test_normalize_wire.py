"""Dirty wire text, written for these tests."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from schemas.records import CleanArticle, Dateline, RawArticle
from services.normalize.dateline import dateline
from services.normalize.transform import clean_article
from services.stage import Reject

NOW = datetime(2026, 3, 1, tzinfo=UTC)

PIPELINE = """\
Turkish envoy hears of
'deep mistrust' on Nile dam

March 12, 2025

By Hanna Tesfaye and Omar Farid

Turkey's Foreign Minister Hakan Fidan (L) and Ethiopia's Gedion Timothewos. mfa.gov.et

CAIRO, March 12 (AFP) - Egyptian Foreign Minister Badr Abdelatty told Turkey's envoy on Wednesday that
there was "'deep mistrust' over the dam, and that Cairo would not sign a document which
left the filling of the reservoir to Addis Ababa alone.

Read more: Sudan asks for a seat at the Nile talks

"We have waited for twelve years, and our patience
is not without end," the minister said. ""Balanced" offers, he added, were


welcome.

Ethiopia has called the talks ''a waste of time."
(Reporting by Hanna Tesfaye; Editing by John Roe)
AFP contributed reporting.
Follow us on Facebook and Telegram for more.
Copyright 2025 Nile Wire. All rights reserved.
"""


def clean(text: str, **fields: str) -> CleanArticle:
    article = clean_article(RawArticle(text=text, content_type="text", **fields), NOW)
    assert isinstance(article, CleanArticle), article
    return article


def sentences(article: CleanArticle) -> list[str]:
    return [article.text[s.start : s.end] for s in article.sentences]


def test_wire_story_keeps_its_sentences_and_nothing_of_the_page() -> None:
    article = clean(PIPELINE, title="Turkish Envoy Hears of 'Deep Mistrust' on Nile Dam", published_at="2025-03-12")
    assert sentences(article) == [
        "Turkish Envoy Hears of 'Deep Mistrust' on Nile Dam",
        "Egyptian Foreign Minister Badr Abdelatty told Turkey's envoy on Wednesday that there was 'deep mistrust' over "
        "the dam, and that Cairo would not sign a document which left the filling of the reservoir to Addis Ababa "
        "alone.",
        '"We have waited for twelve years, and our patience is not without end," the minister said.',
        '"Balanced" offers, he added, were welcome.',
        'Ethiopia has called the talks "a waste of time."',
    ]
    assert [s.part for s in article.sentences] == ["title", "body", "body", "body", "body"]
    assert article.dateline == Dateline(place="CAIRO", date="March 12", agency="AFP")
    assert article.published_at == date(2025, 3, 12)
    assert article.text.startswith("Turkish Envoy Hears of 'Deep Mistrust' on Nile Dam\n\nEgyptian")


def test_without_a_title_the_broken_headline_becomes_one() -> None:
    article = clean(PIPELINE)
    first = article.sentences[0]
    assert (first.part, article.text[first.start : first.end]) == (
        "title",
        "Turkish envoy hears of 'deep mistrust' on Nile dam",
    )


@pytest.mark.parametrize(
    "line",
    [
        "Related article: Minister resigns over port deal",
        "RELATED | Envoys meet in Doha",
        "Read more: Ceasefire holds for a third day",
        "Also read: Five things to know about the summit",
        "See also: Timeline of the border war",
        "AFP contributed reporting.",
        "The Associated Press contributed to this report.",
        "(Reporting by Jane Doe in Nairobi and John Roe; Writing by Ana Cruz; Editing by Li Wei)",
        "Additional reporting by Jane Doe in Nairobi.",
        "With inputs from agencies",
        "(This story has not been edited by Wire staff and is auto-generated from a syndicated feed.)",
        "© 2025 Example News",
        "Copyright 2025 Example News. All rights reserved.",
        "Subscribe to our newsletter for daily updates.",
        "Sign up here to get the briefing in your inbox.",
        "Follow us on Twitter and Facebook.",
        "Be sure to follow the Special Envoy on Twitter (@envoy) and on Instagram for more.",
        "Join our Telegram channel",
        "Our Standards: The Example Trust Principles.",
        "For more information, visit the ministry's site.",
        "Photo: Jane Doe / AFP",
        "(Photo by Jane Doe/Getty Images)",
        "FILE PHOTO: Soldiers stand at a checkpoint near Goma, March 3, 2025. REUTERS/John Roe",
        "President Daniel Noboa (L) and his guest Lula da Silva. presidencia.gob.org",
        "Delegates arrive for talks in Doha. Jane Doe / AFP",
        "Smoke rises over Omdurman. Amira Hassan / Meridian Wire",
        "Soldiers on parade in Baku (AP Photo/Jane Doe)",
        "By Jane Doe and John Roe",
        "By Jane Doe, Diplomatic Correspondent",
        "May 26, 2023",
        "Published: 3 March 2024, 10:15 GMT",
        "Updated 3 hours ago",
        "Page 2 of 3",
        "ADVERTISEMENT",
        "https://news.example.com/world/1234",
        "Home > World > Africa",
        "* * *",
        "Read the full story here.",
        "President Ruto and Cardinal Jane Doe. Nairobi Media",
        "Read more about: Egypt, Nile",
        "((jane.doe@example.com))",
    ],
)
def test_a_line_of_the_page_goes_wherever_it_stands(line: str) -> None:
    before = "Kenya sent four hundred police officers to Haiti on Monday, the interior ministry said."
    after = "The gangs still hold most of the capital, and the port has been shut since January."
    for text in (f"{before}\n\n{line}\n\n{after}", f"{before}\n{line}\n{after}", f"{before}\n\n{after}\n\n{line}"):
        assert sentences(clean(text)) == [before, after]


@pytest.mark.parametrize(
    "sentence",
    [
        "Follow-up talks will be held in Geneva, the envoy said.",
        "Reporting by the United Nations showed that aid had not reached the camps.",
        "By Friday the army had withdrawn from the bridge.",
        "Copyright law was on the table at the trade talks in Tokyo.",
        "Watch officers at the port saw the tanker turn back to Bandar Abbas.",
        "Related claims by Azerbaijan were rejected by the court.",
        "Photos of the meeting showed the two presidents shaking hands, the Kremlin said.",
        "Sen. John Smith (R) said the aid to Taiwan would be cut.",
        "Page after page of the treaty was rewritten by the Americans.",
        "Brazil signed up to the accord on Tuesday.",
        "Russia and China contributed troops to the exercise.",
        "(C) Albania and Slovenia are the third countries to join.",
        "Read-outs of the call differed, officials in Delhi said.",
    ],
)
def test_a_sentence_that_only_looks_like_page_furniture_stays(sentence: str) -> None:
    before = "Ministers met in Brussels for two hours."
    assert sentences(clean(f"{before}\n\n{sentence}\n\nThe bloc will meet again in June.")) == [
        before,
        sentence,
        "The bloc will meet again in June.",
    ]


@pytest.mark.parametrize(
    ("paragraph", "place", "day", "agency", "rest"),
    [
        ("KYIV, March 3 (Reuters) - Ukraine said", "KYIV", "March 3", "Reuters", "Ukraine said"),
        ("GENEVA (AP) — The envoys", "GENEVA", None, "AP", "The envoys"),
        ("MOSCOW, January 5. /TASS/. Russia said", "MOSCOW", "January 5", "TASS", "Russia said"),
        ("UNITED NATIONS, May 3 (Xinhua) -- The Council", "UNITED NATIONS", "May 3", "Xinhua", "The Council"),
        ("ADDIS ABABA, Ethiopia (AP) — Two", "ADDIS ABABA, Ethiopia", None, "AP", "Two"),
        ("Geneva, 3 March 2024 – The UN", "Geneva", "3 March 2024", None, "The UN"),
        ("WASHINGTON/BEIJING, May 5 (Reuters) - A", "WASHINGTON/BEIJING", "May 5", "Reuters", "A"),
        ("(Reuters) - Iran", None, None, "Reuters", "Iran"),
    ],
)
def test_datelines(paragraph: str, place: str | None, day: str | None, agency: str | None, rest: str) -> None:
    found = dateline(paragraph)
    assert found is not None
    assert found[0] == Dateline(place=place, date=day, agency=agency)
    assert paragraph[found[1] :] == rest


@pytest.mark.parametrize(
    "paragraph",
    ["Talks – held in Geneva – ended.", "NATO - Russia talks stalled.", "UPDATE - The talks ended.", "Trump: We go."],
)
def test_no_dateline(paragraph: str) -> None:
    assert dateline(paragraph) is None


def test_hard_wraps_and_hyphens_are_mended_and_short_paragraphs_stay_apart() -> None:
    text = (
        "The two governments will reopen the border post at Kapikoy and the railway between Van and\n"
        "Tabriz, and set up a joint commission on customs, the Turkish trade minister said after a cease-\n"
        "fire was announced. The long-\n"
        "term plan is a free zone.\n"
        "Iran's envoy called the accord a first step and thanked Ankara for its patience during the nine\n"
        "months of talks.\n"
    )
    article = clean(text)
    assert "Van and Tabriz" in article.text
    assert "ceasefire was announced." in article.text
    assert "The long-term plan is a free zone." in sentences(article)
    assert article.sentences[-1].paragraph > article.sentences[0].paragraph


def test_lines_that_are_paragraphs_stay_paragraphs() -> None:
    text = "The ministers met in Rome today.\nA spokesman said:\n“We agreed on grain.\n“We also spoke about mines.”"
    assert [s.paragraph for s in clean(text).sentences] == [0, 1, 2, 3]


def test_lists_keep_their_items() -> None:
    article = clean("The plan has three parts:\n- a truce of sixty days\n- a swap of prisoners\n- talks in Doha")
    assert sentences(article)[1:] == ["- a truce of sixty days", "- a swap of prisoners", "- talks in Doha"]


def test_another_story_s_headline_over_a_read_more_button_goes() -> None:
    before, after = "Kenya's police landed on Monday.", "The gangs hold the port."
    text = f"{before}\n\nNews\n\nBishop of Gonaives: 'We Pray'\n\nRead more\n\n{after}"
    assert sentences(clean(text)) == [before, after]


def test_a_hard_wrapped_notice_goes_whole() -> None:
    text = (
        "Kenya's police landed in Port-au-Prince on Monday and drove in a long convoy through the centre\n"
        "of the city, where shops were shut and people stood on the roofs to see them, witnesses told us\n"
        "by telephone.\n\n"
        "Be sure to follow our correspondent Jane Doe, who has been in the city since the first landing, on\n"
        "Instagram and on our channel for more.\n"
    )
    assert len(sentences(clean(text))) == 1


def test_a_stray_mark_goes_also_where_the_paragraph_opens_with_a_quotation() -> None:
    article = clean('"We are in touch," she told reporters, adding that Quito "\'valued\' the offer.')
    assert article.text == "\"We are in touch,\" she told reporters, adding that Quito 'valued' the offer."


def test_the_date_of_a_date_line_is_kept() -> None:
    article = clean("Updated: June 5, 2023\n\nKenya's police landed on Monday.")
    assert article.dateline == Dateline(date="June 5, 2023")


def test_nothing_but_furniture_is_no_text() -> None:
    result = clean_article(RawArticle(text="ADVERTISEMENT\n\nRead more: Talks fail\n\nPhoto: Jane Doe / AFP"), NOW)
    assert isinstance(result, Reject)
    assert result.reason == "no_text"
