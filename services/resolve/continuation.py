"""The date of what belongs to a speech or meeting that the article has dated already. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from schemas.records import ResolvedEvent, Sentence

GOES_ON = re.compile(
    r"\b(?:also|added|adding|went on|continued|further(?:more)?|in the same (?:speech|statement|interview)|"
    r"(?:during|at|in|after) (?:the|their|its|his|her) (?:meeting|talks|call|phone call|conversation|visit|briefing|"
    r"news conference|speech|address))\b",
    re.I,
)


class Course:
    """What a reader of an article knows so far: the last act of each actor that is new and dated to the day."""

    def __init__(self) -> None:
        self._dated: dict[tuple[str, str | None], ResolvedEvent] = {}

    def follow(self, events: Sequence[ResolvedEvent], sentence: Sentence, text: str) -> list[ResolvedEvent]:
        """The events of a sentence, those without a date dated by the act they go on with; `text` is the sentence's.

        An act goes on with an earlier new one of the same actor, dated to the day, when its words say so ("Lavrov also
        praised", "during the meeting") or when its sentence is part of that speaker's quotation.
        """
        told = []
        for event in events:
            actor = (event.actors[0].code, event.actors[0].name)
            former = self._dated.get(actor)
            if event.when.date is None and event.timing == "new" and event.claim == "asserted" and former:
                if GOES_ON.search(text) or sentence.speaker_start is not None:
                    event = event.model_copy(update={"when": former.when})
            elif event.timing == "new" and event.claim == "asserted" and event.when.granularity == "day":
                self._dated[actor] = event
            told.append(event)
        return told
