"""What every stage's entry shares: where the configuration is found, and how errors reach the user."""

from __future__ import annotations

import errno
import functools
import logging
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hydra
from hydra.core.config_search_path import ConfigSearchPath
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import InstantiationException
from hydra.plugins.search_path_plugin import SearchPathPlugin
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import InterpolationResolutionError, MissingMandatoryValue

from kazu_distill.document_files import atomic_writer
from kazu_distill.errors import ConfigError, KazuDistillError

_log = logging.getLogger(__name__)
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
Stage = Callable[[DictConfig], int | None]


class UnusableFile(KazuDistillError):
    """A file or folder cannot be read or written."""


def stage_main(
    *, config_name: str, literal: str | None = None, actions: Sequence[str] = ()
) -> Callable[[Stage], Callable[[], None]]:
    """Make a function of a composed configuration into a stage's command.

    The command takes Hydra's arguments. ``--config-path`` is relative to the working directory; groups and files that
    the user's folder lacks come from the configuration that ships with the program. Errors that the user can do
    something about become one line on standard error and exit status 1. When the stage is done, its configuration is
    written beside its results; what it returns, if anything, is the exit status.

    Args:
        config_name: the file in ``conf``.
        literal: a key whose value is taken as it stands on the command line, whatever Hydra would make of it.
        actions: what the stage can do, where that is more than one thing; the first word of the command says which,
            and the configuration has it under ``action``.
    """

    def decorate(run: Stage) -> Callable[[], None]:
        @functools.wraps(run)
        def guarded(config: DictConfig) -> None:
            try:
                if not config.out:
                    raise ConfigError("out is not set: add out=FOLDER to the command")
                _give_own_folder(config)
                Path(config.out).mkdir(parents=True, exist_ok=True)
                status = run(config)
                save_config(config, Path(config.out) / "config.yaml")
            except Exception as error:
                ours = _user_error(error)
                if ours is None:
                    raise
                _log.debug("the error's origin", exc_info=error)
                sys.exit(f"{type(ours).__name__}: {ours}")
            if status:
                sys.exit(status)

        def main() -> None:
            logging.raiseExceptions = False  # a log that cannot be written is no reason for pages of tracebacks
            arguments = name_action(sys.argv[1:], actions, stage=config_name)
            sys.argv[1:] = quote_literal(resolve_config_path(arguments), literal)
            Plugins.instance().register(_ShippedConfig)
            try:
                hydra.main(version_base="1.3", config_path=str(shipped_config()), config_name=config_name)(guarded)()
            except KeyboardInterrupt:
                sys.exit("Stopped before the end. Run the same command again; answers of an LLM are not asked twice.")

        return main

    return decorate


@dataclass(frozen=True, slots=True)
class Sweep:
    """What a job knows of the sweep (``-m``) that it is a part of.

    Args:
        folder: in which each job has a folder of its own.
        begun: when it began, in seconds of the epoch; 0 where that is not known.
        settings: the ``key=value`` of this job.
    """

    folder: Path
    begun: float
    settings: tuple[str, ...]


def current_sweep() -> Sweep | None:
    """The sweep that is going on; None if a stage is run once."""
    hydra_config = HydraConfig.get()
    if hydra_config.mode is not RunMode.MULTIRUN:
        return None
    folder = Path(hydra_config.sweep.dir)
    record = folder / "multirun.yaml"  # which Hydra writes before the first job
    begun = record.stat().st_mtime if record.is_file() else 0.0
    return Sweep(folder, begun, tuple(hydra_config.overrides.task))


def _give_own_folder(config: DictConfig) -> None:
    """Let a job of a sweep write into a folder of its own below ``out``, so that no other overwrites its results.

    An ``out`` that is made of other settings, as that of ``export`` is, tells jobs apart by itself.
    """
    sweep = current_sweep()
    if sweep is not None and not OmegaConf.is_interpolation(config, "out"):
        config.out = str(sweep.folder / str(HydraConfig.get().sweep.subdir))


class _ShippedConfig(SearchPathPlugin):
    """Lets the shipped configuration fill what the user's folder lacks."""

    def manipulate_search_path(self, search_path: ConfigSearchPath) -> None:
        search_path.append("kazu_distill", f"file://{shipped_config()}")


