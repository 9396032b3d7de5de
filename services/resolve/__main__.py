"""Runs resolve: events.extracted → events.resolved."""

import sys

from services.resolve.settings import ResolveSettings
from services.resolve.transform import resolve
from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage

if __name__ == "__main__":
    sys.exit(run_service(Stage("resolve", resolve), load_settings(ResolveSettings)))
