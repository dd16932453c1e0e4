"""Build the sample corpus from ``abstracts.txt``.

``abstracts.txt`` holds invented abstracts with the entities marked inline as ``[[mention|class]]``. This script
writes three JSON Lines files beside it:

* ``documents.jsonl``: the plain texts;
* ``gold.jsonl``: the texts with entity offsets (Unicode code points, end exclusive);
* ``answers.jsonl``: one invented LLM answer per text, in the text form of the answer store. About 40 % of them carry
  one of the flaws that real answers have; a seeded generator picks which, so every run writes the same bytes.

The answers are stored under the prompt that ``conf`` gives, so run this again when the prompt or the schema changes:
``python scripts/demo/build.py``.
"""

from __future__ import annotations

import collections
import json
import random
from pathlib import Path

from abstracts import Document, read_abstracts
from flaws import write_answers
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from kazu_distill import documents
from kazu_distill.llm.protocol import Answer, FinishReason, Usage
from kazu_distill.llm.store import AnswerStore
from kazu_distill.llm.stored_answer import StoredAnswer, lines
from kazu_distill.stage import shipped_config

HERE = Path(__file__).resolve().parent
SEED = 13


def stored(docs: list[Document], answers: dict[str, str]) -> list[StoredAnswer]:
    """The answers with the requests that ``llm=local llm.model=written-for-the-demo`` makes; tokens are guessed."""
    overrides = ["llm=local", "llm.model=written-for-the-demo", "llm.offline=true", "corpus.path=none"]
    with initialize_config_dir(str(shipped_config()), version_base="1.3"):
        config = compose("annotate", overrides)
    prompt = instantiate(config.prompt, schema=instantiate(config.schema))
    with AnswerStore(":memory:") as store:
        identity = instantiate(config.llm, store=store).identity
    return [
        StoredAnswer(
            identity=identity,
            request=(request := prompt.questions(doc.text, documents.Document(doc.id, ()))[0].request),
            answer=Answer(
                text=answers[doc.id],
                finish_reason=FinishReason.STOP,
                usage=Usage((len(request.system) + len(doc.text)) // 4, len(answers[doc.id]) // 4),
                latency_s=0.0,
            ),
            time="2026-11-21T00:00:00+00:00",
        )
        for doc in docs
    ]


def write_lines(path: Path, written: list[str]) -> None:
    """Write lines in UTF-8."""
    path.write_text("".join(f"{line}\n" for line in written), encoding="utf-8", newline="\n")


def main() -> None:
    """Build the three files and print what they hold."""
    docs = read_abstracts(HERE / "abstracts.txt")
    answers, used = write_answers(docs, random.Random(SEED))
    texts = [{"id": doc.id, "text": doc.text} for doc in docs]
    gold = [[{"start": s, "end": e, "label": label} for s, e, label in doc.entities] for doc in docs]
    write_lines(HERE / "documents.jsonl", [json.dumps(text, ensure_ascii=False) for text in texts])
    write_lines(
        HERE / "gold.jsonl",
        [json.dumps(text | {"entities": own}, ensure_ascii=False) for text, own in zip(texts, gold, strict=True)],
    )
    write_lines(HERE / "answers.jsonl", list(lines(stored(docs, answers))))
    labels = collections.Counter(label for doc in docs for _, _, label in doc.entities)
    print(f"{len(docs)} documents, {labels.total()} mentions: {dict(labels)}")
    print(f"{used.total()} flawed answers: {dict(used)}")


if __name__ == "__main__":
    main()
