"""Texts as vectors, by a sentence encoder on this machine or by a server."""
