"""Raw article to clean article: the map back, bad input, dates, languages, HTML, fingerprints."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from schemas.records import CleanArticle, Origin, RawArticle
from services.normalize.fingerprint import NEAR, distance, near_copies, simhash
from services.normalize.language import language
from services.normalize.published import published_at
from services.normalize.transform import MOST_RAW, MOST_TEXT, clean_article, normalize
from services.rawspan import raw_span
from services.stage import Input, Reject

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STORY = "Peru recalled its ambassador from Bogota on Tuesday. The foreign ministry gave no reason for the step."
PAGE = """<!DOCTYPE html><html><head><title>Lima recalls its envoy - Example News</title>
<script>var a = "Chile declared war on Peru on Monday.";</script><style>p {color: red}</style></head>
<body><nav><ul><li><a href="/">Home</a></li><li><a href="/w">World</a></li></ul></nav>
<article><h1>Lima recalls its envoy</h1>
<p>Peru recalled its <a href="/bogota">ambassador</a> from Bogot&aacute; on Tuesday &amp; gave no reason for the
step, which surprised the capital's diplomats and came after a week of angry words about the river border.</p>
<p>"We shall wait," Foreign Minister Elmer Rojas said in Lima. Colombia's president said he would not answer in kind,
and that the two neighbours had every interest in keeping the crossing at Leticia open for trade and families.</p>
<p>The two countries quarrel about an island in the Amazon that the river has moved; both have sent police.</p>
</article><aside><h3>Related</h3><ul><li><a href="/x">Ecuador closes a mine</a></li></ul></aside>
<footer>Copyright 2025 Example News</footer></body></html>"""


def check(raw: RawArticle, article: CleanArticle) -> None:
    """What holds for every clean article."""
    for segment in article.raw_map:
        source = raw.title if segment.raw_field == "title" else raw.text
        piece = source[segment.raw_start : segment.raw_start + segment.length]
        assert piece == article.text[segment.clean_start : segment.clean_start + segment.length]
    ends = [s.clean_start + s.length for s in article.raw_map]
    assert all(a <= b.clean_start for a, b in zip(ends, article.raw_map[1:], strict=False))
    at = 0
    for sentence in article.sentences:
        words = article.text[sentence.start : sentence.end]
        assert at <= sentence.start < sentence.end <= len(article.text)
        assert words == words.strip()
        at = sentence.end
        if sentence.speaker_start is not None and sentence.speaker_end is not None:
            assert 0 <= sentence.speaker_start < sentence.speaker_end <= len(article.text)
        span = raw_span(article, sentence.start, sentence.end)
        if span is not None:
            assert 0 <= span[1] < span[2] <= len(raw.title if span[0] == "title" else raw.text)
    CleanArticle.model_validate_json(article.model_dump_json())


def clean(raw: RawArticle) -> CleanArticle:
    article = clean_article(raw, NOW)
    assert isinstance(article, CleanArticle), article
    check(raw, article)
    return article


def reason(raw: RawArticle) -> str:
    result = clean_article(raw, NOW)
    assert isinstance(result, Reject)
    assert result.detail
    return result.reason


@settings(max_examples=150, deadline=None)
@given(title=st.text(max_size=60), text=st.text(max_size=400))
@example(title="", text="a\ud800b \x00\x07 the \u202eend\u202c")
@example(title="\n", text='"\n"\n""\n\'\'')
@example(title="x" * 20, text="<p>a<p>" + "&#0;&#xD800;&nbsp;" * 5)
def test_no_text_breaks_it(title: str, text: str) -> None:
    raw = RawArticle(title=title, text=text)
    result = clean_article(raw, NOW)
    if isinstance(result, CleanArticle):
        check(raw, result)


WORDS = st.sampled_from(
    ["Lavrov", "said", "the", '"', "''", '""', "“", "”", "\n", "\n\n", ":", ".", ",", " ", "he", "Related: ", "(L)",
     "U.S.",
     "KYIV (AP) -", "By Jane Doe", "<p>", "</p>", "&amp;", "-\n", "talks", "AFP", "Photo: ", "©", "• ", "told", "in"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(pieces=st.lists(WORDS, max_size=60), glue=st.sampled_from(["", " "]))
def test_no_mixture_of_wire_dirt_breaks_it(pieces: list[str], glue: str) -> None:
    raw = RawArticle(title="", text=glue.join(pieces))
    result = clean_article(raw, NOW)
    if isinstance(result, CleanArticle):
        check(raw, result)


def test_one_outcome_per_input_in_order() -> None:
    origin = Origin(topic="articles.raw", partition=0, offset=0)
    texts = ["", STORY, "Der Minister reiste am Freitag nach Genf und sprach dort mit dem Gesandten."]
    outcomes = normalize([Input(RawArticle(text=t), origin, NOW) for t in texts])
    kinds = [o.reason if isinstance(o, Reject) else len(o) for o in outcomes]
    assert kinds == ["no_text", 1, "unsupported_language"]


def test_repaired_quotes_and_wraps_map_to_the_words_around_them() -> None:
    text = (
        "Peru's envoy told the court on\nFriday that there was ''no legal way\nto settle it.\" He then left for Lima."
    )
    article = clean(RawArticle(text=text))
    quote = '"no legal way to settle it."'
    start = article.text.index(quote)
    span = raw_span(article, start, start + len(quote))
    assert span is not None
    assert span[0] == "text"
    assert text[span[1] : span[2]] == "''no legal way\nto settle it.\""
    inner = article.text.index("way to settle")
    span = raw_span(article, inner, inner + len("way to settle"))
    assert span is not None
    assert text[span[1] : span[2]] == "way\nto settle"


def test_title_and_text_map_to_their_own_fields() -> None:
    raw = RawArticle(title="Lima recalls envoy", text=f"Lima recalls envoy\n\n{STORY}")
    article = clean(raw)
    assert article.text == f"Lima recalls envoy\n\n{STORY}"
    assert raw_span(article, 0, 4) == ("title", 0, 4)
    start = article.text.index("Peru")
    assert raw_span(article, start, start + 4) == ("text", raw.text.index("Peru"), raw.text.index("Peru") + 4)
    assert raw_span(article, 0, len(article.text)) is None


@pytest.mark.parametrize("text", ["", "  \n\t", "12.3 – 45!", "\x00\x01", "<html><script>var x = 1</script></html>"])
def test_no_text(text: str) -> None:
    assert reason(RawArticle(title="Envoy recalled", text=text)) == "no_text"


def test_too_large_is_told_at_once() -> None:
    start = time.perf_counter()
    assert reason(RawArticle(text="word " * 1_000_000)) == "too_large"
    assert reason(RawArticle(text="x" * (MOST_RAW - 10))) == "too_large"
    assert reason(RawArticle(text="<p>a</p>" * (MOST_RAW // 9))) == "too_large"
    assert reason(RawArticle(text="a\n" * 50_000)) == "too_large"
    assert time.perf_counter() - start < 2


@pytest.mark.parametrize(
    "text",
    [
        "word " * (MOST_TEXT // 5 - 1),
        f"{STORY} " * (MOST_TEXT // (len(STORY) + 1)),
        "a" * (MOST_TEXT - 1),
        "said: " * (MOST_TEXT // 6 - 1),
        '"a. ' * (MOST_TEXT // 4 - 1),
        "(" * (MOST_TEXT // 2) + " a",
    ],
    ids=["words", "prose", "one word", "cues", "quotes", "brackets"],
)
def test_a_line_of_the_largest_size_takes_seconds_at_most(text: str) -> None:
    clean_article(RawArticle(text=STORY), NOW)
    start = time.perf_counter()
    clean_article(RawArticle(text=text, content_type="text"), NOW)
    assert time.perf_counter() - start < 5


@pytest.mark.parametrize(
    ("given_date", "day", "told"),
    [
        ("2025-03-12", date(2025, 3, 12), None),
        ("2025-03-12T23:30:00-05:00", date(2025, 3, 12), None),
        ("2025-03-12T10:00:00Z", date(2025, 3, 12), None),
        ("2026-03-03", date(2026, 3, 3), None),
        ("2026-03-04", None, "ahead"),
        ("2190-01-01", None, "ahead"),
        ("1890-05-01", None, "before 1945"),
        ("12 March 2025", None, "not an ISO 8601 date"),
        ("2025-02-30", None, "not an ISO 8601 date"),
        ("", None, "gave none"),
        (None, None, "gave none"),
    ],
)
def test_published_at(given_date: str | None, day: date | None, told: str | None) -> None:
    found, why = published_at(given_date, NOW)
    assert found == day
    assert (why is None) == (told is None)
    assert told is None or told in (why or "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Iran rejects talks", "en"),
        ("Lavrov, Li Hui, Zelensky", "en"),
        ("Talks fail.", "en"),
        ("Le ministre russe a rencontré son homologue chinois à Pékin vendredi pour parler de la paix.", "fr"),
        ("El presidente de México dijo el martes que no aceptará la oferta de los Estados Unidos.", "es"),
        ("Глава МИД России встретился с послом Китая в пятницу.", "ru"),
        ("外交部长星期五在北京会见了俄罗斯特使。", "zh"),
        ("1234 !?", ""),
    ],
)
def test_language(text: str, code: str) -> None:
    assert language(text) == code


def test_html_page_gives_its_story_traced_into_the_source() -> None:
    raw = RawArticle(text=PAGE)
    article = clean(raw)
    assert "declared war" not in article.text
    assert "Ecuador closes" not in article.text
    assert "Copyright" not in article.text
    words = [article.text[s.start : s.end] for s in article.sentences if s.part == "body"]
    assert words[0].startswith("Peru recalled its ambassador from Bogotá on Tuesday & gave no reason")
    assert any("keeping the crossing at Leticia open" in w for w in words)
    start = article.text.index("Foreign Minister Elmer Rojas said")
    span = raw_span(article, start, start + 33)
    assert span is not None
    assert PAGE[span[1] : span[2]] == "Foreign Minister Elmer Rojas said"
    start = article.text.index("Peru recalled its ambassador from")
    span = raw_span(article, start, start + len("Peru recalled its ambassador from"))
    assert span is not None
    assert PAGE[span[1] : span[2]] == 'Peru recalled its <a href="/bogota">ambassador</a> from'


def test_html_fragment_without_a_page_around_it() -> None:
    article = clean(RawArticle(text="<p>Peru recalled its envoy on Tuesday.</p><p>The ministry gave no reason.</p>"))
    assert article.text == "Peru recalled its envoy on Tuesday.\n\nThe ministry gave no reason."


def test_entities_in_plain_text_are_read() -> None:
    article = clean(RawArticle(text="Peru &amp; Chile signed the pact. &quot;It is good,&quot; the envoy said."))
    assert article.text.startswith('Peru & Chile signed the pact. "It is good," the envoy said.')


def test_near_copies_are_close_and_other_stories_far() -> None:
    story = " ".join(
        f"On day {i} the {side} delegation told the mediators in city {i * 7} that its terms had not changed."
        for i, side in enumerate(["northern", "southern", "eastern", "western"] * 3)
    )
    edited = story.replace("On day 3 the", "The day after the").upper()
    other = STORY + " " + " ".join(f"Ministers of {i} states spoke about grain, fish and railways." for i in range(9))
    assert distance(simhash(story), simhash(edited)) <= NEAR
    assert distance(simhash(story), simhash(other)) >= NEAR + 6
    rows = [("a", simhash(story)), ("b", simhash(other)), ("c", simhash(edited)), ("d", simhash(STORY))]
    assert near_copies(rows) == [["a", "c"]]
    assert simhash("") == "0" * 16
