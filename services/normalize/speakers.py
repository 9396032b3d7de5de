"""Whose words a sentence is, when it stands inside a longer quotation or statement that another sentence attributes."""

from __future__ import annotations

import re

from schemas.records import Sentence
from services.normalize.quotes import Quotation, quotations
from services.normalize.speechcue import Cue, Span, find_cue

_SELF_NAMING = re.compile(
    r"\b(?:ministry|department|government|council|office|union|commission|embassy|mission|organi[sz]ation|committee"
    r"|group|"
    r"statement|communiqu[eé]|presidency|kremlin|spokes\w+)\b",
    re.IGNORECASE,
)
_OFFICE_END = ("secretary", "minister", "president", "chancellor", "ambassador", "envoy")
_LIST_ITEM = re.compile(r"[•▪*–—-]\s|\d{1,2}[.)]\s")
_ARTICLE = re.compile(r"^(?:the|a|an|his|her|its|their)\s+", re.IGNORECASE)
_LABEL = re.compile(r"((?:(?:MR|MS|MRS|DR)\.? )?[A-Z][A-Z.'’-]+(?: [A-Z][A-Z.'’-]+){0,4}): (?=[A-Z“\"(])")
"""A speaker in a transcript: "MR MILLER: We have seen …"."""
NEAR = 1
"""Paragraphs back to which "he said" is taken to point; a name further up is left to the resolver."""

SCARE, FEW = 40, 2
"""A text with more than FEW quotations longer than SCARE characters marks what is quoted: without marks nothing is."""


def with_speakers(text: str, sentences: list[Sentence]) -> list[Sentence]:
    """The sentences with speaker_start and speaker_end where they are another's words; `text` is the clean text."""
    return _Attribution(text, sentences).attributed()


