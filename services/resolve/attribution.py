"""Who says that an event is so: the chain of sources of a sentence that covers the event's words."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from schemas.records import Attribution, CleanArticle, ExtractedEvent, SentenceExtraction

_PASSED_ON = re.compile(r"\b(?:citing|cited|quoting|quoted|attributed|based on|according to)\b", re.I)
_HEARSAY = re.compile(
    r"\b(?:journal|times|post|guardian|herald|tribune|telegraph|reuters|afp|ap|bbc|cnn|bloomberg|xinhua|tass|newspaper|"
    r"daily|weekly|magazine|outlet|broadcaster|television|tv|radio|media|news|press|agency|website|reports?|rumou?rs|"
    r"sources?|people (?:familiar|briefed|close|with knowledge)|persons?|insiders?|witnesses|residents|locals|"
    r"activists|observers|monitors?|analysts|officials|diplomats|aides|lawmakers)\b",
    re.I,
)
_NAMED = re.compile(r"\b(?:[A-Z][\w’'-]+ ){1,3}(?:[A-Z][\w’'-]+)$")


def attributions(
    event: ExtractedEvent,
    found: SentenceExtraction,
    article: CleanArticle,
    code: Callable[[tuple[int, int]], str | None],
) -> list[Attribution]:
    """The sources whose content covers the event's words, nearest to the article first.

    A source that is the event's own actor or recipient is no attribution: it speaks for itself. `code` gives the side
    code of a span of the article, or None.
    """
    own = [(found.mentions[i].start, found.mentions[i].end) for i in (*event.actors, *event.recipients)]
    out: list[Attribution] = []
    for link in found.attributions:
        if not link.source or any(link.source[0] < b and link.source[1] > a for a, b in own):
            continue
        if link.content and not (link.content[0] < event.quote_end and link.content[1] > event.quote_start):
            continue
        if any(link.source == (a.start, a.end) for a in out):
            continue
        out.append(
            Attribution(
                text=article.text[slice(*link.source)],
                start=link.source[0],
                end=link.source[1],
                cue=article.text[slice(*link.cue)] if link.cue else None,
                code=code(link.source),
            )
        )
    return sorted(out, key=lambda a: bool(a.cue and _PASSED_ON.search(a.cue)))


def is_hearsay(sources: Sequence[Attribution], actor_codes: Sequence[str]) -> bool:
    """Whether media, unnamed officials or witnesses of another side say it (codebook, "Claim": reported)."""
    return any(
        _HEARSAY.search(s.text) and not _NAMED.search(s.text) and (s.code is None or s.code not in actor_codes)
        for s in sources
    )
