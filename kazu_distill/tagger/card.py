"""The model card: what a reader of the model's folder, or of its page on the Hub, should know of it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from huggingface_hub import ModelCardData

from kazu_distill.documents import Document
from kazu_distill.schema import Schema
from kazu_distill.tagger.settings import TaggerSettings

_GOLD = "gold"
_MARKUP = re.compile(r"([\\`*_\[\]{}()#+\-.!|~$:@^=])")
_INVISIBLE = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]+")

_USE = """
## How to use it

With kazu_distill, which cuts long texts into windows and applies the thresholds (download the folder first, for example
with `huggingface_hub.snapshot_download`):

```python
from kazu_distill.tagger.tagger import Tagger

tagger = Tagger.from_pretrained("path/to/this/folder")
for spans in tagger.predict(["Cisplatin caused hearing loss."]):
    print(spans)
```

or `python -m kazu_distill.predict model=path/to/this/folder corpus=text corpus.path=texts out=labelled`.

With transformers alone. Each unit is a sigmoid of its own, so the token-classification pipeline, which takes the
softmax, reads it wrongly. The first piece of a word speaks for it:

```python
import torch
from transformers import AutoModelForTokenClassification, AutoTokenizer

folder = "path/to/this/folder"
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForTokenClassification.from_pretrained(folder)
text = "Cisplatin caused hearing loss."
encoded = tokenizer(text, return_offsets_mapping=True, truncation=True, max_length=MAX_LENGTH, return_tensors="pt")
offsets = encoded.pop("offset_mapping")[0].tolist()
with torch.inference_mode():
    probabilities = model(**encoded).logits.sigmoid()[0]
for (start, end), row in zip(offsets, probabilities):
    print(repr(text[start:end]), {model.config.id2label[i]: round(p, 2) for i, p in enumerate(row.tolist()) if p > 0.5})
```
"""


@dataclass(frozen=True, slots=True)
class LabelledData:
    """What a set of documents holds: how many there are, and their spans by class and by source."""

    documents: int = 0
    by_class: Counter[str] = field(default_factory=Counter)
    by_source: Counter[str] = field(default_factory=Counter)

    @property
    def is_gold(self) -> bool:
        """Whether all its spans are said to be a human's."""
        return bool(self.by_source) and set(self.by_source) == {_GOLD}


def labelled_data(documents: Iterable[Document]) -> LabelledData:
    """Count the spans of documents."""
    count, by_class, by_source = 0, Counter[str](), Counter[str]()
    for document in documents:
        count += 1
        by_class.update(span.label for _, span in document.spans)
        by_source.update(span.source for _, span in document.spans)
    return LabelledData(count, by_class, by_source)


def model_card(
    *,
    title: str,
    schema: Schema,
    settings: TaggerSettings,
    metrics: Mapping[str, float | int | None],
    train: LabelledData,
    evaluation: LabelledData,
    base_model: str | None,
    architecture: str,
    parameters: int,
    versions: Mapping[str, str],
) -> str:
    """A model card in Markdown, with the front matter that the Hub reads.

    Names and definitions are shown as they are: nothing in them is markup.

    Args:
        title: of the page.
        schema: the classes.
        settings: with the thresholds.
        metrics: on the evaluation documents, as of ``kazu_distill.scoring.metrics``.
        train: what was learnt from.
        evaluation: what the best model and the thresholds were chosen on.
        base_model: the encoder's name on the Hub; None where it came from elsewhere.
        architecture: the encoder's kind, such as ``bert``.
        parameters: how many the model has.
        versions: of the libraries, by name.
    """
    return "\n".join(
        [
            *_front_matter(base_model),
            f"# {_plain(title)}",
            "",
            _introduction(len(schema.labels), base_model, architecture, parameters),
            "",
            "## Classes",
            "",
            *(_class_line(each.name, each.definition, each.examples) for each in schema.classes),
            "",
            "## Data",
            "",
            *_table(
                ["", "documents", "spans", "labelled by"],
                [_data_row("train", train), _data_row("eval", evaluation)],
            ),
            "",
            "## Quality",
            "",
            *_quality(schema, settings, metrics, train, evaluation),
            "",
            "## Intended use and limits",
            "",
            *_limits(settings, train, evaluation),
            _USE.replace("MAX_LENGTH", str(settings.max_length)),
            "## Made with",
            "",
            f"{_plain(', '.join(map(' '.join, versions.items())))}. The run's configuration is in `training.yaml`, the "
            "classes in `schema.json`, windows and thresholds in `tagger.json`, all figures in `metrics.json`.",
            "",
        ]
    )


