"""The second kind of record on events.resolved: where the events of one version of an article end."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from schemas.records import ModelInfo, ResolvedEvent, Versioned


class ArticleEnd(Versioned):
    """The end of one version of an article (topic events.resolved), on every partition behind the version's events
    there: what an older version told and this one does not has vanished. Articles without an address have none.

    Events have version 1 and this has 2, so that a reader that knows of events alone refuses it and guesses nothing.
    """

    schema_version: Annotated[int, Field(ge=2, le=2)] = 2
    kind: Literal["article_end"] = Field(description="An event has no kind")
    article_id: str
    url: str
    fingerprint: str
    model: ModelInfo
    event_ids: list[str] = Field(description="All events of this version, whatever their partition")
    ingested_at: datetime | None = None


Resolved: TypeAlias = ResolvedEvent | ArticleEnd
"""What stands on events.resolved."""
