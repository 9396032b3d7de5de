"""Sentence boundaries and speakers of longer quotations."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from schemas.records import CleanArticle, RawArticle
from services.normalize.sentences import LONGEST, split
from services.normalize.transform import clean_article

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "parts",
    [
        [
            "Mr. Okonkwo met Gen. Mark A. Reyes at 9 a.m. Friday in the U.S. capital.",
            "The U.S. Treasury froze the funds.",
        ],
        ["He left the U.S.", "The plan failed.", "They spoke at 5 p.m.", "The talks ended."],
        ['"We will wait.', 'We will win," the minister said.', '"And then?" he asked.', 'He added: "No."'],
        ["“They met in Oman.", "They also spoke of oil.”", "He left."],
        ["J. R. Dlamini and Lt. Col. Ito met in St. Petersburg on Jan. 5.", "The Jan. 6 panel met."],
        ["Resolution No. 2254 was adopted.", "(It was late.)", "The regime fell!", "Why?"],
        ['"Why now?" asked Mr. Kim of the D.P.R.K. Foreign Ministry.', "The E.U. backed it."],
        ["The firms, Acme Inc. of Delaware and Orbit Co. Ltd. of Seoul, were listed.", "Trade grew 2.5 percent."],
        ['"Never!" President Ruiz said.', "The crowd cheered."],
        ["The answer was No.", "The minister left."],
    ],
)
def test_split(parts: list[str]) -> None:
    text = " ".join(parts)
    assert [text[a:b] for a, b in split(text)] == parts


def test_a_lost_space_does_not_glue_sentences() -> None:
    text = "The talks resume in spring.The bloc will host them at www.example.org soon."
    assert [text[a:b] for a, b in split(text)] == [
        "The talks resume in spring.",
        "The bloc will host them at www.example.org soon.",
    ]


def test_a_very_long_sentence_is_cut_at_clauses() -> None:
    text = ", ".join(["the parties shall refrain from any threat"] * 60)
    spans = split(text)
    assert max(b - a for a, b in spans) <= LONGEST
    assert all(text[b - 1] == "," for _, b in spans[:-1])
    assert "".join(text[a:b] for a, b in spans).replace(" ", "") == text.replace(" ", "")


def speakers(text: str) -> list[tuple[str, str | None]]:
    article = clean_article(RawArticle(text=text, content_type="text"), NOW)
    assert isinstance(article, CleanArticle), article
    return [
        (
            article.text[s.start : s.end],
            None if s.speaker_start is None else article.text[s.speaker_start : s.speaker_end],
        )
        for s in article.sentences
    ]


def test_statement_after_a_lead_in_until_the_article_speaks_again() -> None:
    text = (
        "The Foreign Secretary met her guests in Rabat on Monday.\n\n"
        "Following the dinner the Foreign Secretary said:\n\n"
        "We agreed that the border must open. It is a matter of weeks.\n\n"
        "There can be no winner in this war.\n\n"
        "The Foreign Secretary flies to Algiers tomorrow."
    )
    who = "the Foreign Secretary"
    assert [s for _, s in speakers(text)] == [None, None, who, who, who, None]


def test_quotation_over_paragraphs_after_a_colon() -> None:
    text = (
        "A Foreign Office spokesman said:\n"
        "“The minister met his Peruvian colleague to speak about fishing. They also spoke about mines.\n"
        "“The minister stressed his country's will to help. They agreed to meet again.”"
    )
    assert [s for _, s in speakers(text)] == [None, *["A Foreign Office spokesman"] * 4]


def test_quote_that_an_earlier_sentence_opens_and_a_later_one_attributes() -> None:
    text = '"The offer is not serious. It leaves the prisoners out," the Omani Foreign Ministry said in a statement.'
    assert speakers(text) == [
        ('"The offer is not serious.', "the Omani Foreign Ministry"),
        ('It leaves the prisoners out," the Omani Foreign Ministry said in a statement.', None),
    ]


def test_quote_goes_on_after_said_and_he_added_points_back() -> None:
    text = (
        '"We will not sign," Chief Justice Amina Bello said in Abuja. "The text is bad. The process was worse."\n\n'
        '"No judge would sign it," she added.\n\n'
        "The talks go on, and the army keeps its posts."
    )
    who = "Chief Justice Amina Bello"
    assert [s for _, s in speakers(text)] == [None, who, who, who, None]


@pytest.mark.parametrize(
    ("sentence", "who"),
    [
        ('"It is over. We go," said Foreign Minister Wang Li in Beijing.', "Foreign Minister Wang Li"),
        ('"It is over. We go," according to a senior Qatari official.', "a senior Qatari official"),
        ('"It is over. We go," a spokesman for the African Union said.', "a spokesman for the African Union"),
        ('"It is over. We go," Hua Lin, a ministry spokeswoman, told reporters.', "Hua Lin"),
        ('"It is over. We go," Sen. Jane Doe (D-Ohio) said.', "Sen. Jane Doe"),
        ('Speaking in Oslo, Norwegian envoy Tor Berg said: "It is over. We go."', "Norwegian envoy Tor Berg"),
        ('"It is over. We go," Togo\'s deputy prime minister said.', "Togo's deputy prime minister"),
        ('The statement read: "It is over. We go."', "The statement"),
    ],
)
def test_who_speaks(sentence: str, who: str) -> None:
    found = speakers(f"The envoys met for a third day in the capital.\n\n{sentence}")
    assert who in {s for _, s in found}
    assert found[0][1] is None


def test_a_short_quote_in_the_article_s_own_sentence_has_no_speaker() -> None:
    text = 'The envoy praised the "balanced" stance of Oslo. The two sides meet again in May, the ministry said.'
    assert [s for _, s in speakers(text)] == [None, None]


def test_transcript_labels() -> None:
    text = "MR MILLER: We have seen the reports. They are false.\n\nQUESTION: Did he call? Is it so?"
    assert [s for _, s in speakers(text)] == [None, "MR MILLER", None, "QUESTION"]
