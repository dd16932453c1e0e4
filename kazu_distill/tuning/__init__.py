"""Tuning an open LLM: instruction data to an adapter, or to a model of its own."""
