"""Distil an LLM's knowledge of biomedical entities into a small, fast tagger."""

__version__ = "0.1.0"