def _front_matter(base_model: str | None) -> list[str]:
    data = ModelCardData(
        library_name="transformers",
        pipeline_tag="token-classification",
        tags=["kazu-distill", "named-entity-recognition", "biomedical", "multi-label"],
        base_model=base_model,
    )
    return [
        "---",
        "# license: choose one, such as apache-2.0; mind the encoder's and the data's",
        data.to_yaml(),
        "---",
        "",
    ]


def _introduction(classes: int, base_model: str | None, architecture: str, parameters: int) -> str:
    link = f"[{_plain(base_model)}](https://huggingface.co/{base_model})" if base_model else None
    return (
        f"Finds entities of {classes} classes in biomedical text. A model of {parameters:,} parameters "
        f"({_plain(architecture)}) with a sigmoid for each class and tag, trained from "
        f"{link or 'an encoder that is not on the Hub'} with kazu\\_distill on labelled documents. "
        "Spans of different classes may coincide, nest or overlap."
    )


def _class_line(name: str, definition: str, examples: Sequence[str]) -> str:
    shown = f" For example: {_plain('; '.join(examples))}." if examples else ""
    return f"- **{_plain(name)}**" + (f": {_plain(definition)}" if definition else "") + shown


def _data_row(name: str, data: LabelledData) -> list[str]:
    sources = [f"{_plain(source) or 'not said'} ({count:,})" for source, count in data.by_source.most_common()]
    return [name, f"{data.documents:,}", f"{data.by_class.total():,}", ", ".join(sources) or "nobody"]


def _quality(
    schema: Schema,
    settings: TaggerSettings,
    metrics: Mapping[str, float | int | None],
    train: LabelledData,
    evaluation: LabelledData,
) -> list[str]:
    thresholds = settings.thresholds_of(schema.labels).tolist()
    rows = [
        [
            _plain(label),
            *(_percent(metrics.get(f"{label}_{figure}")) for figure in ("precision", "recall", "f1")),
            f"{metrics.get(f'{label}_support') or 0:,}",
            f"{train.by_class[label]:,}",
            f"{threshold:.2f}",
        ]
        for label, threshold in zip(schema.labels, thresholds, strict=True)
    ]
    micro = [_percent(metrics.get(f"micro_{figure}")) for figure in ("precision", "recall", "f1")]
    rows.append(["all spans (micro)", *micro, f"{evaluation.by_class.total():,}", f"{train.by_class.total():,}", ""])
    rows.append(["mean over classes", "", "", _percent(metrics.get("mean_f1")), "", "", ""])
    truth = _truth(train, evaluation)
    return [
        f"Strict matching (both ends and the class) on the eval documents, against {truth}. The best model and the "
        "thresholds were chosen on the same documents, so expect a little less elsewhere; "
        "`python -m kazu_distill.evaluate` scores documents that it has not seen.",
        "",
        *_table(["class", "precision", "recall", "F1", "support", "spans in train", "threshold"], rows),
    ]


def _truth(train: LabelledData, evaluation: LabelledData) -> str:
    """What the figures are measured against."""
    if evaluation.is_gold:
        return "the labels of humans"
    if set(evaluation.by_source) & set(train.by_source) - {_GOLD}:
        return (
            "**the labels of its own teacher, not the truth**: they tell how well the model imitates what labelled the "
            "eval documents, whose errors it is not charged for"
        )
    return "**labels that are not all said to be humans'**: they tell the truth only as far as these do"


def _limits(settings: TaggerSettings, train: LabelledData, evaluation: LabelledData) -> list[str]:
    labels = (
        "The labels it learnt from are said to be humans' (gold)."
        if train.is_gold
        else "The labels it learnt from were made by a machine, such as a large language model, unless people reviewed "
        "them: the table above names who. The model repeats what they miss and misunderstand."
    )
    return [
        "- For mining scientific text at scale, as a step before people or further programs look at it. Not for "
        "decisions about a patient, and not for identifying people.",
        f"- {labels}",
        *([] if evaluation.is_gold else ["- No figure here was measured against human gold."]),
        "- It knows the kind and language of text that it was trained on; score it on any other before you rely on it.",
        "- A class with few spans in training is found less reliably than its figure says.",
        "- Its probabilities are for thresholds, not calibrated.",
        f"- Texts are read in windows of {settings.max_length} tokens.",
    ]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(row)} |" for row in (header, ["---"] * len(header), *rows)]


def _percent(figure: float | int | None) -> str:
    return "–" if figure is None else f"{100 * figure:.1f}"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    one_line = _INVISIBLE.sub(" ", text).strip()
    return _MARKUP.sub(r"\\\1", one_line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
