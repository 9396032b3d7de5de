"""Settings of desk."""

from __future__ import annotations

from services.runtime.settings import ServiceSettings


class DeskSettings(ServiceSettings):
    """Only what every service has."""
