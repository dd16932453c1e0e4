"""Propose classes for free types: ``python -m kazu_distill.schema documents=runs/annotate/documents.jsonl``."""

from __future__ import annotations

import re
from pathlib import Path

from hydra.utils import instantiate
from omegaconf import DictConfig
from rich import box
from rich.markup import escape
from rich.table import Table

from kazu_distill.console import console, print_files
from kazu_distill.document_files import atomic_writer, read_documents
from kazu_distill.errors import ConfigError
from kazu_distill.proposing.free_types import free_types
from kazu_distill.proposing.likeness import described
from kazu_distill.proposing.proposal import Proposal, propose
from kazu_distill.proposing.schema_file import schema_file
from kazu_distill.stage import stage_main

_SHOWN = 4  # of a class's types and mentions


@stage_main(config_name="schema")
def main(config: DictConfig) -> None:
    """Run the stage."""
    folder = Path(config.out) / "conf"  # one that --config-path takes, with a file of the group schema
    path = folder / "schema" / f"{_name(config.name)}.yaml"
    if path.exists():
        raise ConfigError(f"{path} is there, perhaps with your edits: give another name=, or remove it")
    types = free_types(read_documents(Path(config.documents)))
    if not types:
        raise ConfigError(f"documents={config.documents} have no labels: label them with annotate schema=open")
    encoder = instantiate(config.embedding) if "embedding" in config else None
    proposal = propose(
        types,
        encoder and encoder.encode([described(each) for each in types]),
        least=config.least,
        distance=config.distance,
        classes=config.classes,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path) as file:
        file.write(schema_file(proposal, name=config.name, source=str(config.documents)).encode())
    _print(proposal)
    print_files(folder / "schema", path.name)
    store = Path(config.documents).parent / "answers.sqlite"
    console.print(
        "\nNext: edit it, then give your annotate command once more, with the answers that it has already:\n"
        f"  python -m kazu_distill.annotate --config-path {folder} schema={config.name} "
        f"store.path={store if store.is_file() else '…'} out=runs/{config.name} corpus=… llm=…\n"
        "(or put it into the schema folder of a configuration of yours)",
        markup=False,
        soft_wrap=True,
    )


def _name(name: object) -> str:
    if not re.fullmatch(r"[\w-]+", str(name), re.ASCII):
        raise ConfigError(f"name={name}: it is the name of a file, so give letters, digits, - and _")
    return str(name)


def _print(proposal: Proposal) -> None:
    table = Table("class", "spans", "types", "such as", box=box.SIMPLE_HEAD)
    for column in table.columns[1:2]:
        column.justify = "right"
    for each in proposal.classes:
        names = [own.name for own in each.types]
        more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
        mentions = ", ".join(mention for mention, _ in each.mentions[:_SHOWN])
        cells = (each.name, f"{each.spans:,}", ", ".join(names[:_SHOWN]) + more, mentions)
        table.add_row(*map(escape, cells))
    console.print(table)
    kept, left = (sum(each.spans for each in part) for part in (proposal.classes, proposal.left_out))
    types = sum(len(each.types) for each in proposal.classes)
    console.print(
        f"{len(proposal.classes):,} classes of {types:,} types hold {kept:,} of {kept + left:,} spans; "
        f"{len(proposal.left_out):,} rare types with {left:,} spans are left out"
    )
