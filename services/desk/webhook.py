"""What a webhook call says and how it is signed. Pure."""

from __future__ import annotations

import hashlib
import hmac
import json

from schemas.records import Alert
from services.desk.outbox import Job

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
