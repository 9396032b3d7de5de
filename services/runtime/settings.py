"""Settings that every service shares, from DEMARCHE_* variables; a broken one ends the start with one clear line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self, TypeVar

from pydantic import Field, FilePath, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

EXIT_BROKEN_SETTING = 2
Positive = Annotated[int, Field(gt=0)]
Seconds = Annotated[float, Field(gt=0)]


class ConnectionSettings(BaseSettings):
    """How to reach the brokers. Times are in seconds, sizes in bytes.

    Each of `from_files` may stand in a file that its setting with _file names: read at the start, where the setting
    itself is not given.
    """

    model_config = SettingsConfigDict(env_prefix="DEMARCHE_", frozen=True, extra="ignore")
    from_files: ClassVar[tuple[str, ...]] = ("sasl_password", "ssl_key_password")

    bootstrap: Annotated[str, Field(min_length=1, description="host:port, comma separated")] = "127.0.0.1:9092"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"] | None = None
    sasl_username: str | None = None
    sasl_password: SecretStr | None = None
    sasl_password_file: Path | None = None
    ssl_cafile: FilePath | None = Field(default=None, description="Who signed the brokers' certificates")
    ssl_certfile: FilePath | None = Field(default=None, description="Our certificate, where brokers ask for one")
    ssl_keyfile: FilePath | None = Field(default=None, description="Its key, where not in the same file")
    ssl_key_password: SecretStr | None = Field(default=None, description="Of an encrypted key")
    ssl_key_password_file: Path | None = None
    topic_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = ""
    group_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]*$")] = "demarche."
    max_produce_bytes: Positive = 10 * 1024 * 1024

    @model_validator(mode="before")
    @classmethod
    def _read_files(cls, values: dict[str, Any]) -> dict[str, Any]:
        values = dict(values)
        for name in cls.from_files:
            file = values.pop(f"{name}_file", None)
            if file is not None and values.get(name) is None:
                values[name] = _secret_in(Path(file), f"DEMARCHE_{name.upper()}_FILE")
        return values

    @model_validator(mode="after")
    def _sasl_and_key_are_whole(self) -> Self:
        if self.ssl_keyfile and not self.ssl_certfile:
            raise ValueError("ssl_keyfile needs ssl_certfile")
        if self.security_protocol.startswith("SASL"):
            names = ("sasl_mechanism", "sasl_username", "sasl_password")
            if missing := [name for name in names if getattr(self, name) is None]:
                raise ValueError(f"security_protocol {self.security_protocol} needs {', '.join(missing)}")
        return self


class ServiceSettings(ConnectionSettings):
    """Settings of one service; subclasses add what their stage needs and set their own defaults."""

    instance: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]+$", description="Stable name of this replica")] = "0"
    transactional_id: str | None = Field(default=None, description="Default: group and instance")

    metrics_host: str = "127.0.0.1"
    metrics_port: Annotated[int, Field(ge=0, le=65535, description="0: any free port")] = 0
    metrics_port_file: Path | None = Field(default=None, description="The port in use is written here")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    max_poll_records: Positive = Field(default=500, description="Records of one transaction at most")
    slice_records: Positive = Field(default=500, description="Records handed to the transform at once")
    worst_seconds_per_record: Seconds = Field(default=0.05, description="Slowest expected record")
    slice_deadline: Seconds = Field(default=60.0, description="A slice that takes longer ends the process")
    max_poll_interval: Seconds = 300.0
    session_timeout: Seconds = 10.0
    poll_timeout: Seconds = 0.25
    transaction_timeout: Seconds = 60.0
    commit_deadline: Seconds = Field(default=90.0, description="A commit or abort that takes longer ends the process")
    stop_deadline: Seconds = Field(default=8.0, description="From SIGTERM to a forced exit")
    max_record_bytes: Positive = Field(default=2 * 1024 * 1024, description="Larger records become dead letters")

    breaker: bool = True
    breaker_ratio: Annotated[float, Field(gt=0, le=1)] = 0.2
    breaker_minimum: Positive = 50
    breaker_in_a_row: Positive = 50

    @model_validator(mode="after")
    def _window_fits_poll_interval(self) -> Self:
        worst = self.max_poll_records * self.worst_seconds_per_record
        if worst >= self.max_poll_interval / 3:
            raise ValueError(
                f"max_poll_records {self.max_poll_records} x worst_seconds_per_record "
                f"{self.worst_seconds_per_record:g} = {worst:g} s is not below a third of max_poll_interval "
                f"{self.max_poll_interval:g} s: the group would drop this service in mid-window"
            )
        slowest = min(self.slice_records, self.max_poll_records) * self.worst_seconds_per_record
        if slowest >= self.slice_deadline:
            raise ValueError(f"slice_deadline must be longer than a slice may take, {slowest:g} s")
        if self.commit_deadline <= self.transaction_timeout:
            raise ValueError("commit_deadline must be longer than transaction_timeout")
        return self


S = TypeVar("S", bound=BaseSettings)


def load_settings(kind: type[S], **given: Any) -> S:
    """Settings from the environment, `given` ones first; exits with code 2 and one line on stderr that names what is
    broken."""
    try:
        return kind(**given)
    except ValidationError as error:
        told = describe(error)
    except SettingsError as error:
        told = f"{error}: lists are written as JSON"
    sys.stderr.write(f"demarche: broken setting: {told}\n")
    raise SystemExit(EXIT_BROKEN_SETTING)


def _secret_in(file: Path, setting: str) -> str:
    """The file's text without the end of its last line."""
    try:
        secret = file.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{setting}: {getattr(error, 'strerror', None) or 'no text'}: {file}") from None
    if not secret:
        raise ValueError(f"{setting}: nothing in {file}")
    return secret


def describe(error: ValidationError) -> str:
    """One line that names each wrong variable and why; values are left out, they may be secrets."""
    parts = []
    for item in error.errors(include_url=False, include_input=False):
        name = "_".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        parts.append(f"DEMARCHE_{name.upper()}: {message}" if name else message)
    return "; ".join(parts)
