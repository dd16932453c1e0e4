"""Distil an LLM's knowledge of biomedical entities into a small, fast tagger."""

import os

__version__ = "0.1.0"

# Operations that Apple's GPU lacks run on the CPU instead of failing. torch reads this when it is imported, and several
# of our dependencies import it, so it is set before any of them.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
