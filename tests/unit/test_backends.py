from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from safetensors.numpy import load_file

from services.classify.features import encode, pad
from services.classify.model import (
    EventModel,
    ModelError,
    OnnxBackend,
    TorchBackend,
    load_model,
    load_network,
    read_config,
)
from services.classify.onnxfile import GRAPHS, fill_weights
from services.classify.pairs import PairQuestion, classify_pairs

MODEL = Path(__file__).parents[2] / "models" / "events-minilm"
TEXTS = [
    ("Norway's prime minister praised Kenya for hosting the talks.", "Norway's prime minister", "Kenya"),
    ("Rebels of the M23 shelled an army post near Sake at dawn.", "Rebels of the M23", "an army post"),
    ("Peru expelled two Bolivian diplomats on Thursday.", "Peru", "two Bolivian diplomats"),
    ("The Thai navy rescued forty Rohingya from a sinking boat and gave them food.", "The Thai navy", "forty Rohingya"),
    ("Doha will host a new round between the two delegations next week.", "Doha", "the two delegations"),
    ("Students marched through Tbilisi against the foreign agents law.", "Students", "the foreign agents law"),
    ("Brussels threatened Budapest with the loss of its vote.", "Brussels", "Budapest"),
    ("The general refused to meet the regional envoy.", "The general", "the regional envoy"),
    ("Manila accused Beijing of ramming a supply boat.", "Manila", "Beijing"),
    ("Chad asked France for spare parts.", "Chad", "France"),
]


@pytest.fixture(scope="module")
def models() -> tuple[EventModel, EventModel]:
    return load_model(MODEL, "onnx", 2), load_model(MODEL, "torch", 2)


def test_the_onnx_graphs_hold_the_same_network_as_torch(tmp_path: Path) -> None:
    weights = load_file(MODEL / "model.safetensors")
    for part in GRAPHS:
        (tmp_path / f"{part}.onnx").write_bytes(fill_weights(MODEL / f"{part}.graph.onnx", weights))
    plain = OnnxBackend([tmp_path / f"{part}.onnx" for part in GRAPHS], 2)
    model = load_model(MODEL, "torch", 2)
    batch = pad(encode(model.tokenizer, [("", t) for t, _, _ in TEXTS]))
    states, tags = model.backend.encode(batch)
    onnx_states, onnx_tags = plain.encode(batch)
    real = batch["attention_mask"].astype(bool)
    np.testing.assert_allclose(onnx_states[real], states[real], atol=2e-3)
    np.testing.assert_allclose(onnx_tags[real], tags[real], atol=2e-3)
    sides = (
        np.array([0, 0, 3, 3]),
        np.array([[1, 3], [5, 5], [1, 2], [4, 6]]),
        np.array([0, 2, -1]),
        np.array([1, -1, 3]),
    )
    ours, theirs = model.backend.pair_vectors(states, *sides), plain.pair_vectors(states, *sides)
    for left, right in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(right, left, atol=2e-3)
    spans = (np.array([[1, 3], [1, 2], [-1, -1]]), np.array([[5, 5], [-1, -1], [4, 6]]))
    pairs = (batch["sentence_mask"], ours[0], np.array([0, 3, 3]), *spans)
    ours, theirs = model.backend.score_pairs(states, *pairs), plain.score_pairs(states, *pairs)
    for left, right in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(right, left, atol=2e-3)
    chosen = (batch["sentence_mask"], np.array([0, 3]), ours[1][[0, 1], [4, 9]])
    for left, right in zip(model.backend.details(states, *chosen), plain.details(states, *chosen), strict=True):
        np.testing.assert_allclose(right, left, atol=2e-3)


def test_int8_and_fp32_choose_the_same_types(models: tuple[EventModel, EventModel]) -> None:
    questions = [PairQuestion(id=i, text=t, source=s, target=r) for i, (t, s, r) in enumerate(TEXTS)]
    onnx, torch = (classify_pairs(m, questions) for m in models)
    assert sum(a.type == b.type for a, b in zip(onnx, torch, strict=True)) >= 9
    for a, b in zip(onnx, torch, strict=True):
        assert abs(a.scores[b.type] - b.scores[b.type]) < 0.25


def test_results_do_not_depend_on_batch_company(models: tuple[EventModel, EventModel]) -> None:
    model = models[1]
    questions = [PairQuestion(id=i, text=t, source=s, target=r) for i, (t, s, r) in enumerate(TEXTS)]
    alone = [classify_pairs(model, [q])[0] for q in questions]
    for one, other in zip(alone, classify_pairs(model, questions), strict=True):
        assert one.type == other.type
        assert abs(one.event_score - other.event_score) < 1e-3


def test_int8_says_the_same_of_a_sentence_to_the_last_bit_in_any_company(models: tuple[EventModel, EventModel]) -> None:
    backend = models[0].backend
    encoded = encode(models[0].tokenizer, [("", t) for t, _, _ in TEXTS])
    states, tags = backend.encode(pad(encoded))
    for row, one in enumerate(encoded):
        own_states, own_tags = backend.encode(pad([one]))
        np.testing.assert_array_equal(states[row, : len(one.ids)], own_states[0])
        np.testing.assert_array_equal(tags[row, : len(one.ids)], own_tags[0])


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    for file in MODEL.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes() + (b"x" if file.suffix == ".safetensors" else b""))
    with pytest.raises(ModelError, match="fetch it again"):
        load_model(tmp_path)


def test_a_missing_folder_names_the_cure(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="DEMARCHE_MODEL"):
        read_config(tmp_path / "nothing")


def test_torch_network_loads_from_the_folder() -> None:
    config = read_config(MODEL)
    assert isinstance(TorchBackend(load_network(MODEL, config)), TorchBackend)
    assert onnxruntime.get_available_providers()
