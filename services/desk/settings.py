"""Settings of desk."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Network, ip_address
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import Field, field_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from services.runtime.settings import Positive, Seconds, ServiceSettings

HOSTS = re.compile(r"[A-Za-z0-9._:,%-]*")


class DeskSettings(ServiceSettings):
    """`desk_database` is an SQLAlchemy URL: a SQLite file, or PostgreSQL as postgresql+psycopg://…"""

    from_files: ClassVar[tuple[str, ...]] = (*ServiceSettings.from_files, "desk_database")

    desk_database: str = Field(default="sqlite:///.demarche/desk.sqlite", repr=False)
    desk_database_file: Path | None = None
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

    @field_validator("desk_database")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        # A driver would tell of what it takes for a host or a port, and that may be a part of the password.
        try:
            host = make_url(value).host
        except (ArgumentError, ValueError):
            host = "?"
        if not HOSTS.fullmatch(host or ""):
            raise ValueError("no database address; in a password write @ as %40, : as %3A and / as %2F")
        return value

    @property
    def desk_open(self) -> bool:
        """Whether reading needs no token: only on a loopback address."""
        if self.desk_host == "localhost":
            return True
        try:
            return ip_address(self.desk_host).is_loopback
        except ValueError:
            return False
