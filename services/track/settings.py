"""Settings of track."""

from __future__ import annotations

from services.runtime.settings import ServiceSettings


class TrackSettings(ServiceSettings):
    """Only what every service has."""
