"""How well predicted documents agree with gold ones."""
