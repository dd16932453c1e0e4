"""Choosing what an LLM is shown beside a text: labelled examples, and passages to know of."""
