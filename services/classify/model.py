"""Load a model folder and run it: one small interface, two backends (onnx int8 on CPU, torch)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict
from tokenizers import Tokenizer

from schemas.codebook import CLAIMS, EVENT_TYPES, PEACES, TIMINGS, TONES
from schemas.records import ModelInfo
from services.classify.features import FEATURE_VERSION, TAG_LAYERS, load_tokenizer

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
BackendName = Literal["auto", "onnx", "torch"]


class ModelError(RuntimeError):
    """The model folder cannot be used; the message says what to do."""


class ModelConfig(BaseModel):
    """config.json of a model folder: what the weights were trained for, checked at load."""

    model_config = ConfigDict(frozen=True)

    name: str
    version: str
    feature_version: int
    labels: dict[str, list[str]]
    encoder: dict[str, Any]
    sha256: str
    event_threshold: float
    type_thresholds: dict[str, float]
    gate_logit: float
    stance_bias: tuple[float, float, float]
    activation_ranges: dict[str, tuple[float, float]]


def expected_labels() -> dict[str, list[str]]:
    """The label lists, in the order of the network's outputs, that this code decodes."""
    return {
        "types": list(EVENT_TYPES),
        "claim": list(CLAIMS),
        "timing": list(TIMINGS),
        "tone": list(TONES),
        "peace": list(PEACES),
        "tags": list(TAG_LAYERS),
    }


