"""Every file under ``conf`` is composed, and what it describes is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

from kazu_distill.corpora.corpus import Corpus
from kazu_distill.documents import Document
from kazu_distill.llm.store import AnswerStore
from kazu_distill.llm.stored_answer import request_key
from kazu_distill.schema import Schema
from kazu_distill.stage import shipped_config
from kazu_distill.tagger.trainer_settings import TrainerSettings

CONF = Path(__file__).parents[1] / "conf"
STAGES = sorted(file.stem for file in CONF.glob("*.yaml"))
CHOICES = sorted((file.parent.name, file.stem) for file in CONF.glob("*/*.yaml") if not file.stem.startswith("_"))
# What only a user knows, and what lies in another environment or is loaded from a hub only when it is used.
NEEDED = ["llm.offline=true", "llm.model=any", "llm.base_url=http://127.0.0.1:1", "corpus.path=any"]
NEEDED += ["examples.path=any", "knowledge.path=any"]
NO_SERVER = ["transformers"]


def composed(stage: str, *overrides: str) -> DictConfig:
    """A stage's configuration as its command composes it."""
    with initialize_config_dir(str(CONF), version_base="1.3", job_name=stage):
        return compose(stage, list(overrides), return_hydra_config=True)


def stage_with(group: str) -> str:
    """A stage that offers a group."""
    return next(stage for stage in STAGES if f"- {group}: " in (CONF / f"{stage}.yaml").read_text())


def built(group: str, config: DictConfig, store: AnswerStore) -> Any:
    """What the stages build out of a group's configuration."""
    schema = Schema(name="test", classes={"gene": {}})
    needs_schema = {"prompt", "cleaning", "label_studio", "examples"}
    arguments: dict[str, Any] = {"store": store} if group == "llm" else {}
    arguments |= {"schema": schema} if group in needs_schema else {}
    arguments |= {"_convert_": "all"} if group in ("trainer", "base_llm") else {}
    own = config[group]
    if group == "base_llm":  # the stage takes one node out of it
        own = OmegaConf.masked_copy(own, [key for key in own if key != "tuning"])
    return instantiate(own, **arguments)


def test_the_tests_see_the_configuration_that_ships() -> None:
    assert shipped_config() == CONF
    assert {"annotate", "evaluate", "predict", "split", "train"} <= set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_composes_and_writes_below_its_out(stage: str) -> None:
    config = composed(stage, "out=elsewhere")
    assert config.hydra.job_logging.handlers.file.filename == f"elsewhere/{stage}.log"
    assert config.hydra.run.dir == "."
    assert config.hydra.output_subdir is None
    own = {key: config[key] for key in config if key != "hydra" and not OmegaConf.is_missing(config, key)}
    assert OmegaConf.to_container(OmegaConf.create(own), resolve=False)


@pytest.mark.parametrize(("group", "choice"), CHOICES)
def test_a_choice_composes_and_is_built(group: str, choice: str, tmp_path: Path) -> None:
    if group == "hydra":
        assert composed("split").hydra.job.chdir is False
        return
    stage = stage_with(group)
    nothing = choice in ("off", "none")
    needed = [override for override in NEEDED if override.split(".")[0] == group and not nothing]
    needed = [override for override in needed if not (choice in NO_SERVER and "base_url" in override)]
    config = composed(stage, f"{group}={choice}", *needed)
    with AnswerStore(tmp_path / "answers.sqlite") as store:
        thing = None if config[group] is None else built(group, config, store)
    if group == "corpus":
        assert isinstance(thing, Corpus)
    elif group == "schema":
        assert isinstance(thing, Schema)
    elif group == "trainer":
        assert isinstance(thing, TrainerSettings)
    else:
        assert (thing is None) == nothing


@pytest.mark.parametrize("choice", [choice for group, choice in CHOICES if group == "trainer"])
def test_the_trainers_arguments_are_those_of_transformers(choice: str, tmp_path: Path) -> None:
    config = composed("train", f"trainer={choice}", "encoder=minilm", "trainer.device=cpu", "trainer.precision=fp32")
    arguments = instantiate(config.trainer, _convert_="all").training_arguments(tmp_path)
    assert arguments.learning_rate == config.encoder.learning_rate
    assert arguments.seed == config.seed


PROMPTS = [choice for group, choice in CHOICES if group == "prompt"]


def test_every_prompt_says_what_the_classes_are_and_the_store_keeps_their_answers_apart() -> None:
    classes = {"gene": {"definition": "A gene.", "excludes": ["families"], "near_misses": {"drug": "an inhibitor"}}}
    schema = Schema(name="test", classes=classes | {"drug": None})
    keys = set()
    asked = 0
    for choice in PROMPTS:
        for class_by_class in ("true", "false") if choice != "one_class" else ("true",):
            config = composed("annotate", f"prompt={choice}", f"prompt.class_by_class={class_by_class}")
            prompt = instantiate(config.prompt, schema=schema)
            for question in prompt.questions("EGFR.", Document("1", ())):
                names = set(question.part.schema.labels)
                assert all(name in question.request.system.lower() for name in names)
                assert "families" in question.request.system or names == {"drug"}
                keys.add(request_key({}, question.request))
                asked += 1
    assert asked == 3 * (len(PROMPTS) - 1) + 2
    assert len(keys) == asked
