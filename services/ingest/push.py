"""Articles pushed over HTTP. A request is taken whole or not at all.

Annotations are not deferred here: FastAPI could not resolve those that name what a function made.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import Depends, FastAPI, HTTPException, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, Discriminator, Field, Tag

from schemas.records import RawArticle
from services import PIPELINE_VERSION
from services.ingest.check import refusal
from services.ingest.settings import IngestSettings
from services.web.guard import Guard
from services.web.limits import RateLimit

MOST_ARTICLES = 1000
MOST_REASONS = 100
ONE, BATCH = "article", "batch"
RETRY_AFTER = {"Retry-After": "5"}

Write = Callable[[Sequence[RawArticle]], list[str]]


class Unwritten(RuntimeError):
    """The topic cannot be written to now."""


class Batch(BaseModel):
    """Several articles at once."""

    articles: Annotated[list[RawArticle], Field(min_length=1, max_length=MOST_ARTICLES)]


def _kind(given: Any) -> str:
    """Which of the two a body is meant to be, so that only that one's faults are told."""
    return BATCH if isinstance(given, Batch) or (isinstance(given, dict) and "articles" in given) else ONE


Body = Annotated[Annotated[RawArticle, Tag(ONE)] | Annotated[Batch, Tag(BATCH)], Discriminator(_kind)]


class Taken(BaseModel):
    """The articles' ids in the order given."""

    ids: list[str]


class Reason(BaseModel):
    """Why an article was not taken: its number in the batch from 0 (null: it is about the whole), the field, why."""

    article: int | None
    field: str
    why: str


class Refusal(BaseModel):
    """Nothing was taken."""

    detail: str
    reasons: list[Reason] = []


def application(settings: IngestSettings, known: Callable[[str], bool], write: Write) -> Guard:
    """The whole, guarded, for an ASGI server. `write` raises Unwritten when the topic cannot be written to."""
    app = FastAPI(title="demarche ingest", version=PIPELINE_VERSION, docs_url=None, redoc_url=None)
    bearer = HTTPBearer(auto_error=False, description="A token made by `demarche token NAME --ingest`")
    Credentials = Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]

    def writer(credentials: Credentials) -> None:
        if credentials is None or not known(credentials.credentials):
            raise HTTPException(401, "a bearer token is needed", {"WWW-Authenticate": "Bearer"})

    async def invalid(_request: Any, error: Exception) -> Response:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        return _refused(422, [_reason(e) for e in found[:MOST_REASONS]])

    app.add_exception_handler(RequestValidationError, invalid)
    refusals: dict[int | str, dict[str, Any]] = {
        status: {"model": Refusal} for status in (400, 401, 408, 413, 422, 429, 503)
    }

    @app.post("/articles", status_code=202, response_model=Taken, dependencies=[Depends(writer)], responses=refusals)
    def push(given: Body) -> Any:
        """Takes one article, or up to 1,000 as `articles`; answers when they are on the topic."""
        articles = given.articles if isinstance(given, Batch) else [given]
        reasons = [
            Reason(article=n, field="", why=why)
            for n, article in enumerate(articles)
            if (why := _unfit(article, settings.max_record_bytes))
        ]
        if reasons:
            return _refused(422, reasons[:MOST_REASONS])
        now = datetime.now(UTC)
        try:
            return Taken(ids=write([a.model_copy(update={"ingested_at": now}) for a in articles]))
        except Unwritten as error:
            raise HTTPException(503, str(error), RETRY_AFTER) from error

    return Guard(
        app,
        known,
        settings.ingest_hosts if settings.ingest_open else None,
        settings.ingest_request_bytes,
        RateLimit(settings.ingest_rate, settings.ingest_burst),
        "DEMARCHE_INGEST_HOSTS",
    )


def _unfit(article: RawArticle, most_bytes: int) -> str | None:
    return refusal(article, most_bytes) if article.text.strip() else "text is empty"


def _reason(error: dict[str, Any]) -> Reason:
    """Of FastAPI's error, whose place is ("body", "batch", "articles", 3, "text") or ("body", "article", "text")."""
    place = list(error["loc"])
    if place[1:3] == [BATCH, "articles"] and len(place) > len(("body", BATCH, "articles")):
        return Reason(article=int(place[3]), field=".".join(map(str, place[4:])), why=str(error["msg"]))
    number = 0 if place[1:2] == [ONE] else None
    return Reason(article=number, field=".".join(map(str, place[2:])), why=str(error["msg"]))


def _refused(status: int, reasons: Sequence[Reason]) -> Response:
    detail = "nothing was taken: " + (reasons[0].why if reasons else "no JSON")
    return JSONResponse(Refusal(detail=detail, reasons=list(reasons)).model_dump(), status)
