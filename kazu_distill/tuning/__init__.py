"""Tuning an LLM on instruction data: rows of tokens, adapter, training, and extraction on held-out documents."""
