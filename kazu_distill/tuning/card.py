"""The card of what was tuned: what a reader of its folder, or of its page on the Hub, should know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCardData

from kazu_distill.documents import Document
from kazu_distill.markdown import as_code, as_text, table
from kazu_distill.schema import Schema
from kazu_distill.tuning.adapter import AdapterSettings

_VLLM_RANK = 16  # the highest that it takes unless it is told


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What is said.

    Args:
        title: of the page.
        base: the model that was tuned, a name on the Hub or a folder.
        adapter: what was tuned of it; None is all of it.
        added: how many tokens were added to its vocabulary.
        records: what was learnt.
        learnt_tokens: of their answers.
        documents: of the evaluation.
        metrics: on them, as of ``kazu_distill.scoring.metrics``.
        ceiling: the mean F1 of the right answers.
        schema: the classes.
        versions: of the libraries, by name.
    """

    title: str
    base: str
    adapter: AdapterSettings | None
    added: int
    records: int
    learnt_tokens: int
    documents: Sequence[Document]
    metrics: Mapping[str, Any]
    ceiling: float
    schema: Schema
    versions: Mapping[str, str]

    @property
    def how(self) -> str:
        """What was tuned, in words."""
        if self.adapter is None:
            return "all its weights"
        kind = {"lora": "LoRA", "dora": "DoRA"}[self.adapter.kind]
        return f"by {kind} of rank {self.adapter.rank}"

    @property
    def only_merged(self) -> str:
        """Why vLLM does not take the adapter; empty if it does."""
        if self.adapter is not None and self.adapter.kind == "dora":
            return "vLLM takes no DoRA"
        return "vLLM takes no adapter that adds to the vocabulary" if self.added else ""


def model_card(facts: CardFacts, *, is_whole: bool) -> str:
    """A card in Markdown, with the front matter that the Hub reads; no name in it can become markup.

    Args:
        facts: what is said.
        is_whole: of a folder that has all weights, and not of one with an adapter.
    """
    return "\n".join(
        [
            *_front_matter(facts, is_whole=is_whole),
            f"# {as_text(facts.title)}",
            "",
            f"Lists the entities of {len(facts.schema.labels)} classes in biomedical text, as JSON. "
            f"{as_code(facts.base)}, tuned ({facts.how}) with kazu\\_distill on {facts.records:,} questions with their "
            f"answers ({facts.learnt_tokens:,} learnt tokens).",
            "",
            "## Classes",
            "",
            *(f"- **{as_text(each.name)}**" + _defined(each.definition) for each in facts.schema.classes),
            "",
            "## Quality",
            "",
            *_quality(facts),
            "",
            "## How to ask it",
            "",
            *_use(facts, is_whole=is_whole),
            "",
            "## Limits",
            "",
            "- It was tuned on questions with one wording, which is in `training.yaml` (`schema`, `prompt`): ask in "
            "another and it answers less well, or in another form.",
            "- It repeats what the labels that it learnt from miss and misunderstand.",
            "- A mention can be made up. Ground every answer in its text, as `annotate` does.",
            "- For mining text at scale, before people or programs look at it; not for decisions about a patient.",
            "",
            "## Made with",
            "",
            f"{as_text(', '.join(map(' '.join, facts.versions.items())))}. The run's configuration is in "
            "`training.yaml`, all figures are in `metrics.json`.",
            "",
        ]
    )


def _front_matter(facts: CardFacts, *, is_whole: bool) -> list[str]:
    data = ModelCardData(
        library_name="transformers" if is_whole else "peft",
        tags=["kazu-distill", "named-entity-recognition", "biomedical"],
        base_model=None if Path(facts.base).exists() else facts.base,
    )
    return [
        "---",
        "# license: choose one; mind the base model's and the data's",
        data.to_yaml(),
        "---",
        "",
    ]


def _defined(definition: str) -> str:
    return f": {as_text(definition)}" if definition else ""


def _quality(facts: CardFacts) -> list[str]:
    metrics = facts.metrics
    rows = [
        [
            as_text(label),
            *(_percent(metrics.get(f"{label}_{figure}")) for figure in ("precision", "recall", "f1")),
            f"{metrics.get(f'{label}_support') or 0:,}",
        ]
        for label in facts.schema.labels
    ]
    micro = [_percent(metrics.get(f"micro_{figure}")) for figure in ("precision", "recall", "f1")]
    rows.append(["all spans (micro)", *micro, f"{metrics.get('gold_entities') or 0:,}"])
    rows.append(["mean over classes", "", "", _percent(metrics.get("mean_f1")), ""])
    sources = Counter(span.source for document in facts.documents for _, span in document.spans)
    teachers = ", ".join(f"{as_text(name) or 'not said'} ({count:,} spans)" for name, count in sources.most_common())
    return [
        f"Strict matching (both ends and the class) on {len(facts.documents):,} documents, labelled by: {teachers}. "
        "Answers were generated, read and grounded as in use; "
        f"{metrics.get('unreadable_documents') or 0:,} documents had none that could be read. The best model was "
        "chosen on the same documents, so expect a little less elsewhere. The right answers themselves reach a mean "
        f"F1 of {_percent(facts.ceiling)}.",
        "",
        table(["class", "precision >", "recall >", "F1 >", "support >"], rows),
    ]


def _use(facts: CardFacts, *, is_whole: bool) -> list[str]:
    settings = "corpus=text corpus.path=texts schema=… prompt=…"
    own = "llm.model=FOLDER" if is_whole else "llm.adapter=FOLDER"
    return [
        "In process, where FOLDER is this folder, and schema and prompt are those of `training.yaml`:",
        "",
        f"    python -m kazu_distill.annotate llm=transformers {own} {settings}",
        "",
        "By a server:",
        "",
        f"    {_server(facts, is_whole=is_whole)}",
        "    python -m kazu_distill.annotate llm=local llm.model=tuned llm.base_url=http://localhost:8000/v1 "
        + settings,
    ]


def _server(facts: CardFacts, *, is_whole: bool) -> str:
    if is_whole:
        return "vllm serve FOLDER --served-model-name tuned"
    if facts.only_merged or facts.adapter is None:
        return f"# {facts.only_merged}: tune with merge=true and serve the model that this leaves"
    rank = f" --max-lora-rank {facts.adapter.rank}" if facts.adapter.rank > _VLLM_RANK else ""
    lora = f"--enable-lora --lora-modules tuned=FOLDER{rank} --chat-template FOLDER/chat_template.jinja"
    return f"vllm serve {' '.join(facts.base.split())} {lora}"


def _percent(figure: float | None) -> str:
    return "–" if figure is None else f"{100 * figure:.1f}"
