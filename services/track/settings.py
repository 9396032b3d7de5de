"""Settings of track."""

from __future__ import annotations

from services.runtime.settings import Positive, ServiceSettings
from services.track.transform import STANCE_DAYS, WINDOW_DAYS


class TrackSettings(ServiceSettings):
    """Windows are days of publication time, counted back from the latest article seen on a partition."""

    track_window_days: Positive = WINDOW_DAYS
    track_stance_days: Positive = STANCE_DAYS
