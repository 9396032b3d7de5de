"""Runs track: events.resolved → events.diplomatic, its state on track.state."""

import sys

from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage
from services.track.settings import TrackSettings
from services.track.transform import Tracker

if __name__ == "__main__":
    settings = load_settings(TrackSettings)
    tracker = Tracker(settings.track_window_days, settings.track_stance_days)
    sys.exit(run_service(Stage("track", tracker.track, state=tracker), settings))
