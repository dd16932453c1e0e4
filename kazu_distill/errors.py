"""The errors that a user reads: one line that says what was wrong, where, and what to do."""


class KazuDistillError(Exception):
    """An error of the user's input, configuration or surroundings; a stage prints it as one line and exits with 1."""


class ConfigError(KazuDistillError):
    """A setting is missing, unknown or contradicts another."""


class CorpusError(KazuDistillError):
    """A record of a corpus cannot be read; the message names file, line, document and reason."""
