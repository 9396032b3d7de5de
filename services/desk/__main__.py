"""Runs desk: events.diplomatic → alerts, the database, the page and its API, webhooks, analysts' corrections."""

import math
import sys
from collections.abc import Callable

from services.desk import feedback, outbox, register
from services.desk.courier import Courier
from services.desk.intake import intake
from services.desk.migrations import NewerSchema
from services.desk.rounds import IDLE_SECONDS, Rounds
from services.desk.server import DeskServer
from services.desk.settings import DeskSettings
from services.desk.store import Store, StoreTrouble
from services.runtime.letters import LetterBox, dead_letters_of
from services.runtime.metrics import Metrics
from services.runtime.service import EXIT_TROUBLE, run_service
from services.runtime.settings import EXIT_BROKEN_SETTING, load_settings
from services.runtime.window import Stage


def counted(count: Callable[[Store], int], store: Store) -> float:
    """What `count` finds; not a number while the database is away."""
    try:
        return count(store)
    except StoreTrouble:
        return math.nan


def main() -> int:
    """Its exit code, as `run_service` has it."""
    settings = load_settings(DeskSettings)
    try:
        store = Store(settings.desk_database)
        register.begin(store)
        server = DeskServer(settings, store)
    except NewerSchema as error:
        sys.stderr.write(f"demarche: desk cannot start: {error}\n")
        return EXIT_BROKEN_SETTING  # Trying again does not help.
    except OSError as error:
        sys.stderr.write(f"demarche: desk cannot start: {error}\n")
        return EXIT_TROUBLE  # A database or a port may be there the next time.
    metrics = Metrics("desk")
    metrics.desk(
        lambda: server.bulletin.readers, lambda: server.bulletin.behind, lambda: counted(outbox.waiting, store)
    )
    metrics.feedback(lambda: counted(feedback.waiting, store))
    with (
        server,
        LetterBox(dead_letters_of("desk"), settings) as letters,
        Courier(store, settings, metrics.webhook_call, letters.write),
        LetterBox(feedback.TOPIC, settings) as corrections,
        Rounds("feedback", [(lambda: feedback.send(store, corrections.write, metrics.corrected), IDLE_SECONDS)]),
    ):
        return run_service(Stage("desk", intake(store)), settings, metrics)


if __name__ == "__main__":
    sys.exit(main())
