"""Documents that are hard to show right, and projects to show them in."""

from __future__ import annotations

from hypothesis import strategies as st

from kazu_distill.documents import Document, Section, Span
from kazu_distill.label_studio.project import LabelStudioProject
from kazu_distill.schema import Schema

AWKWARD_NAMES = ("gene", "disease", 'a, "b" & <c>\'s', "Größe/№ 5", "{x}: [y]; -z", "cost $document ${x}")
SCHEMA = Schema(
    name="test",
    classes={
        name: {"colour": f"#{40 + 3 * number:02x}88{255 - 3 * number:02x}"}
        for number, name in enumerate([*AWKWARD_NAMES, *(f"class {number}" for number in range(54))])
    },
)
"""Sixty classes, some with names that XML, CSS or JSON could trip over."""


def project_on(
    url: str,
    title: str,
    *,
    schema: Schema = SCHEMA,
    max_tasks: int | None = 400,
    timeout: float = 60.0,
    ca: str | None = None,
) -> LabelStudioProject:
    """A project whose token is in the environment variable ``TEST_LABEL_STUDIO_TOKEN``."""
    return LabelStudioProject(
        url=url,
        api_key_env="TEST_LABEL_STUDIO_TOKEN",
        title=title,
        schema=schema,
        max_tasks=max_tasks,
        seed=0,
        timeout=timeout,
        ca=ca,
    )


def marked(text: str, *mentions: tuple[str, str, float], source: str = "") -> tuple[Span, ...]:
    """A span for each ``(mention, label, score)``, at the mention's first place in the text."""
    return tuple(
        Span(text.index(mention), text.index(mention) + len(mention), label, score, source)
        for mention, label, score in mentions
    )


@st.composite
def sections(draw: st.DrawFn) -> Section:
    """Sections of any Unicode text, with spans anywhere in it."""
    text = draw(st.text(max_size=60))
    spans = []
    for _ in range(draw(st.integers(0, 6)) if text else 0):
        start = draw(st.integers(0, len(text) - 1))
        end = draw(st.integers(start + 1, len(text)))
        spans.append(Span(start, end, draw(st.sampled_from(SCHEMA.labels)), draw(st.floats(0, 1))))
    return Section(draw(st.text(max_size=10)), text, tuple(spans))


def corpora() -> st.SearchStrategy[list[Document]]:
    """A few documents with different ids."""
    documents = st.builds(Document, st.text(max_size=8), st.lists(sections(), max_size=3).map(tuple))
    return st.lists(documents, min_size=1, max_size=8, unique_by=lambda document: document.id)
