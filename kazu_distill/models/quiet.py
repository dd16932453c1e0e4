"""Keeps the chatter of the libraries out of what a stage prints."""

from __future__ import annotations

import warnings

import datasets
from huggingface_hub.utils import logging as hub_logging
from transformers.utils import logging


def quieten_libraries() -> None:
    """Show no progress bars of loading and saving, of their log messages errors only, and nothing of their plans."""
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"(transformers|peft|accelerate)\.")
    datasets.disable_progress_bars()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    hub_logging.set_verbosity_error()  # type: ignore[no-untyped-call]  # it tells of every attempt to reach the hub, twice
