"""Measure the ranges of the encoder's activations on training sentences: fixed scales for int8."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper
from safetensors.numpy import load_file

from services.classify.batching import plan_batches
from services.classify.features import encode, load_tokenizer, pad
from services.classify.onnxfile import QUANTIZED, fill_weights, quantized_inputs

BUDGET = 2048


def measure_ranges(folder: Path, sentences: Sequence[tuple[str, str]], threads: int) -> dict[str, tuple[float, float]]:
    """Lowest and highest value of every activation that int8 will hold, over (context, sentence) texts."""
    model = onnx.load_from_string(
        fill_weights(folder / f"{QUANTIZED}.graph.onnx", load_file(folder / "model.safetensors"))
    )
    names = quantized_inputs(model)
    known = {output.name for output in model.graph.output}
    model.graph.output.extend(helper.make_tensor_value_info(n, 1, None) for n in names if n not in known)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    encoded = encode(load_tokenizer(str(folder / "tokenizer.json")), sentences)
    low, high = dict.fromkeys(names, np.inf), dict.fromkeys(names, -np.inf)
    for rows in plan_batches([len(e.ids) for e in encoded], BUDGET):
        arrays = pad([encoded[i] for i in rows])
        real = arrays["attention_mask"].astype(bool)
        inputs = {name: arrays[name] for name in ("input_ids", "attention_mask", "token_type_ids")}
        for name, values in zip(names, session.run(names, inputs), strict=True):
            low[name] = min(low[name], float(values[real].min()))
            high[name] = max(high[name], float(values[real].max()))
    return {name: (round(low[name], 4), round(high[name], 4)) for name in names}
