"""Settings of desk."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field

from services.runtime.settings import Positive, Seconds, ServiceSettings
from services.web.address import is_loopback


class DeskSettings(ServiceSettings):
    """`desk_database` is an SQLAlchemy URL: a SQLite file, or PostgreSQL as postgresql+psycopg://…"""

    desk_database: str = "sqlite:///.demarche/desk.sqlite"
    desk_keep_days: Positive = Field(default=30, description="Stories not heard of for longer are dropped")

    desk_host: str = Field(default="127.0.0.1", description="Bound elsewhere than on a loopback, all needs a token")
    desk_port: Annotated[int, Field(ge=0, le=65535, description="0: any free port")] = 8750
    desk_hosts: list[str] = Field(default=[], description="Further names by which a desk on the loopback is called")
    desk_request_bytes: Positive = 64 * 1024
    desk_rate: Annotated[float, Field(gt=0, description="Requests a second from one address, in the long run")] = 50.0
    desk_burst: Positive = Field(default=400, description="Requests from one address at once")
    desk_readers: Positive = Field(default=1000, description="Event streams open at once")

    desk_webhook_allow: list[IPv4Network | IPv6Network] = Field(
        default=[], description="Private networks that webhooks may reach, and by plain http"
    )
    desk_webhook_seconds: Seconds = Field(default=10.0, description="For one try, all in all")
    desk_webhook_answer_bytes: Positive = 16 * 1024
    desk_webhook_tries: Positive = 8
    desk_webhook_first_wait: Seconds = Field(default=2.0, description="After the first failed try; then doubling")
    desk_webhook_longest_wait: Seconds = 900.0

    @property
    def desk_open(self) -> bool:
        """Whether reading needs no token: only on a loopback address."""
        return is_loopback(self.desk_host)
