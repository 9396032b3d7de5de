"""The desk over HTTP: stories, dyads, subscriptions, the event stream, feeds and the page.

Annotations are not deferred here: FastAPI could not resolve those that name what a function made.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.resources import files
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI, Header, HTTPException, Path, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import StringConstraints
from starlette.staticfiles import StaticFiles

from services import PIPELINE_VERSION
from services.desk import feedback_api, outbox, reading, register, views
from services.desk.access import holder, refusals, writer
from services.desk.bulletin import Bulletin, stream
from services.desk.feed import atom
from services.desk.settings import DeskSettings
from services.desk.store import Store, StoreTrouble
from services.desk.subscriptions import SLUG, Channels, Dyad, Webhook, one_dyad, presets
from services.web.guard import Guard
from services.web.limits import RateLimit

StoryId = Annotated[str, Path(pattern=r"^[!-~]{1,64}$")]
SubscriptionId = Annotated[str, Path(pattern=SLUG, max_length=80)]
DyadName = Annotated[Dyad, Path(description="Codes joined by |, in any order", max_length=139)]
LastEventId = Annotated[str, StringConstraints(pattern=r"^\d{1,18}$")]
RETRY_AFTER = {"Retry-After": "5"}
T = TypeVar("T")


def text(media_type: str) -> dict[int | str, dict[str, Any]]:
    """A good answer that is not JSON."""
    return {200: {"content": {media_type: {"schema": {"type": "string"}}}, "description": "Text"}}


def application(settings: DeskSettings, store: Store, bulletin: Bulletin) -> Guard:
    """The whole, guarded, for an ASGI server; it runs the bulletin."""

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        looking = asyncio.create_task(bulletin.run())
        yield
        bulletin.stop()
        with suppress(asyncio.CancelledError):
            looking.cancel()
            await looking

    # The interactive pages of FastAPI load from another host.
    app = FastAPI(title="demarche desk", version=PIPELINE_VERSION, docs_url=None, redoc_url=None, lifespan=life)
    app.add_exception_handler(StoreTrouble, _trouble)
    app.include_router(_reading(store), prefix="/api")
    app.include_router(_streams(settings, store, bulletin), prefix="/api")
    app.include_router(_subscriptions(store), prefix="/api")
    app.include_router(feedback_api.routes(store), prefix="/api")
    app.mount("/", StaticFiles(directory=str(files("services.desk").joinpath("page")), html=True), name="page")
    return Guard(
        app,
        lambda token: register.token_is_known(store, token),
        settings.desk_hosts if settings.desk_open else None,
        settings.desk_request_bytes,
        RateLimit(settings.desk_rate, settings.desk_burst),
        "DEMARCHE_DESK_HOSTS",
    )


async def _trouble(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"detail": "the database is not to be had now"}, 503, RETRY_AFTER)


def _reading(store: Store) -> APIRouter:
    api = APIRouter(tags=["stories"], responses=refusals())

    @api.get("/stories")
    def list_stories(query: Annotated[views.ListQuery, Query()]) -> views.StoryPage:
        """Stories that match the filter, the one changed last first."""
        return reading.page(store, query, query.cursor, query.limit)

    @api.get("/stories/{story_id}", responses=refusals(404))
    def get_story(story_id: StoryId) -> views.StoryDetail:
        """One story with all that tells it."""
        found = reading.story(store, story_id)
        if found is None:
            raise HTTPException(404, "no such story")
        return found

    @api.get("/dyads")
    def list_dyads() -> list[views.DyadRow]:
        """Dyads that have stories, those with most first."""
        return reading.dyads(store)

    @api.get("/dyads/{dyad}")
    def get_dyad(dyad: DyadName) -> views.DyadView:
        """A dyad's timeline of cooperation, conflict and stance on peace talks; empty where nothing is known of it."""
        return reading.dyad(store, dyad)

    return api


def _streams(settings: DeskSettings, store: Store, bulletin: Bulletin) -> APIRouter:
    api = APIRouter(tags=["streams"], responses=refusals())

    @api.get("/stream", response_class=StreamingResponse, responses=text("text/event-stream") | refusals())
    async def get_stream(
        query: Annotated[views.StreamQuery, Query()],
        last_event_id: Annotated[LastEventId | None, Header(description="As sent by a reader that comes again")] = None,
    ) -> StreamingResponse:
        """Changes as server-sent events: `story`, `gone`, `beat`, `reset`. Goes on behind Last-Event-ID or `after`."""
        if bulletin.readers >= settings.desk_readers:
            raise HTTPException(503, "too many readers", RETRY_AFTER)
        after = query.after if last_event_id is None else int(last_event_id)
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(stream(bulletin, query, after), media_type="text/event-stream", headers=headers)

    @api.get(
        "/subscriptions/{name}/feed", response_class=Response, responses=text("application/atom+xml") | refusals(404)
    )
    def get_feed(name: SubscriptionId, request: Request) -> Response:
        """The subscription's alerts as an Atom feed."""
        found = _there(register.subscription(store, name))
        told = atom(found, reading.alerts(store, name), str(request.url))
        return Response(told, media_type="application/atom+xml")

    return api


