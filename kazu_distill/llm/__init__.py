"""Asking large language models: one protocol, a module per provider, an answer store, retries and prices."""
