"""Runs classify: articles.clean → events.extracted."""

import sys

from services.classify.model import ModelError, load_model
from services.classify.settings import ClassifySettings
from services.classify.transform import BatchSize, Classifier
from services.runtime.metrics import Metrics
from services.runtime.service import run_service
from services.runtime.settings import EXIT_BROKEN_SETTING, load_settings
from services.runtime.window import Stage


def main() -> int:
    """Loads the model, then runs; the service's exit code."""
    settings = load_settings(ClassifySettings)
    metrics = Metrics("classify")
    try:
        model = load_model(settings.model, settings.backend, settings.threads)
    except ModelError as error:
        sys.stderr.write(f"demarche: broken setting: DEMARCHE_MODEL: {error}\n")
        return EXIT_BROKEN_SETTING
    metrics.model(model.info, type(model.backend).__name__)

    def on_batch(size: BatchSize) -> None:
        metrics.batch(size.records, size.real_tokens, size.padding_tokens)

    classifier = Classifier(
        model, settings.batch_tokens, timer=lambda step: metrics.phase(step).time(), on_batch=on_batch
    )
    return run_service(Stage("classify", classifier.classify), settings, metrics)


if __name__ == "__main__":
    sys.exit(main())
