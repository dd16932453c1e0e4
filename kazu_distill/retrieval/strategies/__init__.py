"""Which examples are shown for a text, a module a way to choose."""