def _subscriptions(store: Store) -> APIRouter:
    api = APIRouter(tags=["subscriptions"], responses=refusals())
    known = holder(store)
    Known = Annotated[str | None, Depends(known)]
    needs_token = [Depends(writer(known))]
    may_have_token: dict[str, Any] = {"security": [{}]}
    """Beside the bearer's: that nothing is sent is fine too."""

    @api.get("/subscriptions", openapi_extra=may_have_token)
    def list_subscriptions(reader: Known) -> list[views.SubscriptionOut]:
        """All subscriptions; webhooks' addresses in full only for a token, as an address may itself be a secret."""
        return [masked(one) if reader is None else one for one in register.subscriptions(store)]

    @api.post("/subscriptions", status_code=201, dependencies=needs_token, responses=refusals(409))
    def add_subscription(given: views.SubscriptionIn) -> views.SubscriptionMade:
        """Makes a subscription; its id comes from its name. It hears of what comes from now on."""
        try:
            return register.add(store, given)
        except register.Taken as error:
            raise HTTPException(409, str(error)) from error

    @api.get("/subscriptions/{name}", responses=refusals(404), openapi_extra=may_have_token)
    def get_subscription(name: SubscriptionId, reader: Known) -> views.SubscriptionOut:
        """One subscription."""
        found = _there(register.subscription(store, name))
        return masked(found) if reader is None else found

    @api.put("/subscriptions/{name}", dependencies=needs_token, responses=refusals(404))
    def change_subscription(name: SubscriptionId, given: views.SubscriptionIn) -> views.SubscriptionOut:
        """Replaces all of a subscription but its id; without a secret the present one stays."""
        return _there(register.change(store, name, given))

    @api.delete("/subscriptions/{name}", status_code=204, dependencies=needs_token, responses=refusals(404))
    def remove_subscription(name: SubscriptionId) -> None:
        """Takes a subscription away with its alerts and what was still to be delivered."""
        if not register.remove(store, name):
            raise HTTPException(404, "no such subscription")

    @api.get("/subscriptions/{name}/alerts", responses=refusals(404))
    def list_alerts(name: SubscriptionId) -> views.AlertPage:
        """Its latest alerts, the one changed last first."""
        _there(register.subscription(store, name))
        return views.AlertPage(items=[alert for alert, _, _ in reading.alerts(store, name)])

    @api.get("/subscriptions/{name}/dead-letters", dependencies=needs_token, responses=refusals(404))
    def list_dead_letters(name: SubscriptionId) -> views.DeadDeliveries:
        """Webhook calls that were given up after the last try."""
        _there(register.subscription(store, name))
        return views.DeadDeliveries(items=outbox.dead(store, name))

    @api.post("/subscriptions/{name}/dead-letters/replay", dependencies=needs_token, responses=refusals(404))
    def replay_dead_letters(name: SubscriptionId) -> views.Replayed:
        """Tries them all anew."""
        _there(register.subscription(store, name))
        return views.Replayed(count=outbox.revive(store, name))

    @api.get("/presets")
    def list_presets() -> list[views.Preset]:
        """Subscriptions to begin with."""
        named = [views.Preset(title=one.name, subscription=one) for one in presets()]
        return [*named, views.Preset(title="One dyad", subscription=one_dyad("RUS|UKR"))]

    return api


def masked(subscription: views.SubscriptionOut) -> views.SubscriptionOut:
    """With only the hosts of its webhooks."""
    hooks = [
        Webhook(url=f"{urlsplit(hook.url).scheme}://{urlsplit(hook.url).hostname}/***#{n}", form=hook.form)
        for n, hook in enumerate(subscription.channels.webhooks, 1)
    ]
    channels = Channels(topic=subscription.channels.topic, webhooks=hooks)
    return subscription.model_copy(update={"channels": channels})


def _there(found: T | None) -> T:
    if found is None:
        raise HTTPException(404, "no such subscription")
    return found
