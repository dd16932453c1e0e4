"""A schema out of the free types that an LLM gave to mentions."""
