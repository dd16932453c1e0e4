"""Models of the benchmarks: where their encoder lies, and what they score on documents with gold."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from bench_jobs import Predicted, PredictJob
from bench_runs import SCRIPTS, Program
from hydra.utils import instantiate
from omegaconf import OmegaConf
from transformers import AutoModelForTokenClassification

from kazu_distill.document_files import read_documents, write_documents
from kazu_distill.models.quiet import quieten_libraries
from kazu_distill.schema import Schema
from kazu_distill.tagger.encoder import load_tokenizer
from kazu_distill.tagger.labels import label_scheme
from kazu_distill.tagger.saved import TaggerParts, save_parts
from kazu_distill.tagger.settings import TaggerSettings

_CONF = SCRIPTS.parent / "conf"


def folder_of(encoder: str) -> tuple[str, float]:
    """The folder of an encoder of ``conf/encoder``, and its learning rate there."""
    made = instantiate(OmegaConf.load(_CONF / "encoder" / f"{encoder}.yaml"))
    return made.name, made.learning_rate


def schema_of(name: str) -> Schema:
    """A schema of ``conf/schema``."""
    schema: Schema = instantiate(OmegaConf.load(_CONF / "schema" / f"{name}.yaml"))
    return schema


def labels_of(schema: str) -> list[str]:
    """Its classes, in order."""
    return list(schema_of(schema).labels)


def adopted(model: Path, options: argparse.Namespace, folder: Path) -> Path:
    """A tagger of ours out of a model whose tags are the classes and ``O``, as scheme ``io`` has them.

    A model that is ours already is given back as it is.
    """
    if (model / "tagger.json").exists():
        return model
    schema = schema_of(options.schema)
    scheme = label_scheme("io", schema.labels)
    quieten_libraries()
    foreign = AutoModelForTokenClassification.from_pretrained(model)
    if [foreign.config.id2label[index] for index in range(foreign.config.num_labels)] != scheme.tags:
        sys.exit(f"{model} has other tags than {scheme.tags}")
    foreign.save_pretrained(folder)
    settings = TaggerSettings(max_length=options.length, stride=64)
    save_parts(folder, TaggerParts(load_tokenizer(str(model)), schema, scheme, settings))
    return folder


def f1_by_us(model: Path, options: argparse.Namespace, folder: Path) -> float:
    """Strict micro F1, 0 to 1, of a model by our own windows and decoding."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        own = Path(name)
        tagger = adopted(model, options, own / "adopted")
        return _evaluated(own, f"model={tagger}", f"gold.path={options.gold}")


def f1_by_kazu(program: Program, model: Path, options: argparse.Namespace, folder: Path) -> float:
    """Strict micro F1, 0 to 1, of a model by Kazu's own NER step."""
    with tempfile.TemporaryDirectory(dir=folder) as name:
        own = Path(name)
        write_documents(own / "texts.jsonl", [each.without_spans() for each in read_documents(options.gold)])
        predicted = own / "predicted.jsonl"
        job = PredictJob(
            model=str(model),
            documents=str(own / "texts.jsonl"),
            out=str(predicted),
            max_length=options.length,
            stride=64,
            batch_size=options.batch_size,
            warm_up="",
        )
        program.run(job, Predicted, own / "process")
        given = [f"schema={options.schema}", f"predicted.path={predicted}", f"gold.path={options.gold}"]
        return _evaluated(own, *given)


def _evaluated(folder: Path, *arguments: str) -> float:
    command = [sys.executable, "-m", "kazu_distill.evaluate", *arguments, f"out={folder / 'evaluate'}"]
    done = subprocess.run(command, cwd=SCRIPTS.parent, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return float(json.loads((folder / "evaluate/metrics.json").read_text())["micro_f1"])