def shipped_config() -> Path:
    """The folder of the configuration that ships with the program: inside the wheel, or at the repository's root."""
    package = Path(__file__).resolve().parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def resolve_config_path(arguments: list[str]) -> list[str]:
    """Make ``--config-path`` absolute.

    Hydra would look for a relative path beside the module. Here it is taken from the working directory; where there
    is no such folder, ``conf`` means the shipped one, so that the same command works from an installed wheel.

    Raises:
        SystemExit: no such folder.
    """
    resolved: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        name, equals, value = argument.partition("=")
        if name not in ("--config-path", "-cp"):
            resolved.append(argument)
            continue
        resolved += ["--config-path", str(_config_folder(value if equals else next(rest, "")))]
    return resolved


def name_action(arguments: list[str], actions: Sequence[str], *, stage: str) -> list[str]:
    """Turn the action that a command begins with into a setting, since Hydra takes nothing else.

    Raises:
        SystemExit: the stage does not have this action.
    """
    if not actions or not arguments or arguments[0].startswith("-") or "=" in arguments[0]:
        return arguments
    first, *rest = arguments
    if first not in actions:
        known = "|".join(actions)
        sys.exit(f"ConfigError: {first}: no such action; say python -m kazu_distill.{stage} {known} [key=value …]")
    # Beside the other settings, wherever they stand: Hydra takes no settings on both sides of an option.
    place = next((n for n, each in enumerate(rest) if "=" in each and not each.startswith("-")), len(rest))
    return [*rest[:place], f"action={first}", *rest[place:]]


def quote_literal(arguments: list[str], key: str | None) -> list[str]:
    """Quote the value of one key for Hydra, to which commas, brackets, quotes and ``${`` mean something."""
    if key is None:
        return arguments
    prefix = f"{key}="
    return [
        prefix + _quoted(argument.removeprefix(prefix)) if argument.startswith(prefix) else argument
        for argument in arguments
    ]


def _quoted(value: str) -> str:
    # In Hydra's quotes a backslash is only special before a quote; ${ would be an interpolation.
    escaped = re.sub(r'(\\*)("|$)', lambda match: match[1] * 2 + ('\\"' if match[2] else ""), value)
    return '"' + escaped.replace("${", r"\${") + '"'


def _config_folder(given: str) -> Path:
    folder = Path(given).expanduser()
    if given and folder.is_dir():
        return folder.resolve()
    if given.rstrip("/") == "conf":
        return shipped_config()
    sys.exit(f"ConfigError: --config-path {given}: no such folder (looked for {folder.absolute()})")


def save_config(config: DictConfig, path: Path) -> None:
    """Write a stage's configuration, with its interpolations resolved.

    What comes from the environment may be a secret, so ``${oc.env:…}`` stays as it was written.
    """
    raw = OmegaConf.to_container(config, resolve=False)
    resolved = OmegaConf.to_container(config, resolve=True, throw_on_missing=False)
    with atomic_writer(path) as file:
        file.write(OmegaConf.to_yaml(OmegaConf.create(_without_environment(raw, resolved))).encode())


def _without_environment(raw: Any, resolved: Any) -> Any:
    if isinstance(raw, str) and "oc.env" in raw:
        return raw
    if isinstance(raw, Mapping) and isinstance(resolved, Mapping):
        return {key: _without_environment(raw[key], resolved[key]) for key in raw}
    if isinstance(raw, list) and isinstance(resolved, list):
        return [_without_environment(*pair) for pair in zip(raw, resolved, strict=True)]
    return resolved


def _user_error(error: BaseException) -> KazuDistillError | None:
    """The error of ours that stands behind an exception; Hydra wraps what is raised while it builds an object."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, KazuDistillError):
            return cause
        if isinstance(cause, MissingMandatoryValue):
            return ConfigError(f"{cause.full_key} is not set: add {cause.full_key}=… to the command")
        if isinstance(cause, OSError) and (cause.filename or cause.errno in _NO_ROOM):
            return UnusableFile(
                f"{cause.filename or 'writing a result'}: {cause.strerror}; choose another place, such as out=…"
            )
        if isinstance(cause, InterpolationResolutionError):
            return ConfigError(f"{cause.full_key}: {str(cause).splitlines()[0]}")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, InstantiationException):  # a value of the wrong kind, or a key that a file should not have
        return ConfigError(" ".join(str(error).split()))
    return None
