"""Finding the places in a text that an LLM's mentions mean."""
