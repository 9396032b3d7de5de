"""ONNX graphs of a model folder: stored without weights, filled from model.safetensors, quantised once and cached.

One file of weights serves both backends. A graph's large initialisers are empty and carry in their doc_string the name
of the tensor in model.safetensors, followed by "^T" where the graph holds it transposed.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from services import PIPELINE_VERSION

SMALL = 256
TRANSPOSED = "^T"
GRAPHS = ("tagger", "gate", "pairs", "details")
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


def quantized_inputs(model: Any) -> list[str]:
    """Names of the activations that meet a matrix of weights in an ONNX model: what int8 needs a range for."""
    weights = {tensor.name for tensor in model.graph.initializer}
    found = [n.input[0] for n in model.graph.node if n.op_type == "MatMul" and n.input[1] in weights]
    return list(dict.fromkeys(found))


def fix_ranges(model: Any, ranges: Mapping[str, tuple[float, float]]) -> None:
    """Give every activation of a dynamically quantised ONNX model its own fixed range, in place.

    Scales that follow the batch would make what is said of a sentence hang on its neighbours. Raises KeyError when an
    activation has no range.
    """
    from onnx import helper, numpy_helper

    graph = model.graph
    constants = {tensor.name for tensor in graph.initializer}
    users: dict[str, list[Any]] = {}
    makers = {output: node for node in graph.node for output in node.output}
    for node in graph.node:
        for name in node.input:
            users.setdefault(name, []).append(node)
    gone: set[str] = set()
    in_place: dict[str, Any] = {}
    for node in graph.node:
        if node.op_type == "DynamicQuantizeLinear":
            low, high = min(0.0, ranges[node.input[0]][0]), max(0.0, ranges[node.input[0]][1])
            scale = (high - low) / 255
            values, scale_name, zero_name = node.output
            graph.initializer.append(numpy_helper.from_array(np.array(scale, dtype=np.float32), scale_name))
            graph.initializer.append(numpy_helper.from_array(np.array(round(-low / scale), dtype=np.uint8), zero_name))
            in_place[node.name] = helper.make_node("QuantizeLinear", [node.input[0], scale_name, zero_name], [values])
        elif node.op_type == "MatMulInteger":
            # MatMulInteger → Cast → Mul by (input's scale × weights' scales) becomes the one operator that does it all.
            (cast,) = users[node.output[0]]
            (rescale,) = users[cast.output[0]]
            (product,) = (makers[name] for name in rescale.input if name != cast.output[0])
            (weight_scale,) = (name for name in product.input if name in constants)
            (input_scale,) = (name for name in product.input if name not in constants)
            gone |= {cast.name, rescale.name, product.name}
            inputs = [*node.input[:2], input_scale, weight_scale, *node.input[2:4]]
            in_place[node.name] = helper.make_node(
                "MatMulIntegerToFloat", inputs, [rescale.output[0]], domain="com.microsoft"
            )
    nodes = [in_place.get(node.name, node) for node in graph.node if node.name not in gone]
    del graph.node[:]
    graph.node.extend(nodes)
    if all(known.domain != "com.microsoft" for known in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))


def quantized_graphs(folder: Path, sha256: str, ranges: Mapping[str, tuple[float, float]]) -> list[Path]:
    """Paths of the int8 tagger and the fp32 heads of a model folder (GRAPHS), made on first use (a few seconds).

    `ranges` are the activations' (training/ranges.py measures them).
    """
    measured = hashlib.sha256(repr(sorted(ranges.items())).encode()).hexdigest()
    kept = cache_folder() / f"{PIPELINE_VERSION}-{sha256[:16]}-{measured[:8]}"
    paths = [kept / f"{name}.onnx" for name in GRAPHS]
    if all(path.is_file() for path in paths):
        return paths
    import onnx
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
                model = onnx.load(str(made))
                fix_ranges(model, ranges)
                onnx.save(model, str(made))
            os.replace(made, path)
    return paths
