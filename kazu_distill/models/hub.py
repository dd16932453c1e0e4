"""Putting a saved model on the Hugging Face Hub."""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled  # type: ignore[attr-defined]

from kazu_distill.errors import ConfigError, KazuDistillError

_log = logging.getLogger(__name__)
_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


class HubError(KazuDistillError):
    """A model could not be put on the Hub."""


def check_repository(name: str) -> None:
    """Check that a name is one that a repository can have.

    Raises:
        ConfigError: it is not.
    """
    if not _REPOSITORY.fullmatch(name):
        raise ConfigError(f"push_to_hub={name}: write owner/name, of letters, digits and the signs - _ .")


def push_to_hub(folder: Path, repository: str, *, token: str | None) -> str:
    """Upload a model's folder; a repository that is not there is made, a private one. Returns its address.

    Args:
        folder: of the model.
        repository: ``owner/name``.
        token: one that may write.

    Raises:
        HubError: there is no token, the Hub cannot be reached, or it refuses; the message says what to do.
    """
    later = f"The model is in {folder}; put it there later with: hf upload {repository} {folder} . --private"
    if not token:
        raise HubError(f"push_to_hub={repository}: HF_TOKEN is not set, and a token that may write is needed. {later}")
    api = HfApi(token=token)
    try:
        url = api.create_repo(repository, private=True, exist_ok=True)
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Model trained with kazu_distill")
    except OfflineModeIsEnabled as error:
        raise HubError(f"push_to_hub={repository}: HF_HUB_OFFLINE is set, so the Hub is not asked. {later}") from error
    except (HTTPError, OSError, ValueError, RuntimeError) as error:
        raise HubError(f"push_to_hub={repository}: {' '.join(str(error).split())[:300]}. {later}") from error
    return str(url)


def push_or_warn(folder: Path, repository: str) -> str | None:
    """Put a model that is saved already on the Hub, with the token of ``HF_TOKEN``; what fails is warned of.

    Returns:
        Its address; None if it failed.
    """
    try:
        return push_to_hub(folder, repository, token=os.environ.get("HF_TOKEN"))
    except HubError as error:
        _log.warning("%s", error)
        return None
