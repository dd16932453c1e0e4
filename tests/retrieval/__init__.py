"""Examples and background for a text."""
