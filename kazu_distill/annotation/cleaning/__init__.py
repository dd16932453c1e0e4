"""Keeping, mending and dropping grounded spans, by rules."""
