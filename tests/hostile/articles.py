"""Hostile raw articles as hypothesis strategies: each draws the bytes of one record of articles.raw.

Large texts are units said over and over, so that megabytes cost a few draws and a failure shrinks to a short recipe.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st

PROSE = (
    "The foreign minister of Norway met his Kenyan counterpart in Nairobi on Monday. ",
    'The two sides "agreed to resume talks", a spokesman for the ministry said. ',
    "Iran's Foreign Minister Abbas Araghchi told reporters: “We reject the sanctions.” ",
    "On 3 March 2022 the United Nations condemned Russia's attack on Ukraine. ",
    "Police in Paris said 1,200 people had been evacuated two weeks ago. ",
    "He denied it. She agreed. They met. ",
    "KYIV, March 3 (AFP) - President Volodymyr Zelenskyy rejected the plan of the European Union. ",
    'China\'s envoy, Li Hui, said the United States would have to "stop first"; Washington refused. ',
    "It will sign the treaty with Turkey next month, according to a statement of the government. ",
)
MARKS = (
    '"', "“", "”", "„", "‘", "’", "'", "``", "«", "»", "(", ")", "[", "]", "{", "<", ">", "&", ";", ":", ",", ".", "!",
    "?", "…", "-", "—", "/", "|", "•", "*", "#", "@", "\\", "$", "%", "=", "~", "_", "^", "`",
)  # fmt: skip
WHITE = (" ", "\n", "\t", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u00a0", "\u2028", "\u2029", "\u3000", " \n", "\n\n")
UNSEEN = (
    "\x00", "\x01", "\x1b[31m", "\x7f", "\u00ad", "\u034f", "\u061c", "\u115f", "\u180e", "\u200b", "\u200d", "\u200e",
    "\u200f", "\u202a", "\u202d", "\u202e", "\u2060", "\u2066", "\u2067", "\u2069", "\ufe0f", "\ufeff", "\ufffd",
    "\uffff", "\U000e0041", "\U0010ffff",
)  # fmt: skip
LETTERS = (
    "a", "A", "A.", "U.S. ", "é", "e\u0301", "\u0301", "ﬁ", "ß", "İ", "ı", "ǆ", "א", "السلام ", "กำ", "नि", "漢", "한",
    "🇺🇦", "👩‍👩‍👧‍👦", "🔥", "𝕬", "０", "٣", "²", "Ⅻ", "½", "1", "0.", "1,", "9" * 30, "x" * 200, "Ab ", "the ", "said ",
    "and ", "of ", "McDonald-O'Neil", "a.a", "A. B. C. ", "Mr. ", "No. ", "e.g. ",
)  # fmt: skip
DATES = (
    "in January 0000 ", "on 31 February 2023 ", "on 29 February 1900 ", "on 3 March 9999 ", "in December 9999 ",
    "on 00/00/0000 ", "on 1 Muharram 1446 ", "on 12 Tishrei 5785 ", "on 5 Farvardin 1403 ", "on 令和6年5月1日 ",
    "on the Ides of March ", "on 2024-13-45 ", "on 2024-02-30T25:61:61Z ", "on ١٢ March ٢٠٢٤ ", "in March ２０２４ ",
    "99 years ago ", "99 months ago ", "in 1900 ", "in 2099 ", "on 32nd Dec. 2024 ", "on the eve of 1 January 0001 ",
    "on 1 January 0001 ", "on Monday ", "last last next Monday ", "tomorrow ", "next year ", "earlier this month ",
    "May, of 0001 ", "in 19٢٤ ", "until mid-May ", "on 10 Thermidor II ", "100000 BC ",
)  # fmt: skip
FURNITURE = (
    "This story has been edited and published from a syndicated feed. ", "All rights reserved ", "Read more: ",
    "Follow us on Twitter ", "Photo by Jane Doe / AFP ", "(Reporting by Jane Doe; editing by John Roe) ",
    "By Jane Doe ", "Subscribe to our newsletter here today now ", "Related article: ",
    "© 2024 ", "For more information ",
    "Jane Doe contributed to this report ", "Source: AFP, Reuters/AP & TASS ", "Updated: 3 March 2024, 10:15 AM GMT ",
    "This handout photo taken ", "(L) and (R), left, ", "Download our new app ", "To read the free newsletter ",
    "MR MILLER: ", "Home > World > Asia > ", "AFP via Getty Images/", "www.example.org ", "a@b.example ",
)  # fmt: skip
HTML = (
    "<p>", "</p>", "<div>", "</div>", "<div", "<b><i>", "<script>", "</script>", "<!--", "-->", "<style>",
    "<table><tr>",
    "<td>", "<a href='", '<a href="x">', "<svg>", "<![CDATA[", "]]>", "<!doctype html>", "<html><body>", "</html>",
    "<textarea>", "<br/>", "<p/", "<title>", "<iframe src=x>", "<blockquote>", "<article>", "<li>", "<span\n",
    "<?xml ?>",
    "<!ENTITY a '&a;&a;'>", "<math><mi>", "<template>", "<noscript>", "<meta charset=utf-16>", "<base href=//x>",
)  # fmt: skip
ENTITIES = (
    "&amp;", "&amp;amp;", "&lt;p&gt;", "&nbsp;", "&#0;", "&#xD800;", "&#x110000;", "&#9999999;", "&quot;", "&rlm;",
    "&;",
    "&lol9;", "&#", "&x" * 20, "&NotEqualTilde;", "&shy;", "&zwj;",
)  # fmt: skip
UNITS = (PROSE, MARKS, WHITE, UNSEEN, LETTERS, DATES, FURNITURE, HTML, ENTITIES)
SIZES = (1, 1, 1, 2, 3, 10, 100, 1_000, 10_000, 30_000, 100_000)
"""How often a unit is said."""
MOST = 2_200_000
"""Characters of a text: beyond what normalize takes."""
FEW = 20_000
"""Characters of most texts, so that a run sees many."""

PAGES = (
    "<html><head><title>{0}</title></head><body><article><p>{0}</p><p>{0}</p></article></body></html>",
    "<div><p>{0}<p>{0}",
    "<!doctype html><body>{0}</body>",
    "<p>Talks began.</p><!-- {0} --><p>They ended.</p>",
    "<script>{0}</script><p>Talks began in Oslo on Monday, the minister said.</p>",
    "<a title=\"{0}\">talks</a><p title='{0}'>Norway met Kenya.</p>",
    "<table><tr><td>{0}</td></tr></table>",
)

_unit = st.one_of(
    st.sampled_from(PROSE),
    st.sampled_from(UNITS).flatmap(st.sampled_from),
    st.text(max_size=12),
)


@st.composite
def texts(draw: st.DrawFn, most: int = FEW) -> str:
    """Units, alone and over and over, in a row or nested, within `most` characters."""
    parts: list[str] = []
    left = most
    for _ in range(draw(st.integers(1, 6))):
        unit = "".join(draw(st.lists(_unit, min_size=1, max_size=3)))
        count = max(1, min(draw(st.sampled_from(SIZES)), left // max(1, len(unit))))
        part = unit * count
        if draw(st.integers(0, 9)) == 0:
            part += "".join(f"</{name}>" for name in ("p", "div", "b")) * min(count, left // 16)
        parts.append(part)
        left -= len(part)
        if left <= 0:
            break
    if draw(st.booleans()):
        parts.append(draw(st.sampled_from(PROSE)))
    text = "".join(parts)
    if draw(st.integers(0, 5)) == 0:
        text = draw(st.sampled_from(PAGES)).replace("{0}", text)
    return text[:MOST]


_short = st.one_of(st.just(""), st.sampled_from(PROSE), texts(most=2_000))
_stamp = st.one_of(
    st.none(),
    st.sampled_from(
        ["2024-05-03", "2024-05-03T10:00:00+02:00", "0001-01-01", "9999-12-31", "2024-02-30", "1446-09-01"]
    ),
    st.sampled_from(DATES),
    st.dates().map(str),
)


@st.composite
def fields(draw: st.DrawFn) -> dict[str, Any]:
    """The fields of a raw article, most of them well-formed."""
    size = draw(st.sampled_from([2_000] * 12 + [FEW] * 6 + [200_000, MOST]))
    found: dict[str, Any] = {
        "article_id": draw(st.one_of(st.just("a"), st.text(max_size=20), st.just("x" * 512))),
        "title": draw(_short),
        "text": draw(texts(most=size)),
        "published_at": draw(_stamp),
        "source": draw(st.one_of(st.sampled_from(["", "Meridian Wire", "UK Government", "AFP"]), _short)),
        "url": draw(st.one_of(st.none(), st.just("https://example.org/a?b=c#d"), _short)),
        "content_type": draw(st.sampled_from([None, None, "text", "html"])),
    }
    if draw(st.integers(0, 9)) == 0:
        odd: Any = draw(st.recursive(st.none() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5))
        found[draw(st.sampled_from([*found, "schema_version", "ingested_at", "other"]))] = odd
    return found


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """The bytes of a record: mostly JSON in UTF-8, now and then spoilt or in another encoding."""
    found = json.dumps(draw(fields()), ensure_ascii=draw(st.booleans()))
    how = draw(st.integers(0, 19))
    if how == 0:
        return found.encode(draw(st.sampled_from(["utf-16", "utf-32", "utf-7", "utf-8-sig"])))
    if how == 1:
        return found.encode("cp1252", "replace").decode("latin-1").encode()
    data = found.encode()
    if how == 2:
        at = draw(st.integers(0, len(data)))
        return data[:at] + draw(st.binary(max_size=4)) + data[at + draw(st.integers(0, 3)) :]
    if how == 3:
        return data.replace(b'"text": "', b'"text": "' + draw(st.sampled_from(SURROGATES)), 1)
    if how == 4:
        return b"[" * draw(st.sampled_from([1, 100, 100_000])) + data
    return data


SURROGATES = (rb"\ud800", rb"\udc00\ud800", rb"\ud83d\ude00", b"\xed\xa0\x80", rb"\u0000", b"\x00")
