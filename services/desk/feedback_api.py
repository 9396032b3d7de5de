"""Analysts' corrections over HTTP.

Annotations are not deferred here: FastAPI could not resolve those that name what a function made.
"""

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException, Query

from services.desk import feedback, views
from services.desk.access import holder, refusals, writer
from services.desk.store import Store


def routes(store: Store) -> APIRouter:
    """The routes under /feedback."""
    api = APIRouter(tags=["feedback"], responses=refusals())
    Writer = Annotated[str, Depends(writer(holder(store)))]

    @api.get("/feedback")
    def list_corrections(query: Annotated[views.CorrectionQuery, Query()]) -> views.CorrectionPage:
        """Corrections of events, newest first; of each event the newest one holds."""
        found, following = feedback.latest(store, query.cursor, query.limit)
        return views.CorrectionPage(items=[views.correction(one) for one in found], next_cursor=following)

    @api.get("/feedback/counts")
    def count_corrections() -> views.CorrectionCounts:
        """How many corrections there are, and of what."""
        corrections, events, kinds = feedback.counts(store)
        return views.CorrectionCounts(corrections=corrections, events=events, kinds=kinds)

    @api.post("/feedback", status_code=201, responses=refusals(404, 409))
    def correct(given: views.FeedbackIn, by: Writer) -> views.Correction:
        """Corrects an event. It is kept under the name of the token and goes to the topic feedback."""
        wanted = given.correction
        try:
            made = feedback.give(
                store,
                given.event_id,
                lambda present: wanted.of(present) if isinstance(wanted, views.Corrected) else None,
                given.note.strip(),
                by,
            )
        except feedback.NoEvent as error:
            raise HTTPException(404, str(error)) from error
        except feedback.NotTaken as error:
            raise HTTPException(409, str(error)) from error
        return views.correction(made)

    return api
