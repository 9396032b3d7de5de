"""Runs track: events.resolved → events.diplomatic."""

import sys

from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage
from services.track.settings import TrackSettings
from services.track.transform import track

if __name__ == "__main__":
    sys.exit(run_service(Stage("track", track), load_settings(TrackSettings)))
