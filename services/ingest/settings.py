"""Settings of ingest."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field

from services.runtime.settings import Positive, Seconds, ServiceSettings
from services.web.address import is_loopback
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

    ingest_host: str = Field(default="127.0.0.1", description="Where articles may be pushed to")
    ingest_port: Annotated[int, Field(ge=0, le=65535, description="0: any free port")] = 8751
    ingest_hosts: list[str] = Field(default=[], description="Further names by which it is called on the loopback")
    ingest_request_bytes: Positive = 16 * 1024 * 1024
    ingest_rate: Annotated[float, Field(gt=0, description="Requests a second from one address, in the long run")] = 50.0
    ingest_burst: Positive = Field(default=400, description="Requests from one address at once")

    @property
    def bounds(self) -> Bounds:
        """What a fetch may cost and where it may go: any public address, also by plain http."""
        return Bounds(
            self.ingest_fetch_seconds, self.ingest_fetch_bytes, self.ingest_allow, "DEMARCHE_INGEST_ALLOW", plain=True
        )

    @property
    def ingest_open(self) -> bool:
        """Whether the service is bound to a loopback address."""
        return is_loopback(self.ingest_host)
