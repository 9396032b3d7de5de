"""Settings of resolve."""

from __future__ import annotations

from services.runtime.settings import Positive, Seconds, ServiceSettings


class ResolveSettings(ServiceSettings):
    """An article takes milliseconds, a huge one seconds."""

    max_poll_records: Positive = 100
    slice_records: Positive = 20
    worst_seconds_per_record: Seconds = 0.9
