"""Data to tune an LLM with, out of labelled documents; and documents out of what a tuned LLM answers."""
