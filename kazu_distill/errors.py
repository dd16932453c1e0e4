"""The errors that a user reads: one line that says what was wrong, where, and what to do."""


class KazuDistillError(Exception):
    """An error of the user's input, configuration or surroundings; a stage prints it as one line and exits with 1."""


class ConfigError(KazuDistillError):
    """A setting is missing, unknown or contradicts another."""


class CorpusError(KazuDistillError):
    """A record of a corpus cannot be read; the message names file, line, document and reason."""


def require_number(name: str, value: object, *, above: float | None = None, whole: bool = False) -> None:
    """Check a setting that must be a number.

    Args:
        name: the setting's key, for the message.
        value: what it was set to.
        above: what it must be more than.
        whole: whether it must have no fraction.

    Raises:
        ConfigError: it is not.
    """
    is_number = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
    if not is_number or (above is not None and not value > above):  # type: ignore[operator]
        kind = "a whole number" if whole else "a number"
        raise ConfigError(f"{name}={value}: give {kind}{'' if above is None else f' above {above:g}'}")
