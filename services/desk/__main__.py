"""Runs desk: events.diplomatic → alerts."""

import sys

from services.desk.settings import DeskSettings
from services.desk.transform import desk
from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage

if __name__ == "__main__":
    sys.exit(run_service(Stage("desk", desk), load_settings(DeskSettings)))
