"""The entity classes, and ``python -m kazu_distill.schema``, which proposes some for free types."""

from kazu_distill.schema.classes import AskFor, EntityClass, Schema, fold_type

__all__ = ["AskFor", "EntityClass", "Schema", "fold_type"]
