"""Cutting long texts."""
