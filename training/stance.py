"""The five-way stance between two sides (positive or negative, one way or the other, or neutral): reading and bias."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from schemas.codebook import TONES
from services.classify.model import EventModel
from services.classify.pairs import PairQuestion, classify_pairs
from training.examples import STANCES, Example

STEPS = np.arange(-1.5, 1.51, 0.25)
POSITIVE, NEGATIVE, NEUTRAL = (TONES.index(t) for t in ("positive", "negative", "neutral"))
Floats = npt.NDArray[np.float64]


def macro_f1(pairs: Sequence[tuple[str, str]]) -> tuple[float, dict[str, tuple[float, float, float, int]]]:
    """Of (gold, predicted): macro-F1 over the gold labels, {label: (precision, recall, F1, gold count)}."""
    per = {}
    for label in sorted({g for g, _ in pairs}):
        hit = sum(g == p == label for g, p in pairs)
        predicted, wanted = sum(p == label for _, p in pairs), sum(g == label for g, _ in pairs)
        precision, recall = hit / predicted if predicted else 0.0, hit / wanted
        per[label] = (precision, recall, 2 * hit / (predicted + wanted), wanted)
    return sum(v[2] for v in per.values()) / len(per), per


def joint_stance(there: Floats, back: Floats) -> list[str]:
    """The most probable joint reading of both directions: tone probabilities [N, 3] of p toward q and of q toward p."""
    names = list(STANCES)
    joint = np.stack([there[:, TONES.index(STANCES[n][0])] * back[:, TONES.index(STANCES[n][1])] for n in names], 1)
    return [names[i] for i in joint.argmax(1)]


def tones_both_ways(model: EventModel, rows: Sequence[tuple[str, str, str]]) -> tuple[Floats, Floats]:
    """Tone probabilities [N, 3], in the order of TONES, of p toward q and of q toward p, of (bracketed text, p, q)."""

    def scores(questions: list[PairQuestion]) -> Floats:
        return np.array([[answer.tone_scores[t] for t in TONES] for answer in classify_pairs(model, questions)])

    there = [PairQuestion(id=i, text=text, source=p, target=q) for i, (text, p, q) in enumerate(rows)]
    back = [PairQuestion(id=i, text=text, source=q, target=p) for i, (text, p, q) in enumerate(rows)]
    return scores(there), scores(back)


def _bracketed(example: Example) -> tuple[str, str, str]:
    """The sentence with brackets around its two sides, and their words."""
    text = example.sentence
    (_, a, b), (_, c, d) = (side for side in (example.pairs[0].actor, example.pairs[0].recipient) if side)
    marked = f"{text[:a]}[{text[a:b]}]{text[b:c]}[{text[c:d]}]{text[d:]}"
    return marked, text[a:b], text[c:d]


def choose_bias(model: EventModel, held: Sequence[Example]) -> tuple[float, float, float]:
    """What to add to the stance logits (in the order of TONES) for the best five-way macro-F1 on held-out rows.

    The network is trained on tones of events too, most of which are not neutral, and leans that way.
    """
    there, back = tones_both_ways(model, [_bracketed(example) for example in held])
    names = {tones: name for name, tones in STANCES.items()}
    gold = [names[TONES[e.pairs[0].stance or 0], TONES[e.pairs[1].stance or 0]] for e in held]
    start = np.array(model.config.stance_bias)
    values = {}
    for positive, negative in itertools.product(STEPS, STEPS):
        bias = np.zeros(len(TONES))
        bias[[POSITIVE, NEGATIVE]] = positive, negative
        turned = [p * np.exp(bias - start) / (p * np.exp(bias - start)).sum(-1, keepdims=True) for p in (there, back)]
        values[positive, negative] = macro_f1(list(zip(gold, joint_stance(*turned), strict=True)))[0]
    # A single best cell of a few hundred rows is chance: each counts with its neighbours.
    width = STEPS[1] - STEPS[0]
    near = {
        at: np.mean([v for o, v in values.items() if max(abs(o[0] - at[0]), abs(o[1] - at[1])) <= width * 1.01])
        for at in values
    }
    best = max(near, key=near.__getitem__)
    out = [0.0] * len(TONES)
    out[POSITIVE], out[NEGATIVE] = float(best[0]), float(best[1])
    return out[0], out[1], out[2]
