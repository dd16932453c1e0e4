"""OpenAI's models in Azure: the same client behind Azure's addresses."""

from __future__ import annotations

from typing import Any

import openai

from kazu_distill.llm.openai import OpenAIClient


def azure_client(*, base_url: str, api_version: str, **settings: Any) -> OpenAIClient:
    """A client for a deployment in Azure.

    Args:
        base_url: the resource's address, such as ``https://RESOURCE.openai.azure.com``.
        api_version: the version of Azure's interface, a date.
        settings: those of ``OpenAIClient``; ``model`` is the name of the deployment.
    """

    def sdk(*, base_url: str, **options: Any) -> openai.AsyncAzureOpenAI:
        return openai.AsyncAzureOpenAI(azure_endpoint=base_url, api_version=api_version, **options)

    return OpenAIClient(provider="azure", base_url=base_url, sdk=sdk, **settings)
