"""What tuning leaves: a folder with an adapter, a folder with a whole model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from kazu_distill.base_llm.adapters import SHAPE_FILE, shape_of
from kazu_distill.base_llm.settings import Described
from kazu_distill.tuning.training import Tuned

_ARGUMENTS = "training_args.bin"  # the Trainer's, pickled; ours are in training.yaml


def save_adapter(tuned: Tuned, described: Described, folder: Path) -> None:
    """Write the adapter with all that it is used with; every one of several processes must call it."""
    _save(tuned, described, folder)
    if tuned.trainer.is_world_process_zero():
        shape = json.dumps(shape_of(described.config), indent=2)
        (folder / SHAPE_FILE).write_text(shape + "\n", encoding="utf-8")


def save_whole(tuned: Tuned, described: Described, folder: Path) -> None:
    """Write a model all of whose weights were tuned; every one of several processes must call it."""
    if not tuned.trainer.is_fsdp_enabled:
        model: Any = tuned.trainer.model
        model.to(described.dtype)
    _save(tuned, described, folder)


def merge(adapter: Path, tuned_on: Described, folder: Path) -> None:
    """Write a model with an adapter's weights added to its own, which any program loads that knows the model.

    It is done on the CPU, with the base's weights in the precision in which they are used and not in 4 bits.

    Args:
        adapter: the folder of the adapter.
        tuned_on: the model that it is for.
        folder: for the model.
    """
    settings = replace(
        tuned_on.settings, adapter=str(adapter), load_in_4bit=False, chat_template=None, device="cpu", precision="fp32"
    )
    described = replace(settings.describe(), dtype=tuned_on.dtype)
    model = described.load().merge_and_unload()
    _finish(model, described)
    model.save_pretrained(folder)
    described.form.tokenizer.save_pretrained(folder)


def _save(tuned: Tuned, described: Described, folder: Path) -> None:
    trainer = tuned.trainer
    model: Any = trainer.accelerator.unwrap_model(trainer.model)
    _finish(model, described)
    trainer.save_model(str(folder))
    if trainer.is_world_process_zero():
        (folder / _ARGUMENTS).unlink(missing_ok=True)
        described.form.tokenizer.save_pretrained(folder)
        model.generation_config.save_pretrained(folder)


def _finish(model: Any, described: Described) -> None:
    """Have a model stop where an answer ends, whoever runs it, and take the likeliest token."""
    settings = model.generation_config
    settings.eos_token_id = described.form.end
    settings.pad_token_id = described.form.tokenizer.pad_token_id
    settings.do_sample, settings.temperature, settings.top_p, settings.top_k = False, None, None, None
