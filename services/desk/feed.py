"""A subscription's alerts as an Atom feed (RFC 4287). Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from xml.etree import ElementTree as ET  # Only writes; nothing foreign is parsed.

from schemas.records import Alert
from services.desk.views import SubscriptionOut, moment
from services.desk.words import in_sentence

NAMESPACE = "http://www.w3.org/2005/Atom"
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def atom(subscription: SubscriptionOut, alerts: Sequence[tuple[Alert, int, int]], address: str) -> bytes:
    """The feed; `address` is its own. An updated alert keeps its id and gets a later `updated`."""
    ET.register_namespace("", NAMESPACE)
    feed = ET.Element(f"{{{NAMESPACE}}}feed")
    _add(feed, "id", f"urn:demarche:subscription:{subscription.id}")
    _add(feed, "title", f"demarche: {subscription.name}")
    latest = max((moment(updated) for _, _, updated in alerts), default=subscription.updated_at)
    _add(feed, "updated", _time(latest))
    _add(feed, "link", rel="self", href=address, type="application/atom+xml")
    author = _add(feed, "author")
    _add(author, "name", "demarche")
    for alert, raised, updated in alerts:
        _entry(feed, alert, moment(raised), moment(updated))
    return bytes(ET.tostring(feed, encoding="utf-8", xml_declaration=True))


def _entry(feed: ET.Element, alert: Alert, raised: datetime, updated: datetime) -> None:
    event = alert.event
    entry = _add(feed, "entry")
    _add(entry, "id", f"urn:uuid:{alert.alert_id}")
    _add(entry, "title", alert.summary)
    _add(entry, "published", _time(raised))
    _add(entry, "updated", _time(updated))
    if event.url and event.url.startswith(("http://", "https://")):
        _add(entry, "link", rel="alternate", href=event.url)
    for term in (event.type, event.claim, event.dyad):
        _add(entry, "category", term=term)
    _add(entry, "content", "".join(in_sentence(event.evidence)), type="text")


def _add(parent: ET.Element, name: str, text: str | None = None, **attributes: str) -> ET.Element:
    clean = {key: NOT_XML.sub("", value) for key, value in attributes.items()}
    element = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}", clean)
    if text is not None:
        element.text = NOT_XML.sub("", text)
    return element


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