class Backend(Protocol):
    """Runs the parts of the network on numpy arrays (shapes: services/classify/network.py)."""

    def encode(self, batch: dict[str, Ints]) -> tuple[Floats, Floats]:
        """Arrays of features.pad → token states [B, T, H] and tag logits [B, T, 12]."""

    def pair_vectors(
        self, states: Floats, mention_sentence: Ints, mention_span: Ints, actor: Ints, recipient: Ints
    ) -> tuple[Floats, Floats]:
        """States, N mentions and P pairs of them → pair vectors [P, W] and gate logits [P]."""

    def score_pairs(
        self, states: Floats, sentence_mask: Ints, pair: Floats, sentence: Ints, actor: Ints, recipient: Ints
    ) -> tuple[Floats, Floats]:
        """States and P pair vectors with their sides' spans → event logits [P, 18] and findings [P, 18, W]."""

    def details(
        self, states: Floats, sentence_mask: Ints, sentence: Ints, mixed: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """States and K findings [K, W] → attributes [K, 15], quote start and end logits [K, T]."""


class TorchBackend:
    """torch on CPU in fp32, or on CUDA in bf16."""

    def __init__(self, network: Any, device: str = "cpu") -> None:
        import torch

        self._torch = torch
        self._device = device
        self._network = network.to(device).eval()

    def _tensors(self, arrays: Sequence[npt.NDArray[Any]]) -> list[Any]:
        return [self._torch.from_numpy(np.ascontiguousarray(a)).to(self._device) for a in arrays]

    def _run(self, part: Any, arrays: Sequence[npt.NDArray[Any]]) -> list[Floats]:
        torch = self._torch
        with (
            torch.inference_mode(),
            torch.autocast("cuda", dtype=torch.bfloat16, enabled=self._device.startswith("cuda")),
        ):
            return [t.float().cpu().numpy() for t in part(*self._tensors(arrays))]

    def encode(self, batch: dict[str, Ints]) -> tuple[Floats, Floats]:
        """See Backend."""
        states, tags = self._run(
            self._network.tagger, [batch["input_ids"], batch["attention_mask"], batch["token_type_ids"]]
        )
        return states, tags

    def pair_vectors(
        self, states: Floats, mention_sentence: Ints, mention_span: Ints, actor: Ints, recipient: Ints
    ) -> tuple[Floats, Floats]:
        """See Backend."""
        pair, gate = self._run(self._network.gate, [states, mention_sentence, mention_span, actor, recipient])
        return pair, gate

    def score_pairs(
        self, states: Floats, sentence_mask: Ints, pair: Floats, sentence: Ints, actor: Ints, recipient: Ints
    ) -> tuple[Floats, Floats]:
        """See Backend."""
        event, mixed = self._run(self._network.pairs, [states, sentence_mask, pair, sentence, actor, recipient])
        return event, mixed

    def details(
        self, states: Floats, sentence_mask: Ints, sentence: Ints, mixed: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """See Backend."""
        attributes, start, end = self._run(self._network.details, [states, sentence_mask, sentence, mixed])
        return attributes, start, end


class OnnxBackend:
    """ONNX Runtime on CPU: the encoder's matrices in int8, the heads in fp32. `graphs` as in onnxfile.GRAPHS."""

    def __init__(self, graphs: Sequence[Path], threads: int) -> None:
        import onnxruntime

        # The library would report usage to its maker; a monitoring desk's machine talks to nobody unasked.
        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Each graph has threads of its own: were they to spin between calls, they would take the cores from the others.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        self._tagger, self._gate, self._pairs, self._details = (
            onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"]) for path in graphs
        )

    def encode(self, batch: dict[str, Ints]) -> tuple[Floats, Floats]:
        """See Backend."""
        states, tags = _run(self._tagger, batch["input_ids"], batch["attention_mask"], batch["token_type_ids"])
        return states, tags

    def pair_vectors(
        self, states: Floats, mention_sentence: Ints, mention_span: Ints, actor: Ints, recipient: Ints
    ) -> tuple[Floats, Floats]:
        """See Backend."""
        pair, gate = _run(self._gate, states, mention_sentence, mention_span, actor, recipient)
        return pair, gate

    def score_pairs(
        self, states: Floats, sentence_mask: Ints, pair: Floats, sentence: Ints, actor: Ints, recipient: Ints
    ) -> tuple[Floats, Floats]:
        """See Backend."""
        event, mixed = _run(self._pairs, states, sentence_mask, pair, sentence, actor, recipient)
        return event, mixed

    def details(
        self, states: Floats, sentence_mask: Ints, sentence: Ints, mixed: Floats
    ) -> tuple[Floats, Floats, Floats]:
        """See Backend."""
        attributes, start, end = _run(self._details, states, sentence_mask, sentence, mixed)
        return attributes, start, end


def _run(session: Any, *arrays: npt.NDArray[Any]) -> list[Floats]:
    """All outputs of a graph on its inputs, in the order of its export."""
    names = [given.name for given in session.get_inputs()]
    outputs: list[Floats] = session.run(None, dict(zip(names, arrays, strict=True)))
    return outputs


class EventModel:
    """A loaded model: configuration, tokenizer and a backend."""

    def __init__(self, config: ModelConfig, tokenizer: Tokenizer, backend: Backend) -> None:
        self.config = config
        self.tokenizer = tokenizer
        self.backend = backend
        self.info = ModelInfo(name=config.name, version=config.version, sha256=config.sha256)


def file_sha256(path: Path) -> str:
    """Hex SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_config(path: Path) -> ModelConfig:
    """config.json of a model folder, checked against this code and the weights' hash.

    Raises ModelError when the folder is incomplete, was trained for other labels or features, or its weights changed.
    """
    try:
        config = ModelConfig.model_validate_json((path / "config.json").read_bytes())
    except (OSError, ValueError) as error:
        raise ModelError(f"no usable config.json in {path}: {error}; point DEMARCHE_MODEL at a model folder") from error
    if config.feature_version != FEATURE_VERSION or config.labels != expected_labels():
        raise ModelError(f"{path} was trained for other labels or features than this version; train again or get both")
    if not (path / "model.safetensors").is_file() or file_sha256(path / "model.safetensors") != config.sha256:
        raise ModelError(f"model.safetensors in {path} is missing or not the one config.json names; fetch it again")
    return config


def load_network(path: Path, config: ModelConfig) -> Any:
    """The torch network with the weights of a model folder, in fp32."""
    from safetensors.torch import load_file

    from services.classify.network import build_network

    network = build_network(config.encoder)
    network.load_state_dict({k: v.float() for k, v in load_file(path / "model.safetensors").items()})
    return network.eval()


def load_model(path: Path, backend: BackendName = "auto", threads: int = 2) -> EventModel:
    """Load a model folder. `auto` takes torch where CUDA is at hand, else onnx.

    Raises ModelError when the folder does not fit this code.
    """
    config = read_config(path)
    tokenizer = load_tokenizer(str(path / "tokenizer.json"))
    if backend == "onnx":
        return EventModel(config, tokenizer, _onnx(path, config, threads))
    if backend == "auto":
        try:
            import torch
        except ImportError:
            return EventModel(config, tokenizer, _onnx(path, config, threads))
        if not torch.cuda.is_available():
            return EventModel(config, tokenizer, _onnx(path, config, threads))
    import torch

    torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    return EventModel(config, tokenizer, TorchBackend(load_network(path, config), device))


def _onnx(path: Path, config: ModelConfig, threads: int) -> OnnxBackend:
    from services.classify.onnxfile import quantized_graphs

    return OnnxBackend(quantized_graphs(path, config.sha256, config.activation_ranges), threads)
