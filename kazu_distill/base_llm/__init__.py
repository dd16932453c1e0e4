"""An open LLM on this machine: its settings, its memory, its chat form, and how it generates."""
