"""What a webhook call says and how it is signed. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json
from urllib.parse import urlsplit

from schemas.records import Alert, DeadLetter, Origin
from services.desk.outbox import GivenUp, Job
from services.runtime.codec import dead_letter
from services.stage import Reject

SIGNATURE = "Demarche-Signature"
DELIVERY = "Demarche-Delivery"


def body(job: Job) -> bytes:
    """The call's JSON in the form that was asked for."""
    if job.form == "slack":
        return json.dumps({"text": slack_text(job.alert)}, ensure_ascii=False).encode()
    kind = "alert" if job.alert.revision == 1 else "update"
    told = {"kind": kind, "delivery_id": job.delivery_id, "alert": job.alert.model_dump(mode="json")}
    return json.dumps(told, ensure_ascii=False).encode()


def slack_text(alert: Alert) -> str:
    """The alert as a message of Slack's form; what the article says can neither mention nor link."""
    head = "" if alert.revision == 1 else "Updated: "
    url = alert.event.url or ""
    safe = url.startswith(("http://", "https://")) and not set(url) & set("<>| ")
    link = f" (<{_slack(url)}|source>)" if safe else ""
    return f"*{_slack(alert.subscription)}* {head}{_slack(alert.summary)}{link}"


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def signature(secret: str, moment: int, content: bytes) -> str:
    """t=SECONDS,v1=HEX: HMAC-SHA256 over the time, a point and the body. Receivers refuse an old time."""
    made = hmac.new(secret.encode(), f"{moment}.".encode() + content, hashlib.sha256).hexdigest()
    return f"t={moment},v1={made}"


def letter(call: GivenUp, topic: str) -> DeadLetter | None:
    """The dead letter of a call given up, pointing at the event on `topic` that it tells of; None where nobody knows
    that any more.

    Of the address only the host stands in it, as the rest may be a secret. It has no value: put back on the topic, the
    event would be news to all who read it, while only this call is to be made again.
    """
    if call.cause is None:
        return None
    partition, offset = map(int, call.cause.split(":"))
    parts = urlsplit(call.url)
    why = call.error
    for secret in sorted({f"{parts.path}?{parts.query}", parts.path, parts.query} - {"", "/", "?"}, key=len)[::-1]:
        why = why.replace(secret, "…")
    detail = (
        f"webhook of {call.subscription} at {parts.hostname}: {why}; given up at try {call.tries}, "
        f"delivery {call.delivery_id}; POST /api/subscriptions/{call.subscription}/dead-letters/replay tries it anew"
    )
    origin = Origin(topic=topic, partition=partition, offset=offset)
    return dead_letter("desk", Reject("webhook_given_up", detail), origin, call.alert.event.dyad.encode(), None, 0)
