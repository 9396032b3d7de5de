"""Settings of ingest."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network

from pydantic import Field

from services.runtime.settings import Positive, Seconds, ServiceSettings
from services.web.outgoing import Bounds


class IngestSettings(ServiceSettings):
    """Where ingest remembers, what it fetches and how, and what is pushed to it. Times in seconds, sizes in bytes."""

    ingest_state: str = ".demarche/ingest.sqlite"
    ingest_remember_days: Positive = Field(default=30, description="Articles no feed shows for longer are forgotten")

    ingest_feed_seconds: Seconds = Field(default=900.0, description="Between two looks at a feed")
    ingest_longest_wait: Seconds = Field(default=86_400.0, description="After many failures of a feed")
    ingest_host_seconds: Seconds = Field(default=1.0, description="Between two requests to one host")
    ingest_fetch_seconds: Seconds = Field(default=20.0, description="For one fetch with its redirects")
    ingest_fetch_bytes: Positive = Field(default=8 * 1024 * 1024, description="Of one answer, also unpacked")
    ingest_allow: list[IPv4Network | IPv6Network] = Field(
        default=[], description="Private networks that may be fetched from"
    )

    @property
    def bounds(self) -> Bounds:
        """What a fetch may cost and where it may go: any public address, also by plain http."""
        return Bounds(
            self.ingest_fetch_seconds, self.ingest_fetch_bytes, self.ingest_allow, "DEMARCHE_INGEST_ALLOW", plain=True
        )
