"""Reading an LLM's answer."""
