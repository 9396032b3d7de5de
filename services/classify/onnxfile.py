"""ONNX graphs of a model folder: stored without weights, filled from model.safetensors, quantised once and cached.

One file of weights serves both backends. A graph's large initialisers are empty and carry in their doc_string the name
of the tensor in model.safetensors, followed by "^T" where the graph holds it transposed.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from services import PIPELINE_VERSION

SMALL = 256
TRANSPOSED = "^T"
GRAPHS = ("tagger", "pairs", "details")
QUANTIZED = "tagger"


def strip_weights(source: Path, target: Path, weights: dict[str, npt.NDArray[np.float32]]) -> None:
    """Write `source` to `target` with every large initialiser emptied and named after the equal tensor of `weights`.

    Raises KeyError when an initialiser equals none of them.
    """
    import onnx
    from onnx import numpy_helper

    model = onnx.load(str(source))
    for tensor in model.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.size < SMALL or values.dtype != np.float32:
            continue
        for name, candidate in weights.items():
            if values.size == candidate.size and np.array_equal(values.ravel(), candidate.ravel()):
                tensor.doc_string = name
                break
            if values.ndim == 2 and values.shape == candidate.T.shape and np.array_equal(values, candidate.T):
                tensor.doc_string = name + TRANSPOSED
                break
        else:
            raise KeyError(f"{tensor.name} {values.shape} is none of the weights")
        tensor.ClearField("raw_data")
    onnx.save(model, str(target))


def fill_weights(graph: Path, weights: dict[str, npt.NDArray[np.float16]]) -> bytes:
    """The ONNX model of a stripped graph with its weights put back, in fp32."""
    import onnx

    model = onnx.load(str(graph))
    for tensor in model.graph.initializer:
        if tensor.doc_string:
            values = weights[tensor.doc_string.removesuffix(TRANSPOSED)].astype(np.float32)
            if tensor.doc_string.endswith(TRANSPOSED):
                values = values.T
            tensor.raw_data = np.ascontiguousarray(values).tobytes()
            tensor.doc_string = ""
    result: bytes = model.SerializeToString()
    return result


def cache_folder() -> Path:
    """Where finished graphs are kept: DEMARCHE_CACHE, else the user's cache folder, else a temporary one."""
    named = os.environ.get("DEMARCHE_CACHE")
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "demarche"
    try:
        base.mkdir(parents=True, exist_ok=True)
        if os.access(base, os.W_OK):
            return base
    except OSError:
        pass
    return Path(tempfile.mkdtemp(prefix="demarche-"))


def quantized_graphs(folder: Path, sha256: str) -> list[Path]:
    """Paths of the int8 tagger and the fp32 heads of a model folder (GRAPHS), made on first use (a few seconds)."""
    kept = cache_folder() / f"{PIPELINE_VERSION}-{sha256[:16]}"
    paths = [kept / f"{name}.onnx" for name in GRAPHS]
    if all(path.is_file() for path in paths):
        return paths
    from onnxruntime.quantization import QuantType, quantize_dynamic
    from safetensors.numpy import load_file

    kept.mkdir(parents=True, exist_ok=True)
    weights = load_file(folder / "model.safetensors")
    with tempfile.TemporaryDirectory(dir=kept) as scratch:
        for name, path in zip(GRAPHS, paths, strict=True):
            made = Path(scratch) / path.name
            made.write_bytes(fill_weights(folder / f"{name}.graph.onnx", weights))
            if name == QUANTIZED:
                plain = made.rename(Path(scratch) / "plain.onnx")
                quantize_dynamic(
                    plain, made, op_types_to_quantize=["MatMul"], per_channel=True, weight_type=QuantType.QInt8
                )
            os.replace(made, path)
    return paths
