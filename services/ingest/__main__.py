"""Runs the service that articles are pushed to: POST /articles → articles.raw."""

import sys

from services.ingest.serve import serve
from services.ingest.settings import IngestSettings
from services.runtime.settings import load_settings

if __name__ == "__main__":
    sys.exit(serve(load_settings(IngestSettings)))
