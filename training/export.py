"""Write a model folder: weights in fp16 safetensors, tokenizer, configuration and the ONNX graphs without weights."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from services.classify.features import FEATURE_VERSION
from services.classify.model import expected_labels, file_sha256
from services.classify.network import EventNetwork
from services.classify.onnxfile import strip_weights

ENCODER_KEYS = (
    "model_type", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "vocab_size",
    "max_position_embeddings", "type_vocab_size", "hidden_act", "layer_norm_eps",
)  # fmt: skip

NO_GATE = -1e9
"""A gate logit that lets every pair through: what a folder has until its settings are chosen."""


def write_folder(
    network: EventNetwork,
    base: Path,
    out: Path,
    recipe: dict[str, Any],
    counts: dict[str, int],
    threshold: float = 0.5,
) -> None:
    """Write `out`; the version is the first 12 digits of the weights' hash, so it names what it is."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {k: v.detach().to(torch.float16).contiguous() for k, v in network.state_dict().items()}
    save_file(weights, out / "model.safetensors")
    shutil.copyfile(base / "tokenizer.json", out / "tokenizer.json")
    encoder = network.tagger.encoder.config.to_dict()
    sha256 = file_sha256(out / "model.safetensors")
    config = {
        "name": out.name,
        "version": sha256[:12],
        "feature_version": FEATURE_VERSION,
        "labels": expected_labels(),
        "encoder": {key: encoder[key] for key in ENCODER_KEYS},
        "sha256": sha256,
        "event_threshold": threshold,
        "type_thresholds": {},
        "gate_logit": NO_GATE,
        "stance_bias": [0.0, 0.0, 0.0],
        "activation_ranges": {},
        "recipe": recipe,
        "examples": counts,
    }
    (out / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    write_graphs(network, out)


def set_values(folder: Path, **values: Any) -> None:
    """Write settings chosen after training (ModelConfig's fields) into the folder's configuration."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    if unknown := values.keys() - config.keys():
        raise KeyError(f"no such settings: {sorted(unknown)}")
    path.write_text(json.dumps(config | values, indent=1) + "\n")


def write_graphs(network: EventNetwork, out: Path) -> None:
    """Export the parts of the network as ONNX graphs without weights (services/classify/onnxfile.py)."""
    network = network.float().eval()
    for parameter in network.parameters():
        parameter.data = parameter.data.half().float()
    weights = {k: v.numpy() for k, v in network.state_dict().items()}
    ids = torch.ones(2, 7, dtype=torch.long)
    states = network.tagger(ids, ids, ids)[0].detach()
    rows = torch.tensor([0, 1, 1])
    spans = torch.tensor([[1, 2], [2, 2], [3, 3]])
    absent = torch.tensor([[1, 2], [-1, -1], [3, 3]])
    numbers = torch.tensor([0, -1, 2])
    pair = torch.zeros(3, network.pairs.width)
    parts = {
        "tagger": (
            network.tagger,
            (ids, ids, ids),
            {"input_ids": "bt", "attention_mask": "bt", "token_type_ids": "bt"},
            {"states": "bt", "tags": "bt"},
        ),
        "gate": (
            network.gate,
            (states, rows, spans, numbers, numbers.flip(0)),
            {"states": "bt", "mention_sentence": "n", "mention_span": "n", "actor": "p", "recipient": "p"},
            {"pair": "p", "gate": "p"},
        ),
        "pairs": (
            network.pairs,
            (states, ids, pair, rows, absent, absent.flip(0)),
            {"states": "bt", "sentence_mask": "bt", "pair": "p", "sentence": "p", "actor": "p", "recipient": "p"},
            {"event": "p", "mixed": "p"},
        ),
        "details": (
            network.details,
            (states, ids, rows, pair),
            {"states": "bt", "sentence_mask": "bt", "sentence": "k", "mixed": "k"},
            {"attributes": "k", "start": "kt", "end": "kt"},
        ),
    }
    names = {"b": "batch", "t": "tokens", "n": "mentions", "p": "pairs", "k": "events"}
    with tempfile.TemporaryDirectory() as scratch:
        for part, (module, example, inputs, outputs) in parts.items():
            axes = {
                name: {i: names[c] for i, c in enumerate(kinds) if c in names}
                for name, kinds in (inputs | outputs).items()
            }
            full = Path(scratch) / f"{part}.onnx"
            torch.onnx.export(
                module,
                example,
                str(full),
                input_names=list(inputs),
                output_names=list(outputs),
                dynamic_axes=axes,
                opset_version=17,
                dynamo=False,
            )
            strip_weights(full, out / f"{part}.graph.onnx", weights)
