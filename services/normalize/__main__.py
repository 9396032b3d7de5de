"""Runs normalize: articles.raw → articles.clean."""

import sys

from services.normalize.settings import NormalizeSettings
from services.normalize.transform import normalize
from services.runtime.service import run_service
from services.runtime.settings import load_settings
from services.runtime.window import Stage

if __name__ == "__main__":
    sys.exit(run_service(Stage("normalize", normalize), load_settings(NormalizeSettings)))
