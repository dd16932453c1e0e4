"""The files in ``conf/llm``: each makes an asker, and takes the overrides that a user writes."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue

from kazu_distill.llm.asker import Asker
from kazu_distill.llm.protocol import NotInStore, Refused
from kazu_distill.llm.store import AnswerStore
from tests.llm.asking import KEY_ENV, QUESTION, TEXT, server

CONF = Path(__file__).parents[2] / "conf"
PROVIDERS = ["gemini", "openai", "azure", "local"]
NEEDED = {"azure": ["llm.model=deployed", "llm.base_url=http://127.0.0.1:1"], "local": ["llm.model=qwen"]}


def _config(provider: str, *overrides: str) -> DictConfig:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose(overrides=[f"+llm={provider}", *overrides])


def _asker(store: AnswerStore, provider: str, *overrides: str) -> Asker:
    asker = instantiate(_config(provider, *overrides).llm, store=store)
    assert isinstance(asker, Asker)
    return asker


def test_every_file_is_tried_here() -> None:
    files = {path.stem for path in (CONF / "llm").glob("*.yaml")}
    assert files == {"_base", "_server", "gemini_legacy", "transformers", *PROVIDERS}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_provider_is_asked_with_a_users_overrides(provider: str, tmp_path: Path) -> None:
    async def ask(asker: Asker) -> str:
        try:
            return (await asker.ask(QUESTION)).text
        finally:
            await asker.close()

    with server() as llm_server, AnswerStore(tmp_path / "a.sqlite") as store:
        url = llm_server.url + ("/v1" if provider in ("openai", "local") else "")
        overrides = ["llm.model=other", f"llm.base_url={url}", f"llm.api_key_env={KEY_ENV}", "llm.max_concurrency=3"]
        asker = _asker(store, provider, *overrides, "llm.temperature=1", "llm.retry.timeout=7")
        assert asyncio.run(ask(asker)) == TEXT
    assert asker.identity["model"] == "other"
    assert asker.identity["temperature"] == 1.0
    assert asker.pace.max_concurrency == 3


@pytest.mark.parametrize("provider", [*PROVIDERS, "gemini_legacy"])
def test_offline_needs_no_key_no_server_and_no_sdk(
    provider: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GEMINI_API_KEY", "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with AnswerStore(tmp_path / "a.sqlite") as store:
        asker = _asker(store, provider, "llm.offline=true", *NEEDED.get(provider, []))
        with pytest.raises(NotInStore):
            asyncio.run(asker.ask(QUESTION))


@pytest.mark.parametrize(
    ("provider", "name"),
    [("gemini", "GEMINI_API_KEY"), ("openai", "OPENAI_API_KEY"), ("azure", "AZURE_OPENAI_API_KEY")],
)
def test_a_missing_key_names_its_variable(
    provider: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(name, raising=False)
    with AnswerStore(tmp_path / "a.sqlite") as store, pytest.raises(InstantiationException) as caught:
        _asker(store, provider, *NEEDED.get(provider, []))
    assert isinstance(caught.value.__cause__, Refused)
    assert str(caught.value.__cause__) == f"no key: set the environment variable {name}"


@pytest.mark.parametrize(("provider", "key"), [("azure", "model"), ("azure", "base_url"), ("local", "model")])
def test_what_only_the_user_knows_has_no_default(provider: str, key: str) -> None:
    config = _config(provider, *(given for given in NEEDED[provider] if f".{key}=" not in given))
    assert OmegaConf.is_missing(config.llm, key)
    with pytest.raises((MissingMandatoryValue, InstantiationException), match=key):
        instantiate(config.llm, store=None)


@pytest.mark.parametrize("provider", ["gemini", "openai"])
def test_a_price_counts_for_its_own_model_only(provider: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as store:
        priced = _asker(store, provider, "llm.offline=true")
        assert priced.price is not None
        assert priced.price.taken.startswith("2026-")
        assert _asker(store, provider, "llm.offline=true", "llm.model=other").price is None
        assert "what other costs is not known: set llm.price" in caplog.text
        own = _asker(store, provider, "llm.offline=true", "llm.model=other", "llm.price.model=other")
        assert own.price is not None
        assert _asker(store, provider, "llm.offline=true", "llm.price=null").price is None


def test_both_gemini_sdks_share_their_answers(tmp_path: Path) -> None:
    with AnswerStore(tmp_path / "a.sqlite") as store:
        new, old = (_asker(store, name, "llm.offline=true") for name in ("gemini", "gemini_legacy"))
    assert new.identity == old.identity
    assert new.price == old.price
