"""Settings of classify."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from services.runtime.settings import Positive, Seconds, ServiceSettings

MODEL = Path(__file__).parents[2] / "models" / "events-minilm"


class ClassifySettings(ServiceSettings):
    """`model` is a folder that training/ writes; `backend` auto takes torch where CUDA is at hand, else onnx."""

    model: Path = MODEL
    backend: Literal["auto", "onnx", "torch"] = "auto"
    threads: Positive = 2
    batch_tokens: Positive = 1024

    max_poll_records: Positive = 32
    slice_records: Positive = 16
    worst_seconds_per_record: Seconds = 3.0
