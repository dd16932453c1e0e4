"""Stored LLM answers to text and back: ``python -m kazu_distill.answers export_to=answers.jsonl``."""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from kazu_distill.console import console
from kazu_distill.errors import ConfigError
from kazu_distill.llm.store import AnswerStore
from kazu_distill.stage import stage_main


@stage_main(config_name="answers")
def main(config: DictConfig) -> None:
    """Run the command."""
    if bool(config.import_from) == bool(config.export_to):
        raise ConfigError("say either import_from=answers.jsonl or export_to=answers.jsonl")
    if config.export_to and not Path(config.store.path).is_file():
        raise ConfigError(f"store.path={config.store.path}: no such file")
    with AnswerStore(config.store.path) as store:
        if config.import_from:
            count = store.import_jsonl(Path(config.import_from))
            console.print(f"{count:,} new answers; {config.store.path} has {len(store):,}", markup=False)
        else:
            store.export_jsonl(Path(config.export_to))
            console.print(f"{len(store):,} answers written to {config.export_to}", markup=False)


if __name__ == "__main__":
    main()
