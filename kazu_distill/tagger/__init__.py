"""The small model: words, label scheme, windows, training, decoding and prediction."""

import os

# Operations that Apple's GPU lacks run on the CPU instead of failing; torch reads this once, when it is imported.
os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