class _Attribution:
    """Quotations, cues and the last named speaker of one article."""

    def __init__(self, text: str, sentences: list[Sentence]) -> None:
        self._text = text
        self._sentences = sentences
        self._inside = _overlaps(sentences, quotations(text, _paragraphs(sentences)))
        self._cues = [self._cue(i) for i in range(len(sentences))]
        self._named = self._names()

    def attributed(self) -> list[Sentence]:
        speakers, statements = self._groups(), self._statements()
        out: list[Sentence] = []
        for i, sentence in enumerate(self._sentences):
            speaker, cue, inside = None, self._cues[i], self._inside[i]
            if sentence.part == "title":
                pass
            elif not inside:
                speaker = statements.get(i)
            elif cue is None and self._all_quoted(i):
                speaker = speakers.get(inside[0].group) or statements.get(i)
            elif cue is not None and cue.pronoun and inside[0].start <= sentence.start:
                speaker = self._named[i]
            if speaker and not sentence.start <= speaker[0] < sentence.end:
                sentence = sentence.model_copy(update={"speaker_start": speaker[0], "speaker_end": speaker[1]})
            out.append(sentence)
        return out

    def _cue(self, i: int) -> Cue | None:
        sentence = self._sentences[i]
        if sentence.part == "title":
            return None
        spans = [(max(0, q.start - sentence.start), min(q.end, sentence.end) - sentence.start) for q in self._inside[i]]
        cue = find_cue(self._text[sentence.start : sentence.end], spans)
        if cue is None:
            return None
        return Cue(cue.start + sentence.start, cue.end + sentence.start, cue.pronoun, cue.leads)

    def _names(self) -> list[Span | None]:
        """For each sentence, who was named as speaker last, in its own paragraph or the one before."""
        named: list[Span | None] = []
        last: tuple[Span, int] | None = None
        for sentence, cue in zip(self._sentences, self._cues, strict=True):
            near = last is not None and sentence.paragraph - last[1] <= NEAR
            named.append(last[0] if last is not None and near else None)
            if cue is not None and not cue.pronoun:
                last = (cue.start, cue.end), sentence.paragraph
            elif cue is not None and last is not None and near:
                last = last[0], sentence.paragraph
        return named

    def _speaker(self, cue: Cue, i: int) -> Span:
        named = self._named[i]
        return named if cue.pronoun and named is not None else (cue.start, cue.end)

    def _all_quoted(self, i: int) -> bool:
        """No letter of the sentence stands outside its quotations."""
        sentence, at = self._sentences[i], self._sentences[i].start
        for q in self._inside[i]:
            if any(c.isalpha() for c in self._text[at : max(at, q.start)]):
                return False
            at = max(at, q.end)
        return not any(c.isalpha() for c in self._text[at : sentence.end])

    def _groups(self) -> dict[int, Span]:
        """Speaker of each quotation: named in a sentence of it, else just before it, else that of the one before."""
        members: dict[int, list[int]] = {}
        for i, quotes in enumerate(self._inside):
            for q in quotes:
                members.setdefault(q.group, []).append(i)
        speakers: dict[int, Span] = {}
        for group, indices in members.items():
            own = next((j for j in indices if self._cues[j] is not None), None)
            cue = self._cues[own] if own is not None else None
            speaker = self._speaker(cue, own) if cue and own is not None else self._just_before(indices[0], speakers)
            if speaker is not None:
                speakers[group] = speaker
        return speakers

    def _just_before(self, i: int, speakers: dict[int, Span]) -> Span | None:
        """Speaker of a quotation that none of its own sentences attributes."""
        if i == 0 or self._sentences[i - 1].part == "title":
            return None
        cue = self._cues[i - 1]
        if cue is not None:
            return self._speaker(cue, i - 1)
        return speakers.get(self._inside[i - 1][-1].group) if self._inside[i - 1] else None

    def _statements(self) -> dict[int, Span]:
        """Speakers of sentences without quotation marks under "Mr Hammond said:" or a transcript's label."""
        found: dict[int, Span] = {}
        marks = sum(q.end - q.start > SCARE for quotes in self._inside for q in quotes)
        speaker: Span | None = None
        labelled = False
        for i, sentence in enumerate(self._sentences):
            if sentence.part == "title":
                continue
            new = i == 0 or sentence.paragraph != self._sentences[i - 1].paragraph
            if new and (label := _LABEL.match(self._text, sentence.start, sentence.end)):
                speaker, labelled = label.span(1), True
                continue
            if speaker is not None and new and not labelled and self._returns(i, speaker):
                speaker = None
            cue = self._cues[i]
            if speaker is not None:
                found[i] = speaker
            elif cue is not None and cue.leads and marks <= FEW and self._opens_statement(i + 1):
                speaker, labelled = self._speaker(cue, i), False
        return found

    def _opens_statement(self, i: int) -> bool:
        """Whether a new paragraph without quotation marks begins, and no list."""
        if i >= len(self._sentences) or self._sentences[i].paragraph == self._sentences[i - 1].paragraph:
            return False
        after = self._text[self._sentences[i].start :][:4]
        return not _LIST_ITEM.match(after) and not after.startswith(('"', "“"))

    def _returns(self, first: int, speaker: Span) -> bool:
        """Whether the article's own voice is back: it speaks of the speaker, or attributes words to somebody."""
        paragraph = self._sentences[first].paragraph
        last = first
        while last < len(self._sentences) and self._sentences[last].paragraph == paragraph:
            cue = self._cues[last]
            if self._inside[last] and cue is not None and not self._all_quoted(last):
                return True
            if cue is not None and (cue.leads or not cue.pronoun):
                return True
            last += 1
        words = _ARTICLE.sub("", self._text[speaker[0] : speaker[1]])
        if _SELF_NAMING.search(words):
            return False
        name = words if words[:1].islower() or words.lower().endswith(_OFFICE_END) else words.split()[-1]
        body = self._text[self._sentences[first].start : self._sentences[last - 1].end]
        return re.search(rf"\b{re.escape(name)}\b", body) is not None


def _paragraphs(sentences: list[Sentence]) -> list[Span]:
    spans: list[Span] = []
    number = -1
    for s in sentences:
        if s.part == "title":
            continue
        if s.paragraph == number:
            spans[-1] = (spans[-1][0], s.end)
        else:
            spans.append((s.start, s.end))
            number = s.paragraph
    return spans


def _overlaps(sentences: list[Sentence], quotes: list[Quotation]) -> list[list[Quotation]]:
    """For each sentence the quotations that overlap it."""
    found: list[list[Quotation]] = []
    at = 0
    for s in sentences:
        while at < len(quotes) and quotes[at].end <= s.start:
            at += 1
        here, i = [], at
        while i < len(quotes) and quotes[i].start < s.end:
            here.append(quotes[i])
            i += 1
        found.append(here)
    return found
