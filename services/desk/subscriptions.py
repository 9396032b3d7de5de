"""What a subscriber waits for, where it is told, and the subscriptions that make sense on day one."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from schemas.codebook import Claim, EventType, Peace, Timing, Tone
from services.desk.story import Facts, Status, fold

CODE = r"[A-Z]{2,6}"
SLUG = r"^[a-z0-9]+(-[a-z0-9]+)*$"
ADDRESS = r"^https?://[A-Za-z0-9][A-Za-z0-9.-]{0,252}(:([1-9][0-9]{0,3}|[1-5][0-9]{4}))?([/?][!-~]*)?$"
"""Host by name or IPv4, no name or password; the OpenAPI can say all of it."""
MOST_WEBHOOKS = 5
MOST_CHOICES = 100
MOST_FAMILIES = 1000


def ordered_dyad(dyad: str) -> str:
    """The dyad with its codes in the order in which events carry them."""
    return "|".join(sorted(dict.fromkeys(dyad.split("|"))))


Side = Annotated[str, StringConstraints(pattern=rf"^{CODE}$")]
Dyad = Annotated[str, StringConstraints(pattern=rf"^{CODE}(\|{CODE}){{0,19}}$"), AfterValidator(ordered_dyad)]
Printable = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]


class Filter(BaseModel):
    """All that is given must hold; within one list any value will do. An empty filter takes everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sides: list[Side] = Field(default=[], max_length=MOST_CHOICES, description="Codes, as actor or recipient")
    dyads: list[Dyad] = Field(default=[], max_length=MOST_CHOICES, description="Codes joined by |, in any order")
    types: list[EventType] = Field(default=[], max_length=MOST_CHOICES)
    claim: list[Claim] = Field(default=[], max_length=MOST_CHOICES)
    tone: list[Tone] = Field(default=[], max_length=MOST_CHOICES)
    peace: list[Peace] = Field(default=[], max_length=MOST_CHOICES, description="Stance on peace talks")
    timing: list[Timing] = Field(default=[], max_length=MOST_CHOICES)
    status: list[Status] = Field(default=[], max_length=MOST_CHOICES)
    min_families: Annotated[int, Field(ge=1, le=MOST_FAMILIES, description="Independent publisher families")] = 1
    shifted: bool = Field(default=False, description="Only events in which a side changes its stance")
    text: Printable = Field(default="", description="Words that all stand in quote, sentence, title or names")


def matches(wanted: Filter, facts: Facts) -> bool:
    """Whether a story is what the filter waits for."""
    chosen: tuple[tuple[list[str], str], ...] = (
        ([*wanted.dyads], facts.dyad),
        ([*wanted.types], facts.type),
        ([*wanted.claim], facts.claim),
        ([*wanted.tone], facts.tone),
        ([*wanted.peace], facts.peace),
        ([*wanted.timing], facts.timing),
        ([*wanted.status], facts.status),
    )
    return (
        all(value in values for values, value in chosen if values)
        and (not wanted.sides or not facts.sides.isdisjoint(wanted.sides))
        and facts.families >= wanted.min_families
        and (facts.shifted or not wanted.shifted)
        and all(word in facts.words for word in fold(wanted.text).split())
    )


class Webhook(BaseModel):
    """An address that gets each alert by POST, signed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, StringConstraints(pattern=ADDRESS, max_length=2000)]
    form: Literal["json", "slack"] = "json"


class Channels(BaseModel):
    """Where alerts go. The page, the event stream and the Atom feed show them in any case."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: bool = Field(default=True, description="To the topic alerts")
    webhooks: list[Webhook] = Field(default=[], max_length=MOST_WEBHOOKS)


class Subscription(BaseModel):
    """What somebody waits for, under a name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*[A-Za-z0-9][^\x00-\x1f\x7f]*$", max_length=80)]
    filter: Filter = Filter()
    channels: Channels = Channels()
    enabled: bool = True


def slug(name: str) -> str:
    """The id of a subscription of this name; its letters and digits with hyphens between."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))


def presets() -> list[Subscription]:
    """Subscriptions that a new desk starts with."""
    return [
        Subscription(
            name="New peace-talk statements",
            filter=Filter(
                peace=["support", "oppose", "conditional", "neutral"], timing=["new"], claim=["asserted", "reported"]
            ),
        ),
        Subscription(name="Stance shift", filter=Filter(shifted=True, timing=["new"])),
        Subscription(name="Threats and mobilisation", filter=Filter(types=["THREATEN", "MOBILIZE"], timing=["new"])),
        Subscription(name="Sanctions", filter=Filter(types=["SANCTION"], timing=["new"])),
    ]


def one_dyad(dyad: str) -> Subscription:
    """Everything new between two sides."""
    return Subscription(
        name=f"{' and '.join(ordered_dyad(dyad).split('|'))}", filter=Filter(dyads=[dyad], timing=["new"])
    )
