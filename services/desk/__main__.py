"""Runs desk: events.diplomatic → alerts."""

import sys

from services.desk import register
from services.desk.intake import intake
from services.desk.settings import DeskSettings
from services.desk.store import Store
from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage

if __name__ == "__main__":
    settings = load_settings(DeskSettings)
    store = Store(settings.desk_database)
    register.begin(store)
    sys.exit(run_service(Stage("desk", intake(store)), settings))
