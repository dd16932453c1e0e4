"""A record to be written."""

from __future__ import annotations

from kazu_distill.annotation.chunking.chunks import Chunk
from kazu_distill.instruction.records import Asked, Record, digest_of
from kazu_distill.llm.protocol import Turn

TEXT = "1,2-dichloroethane\nharms: livers."


def record(identifier: str = "1/0/0-33", *, with_example: bool = False, text: str = TEXT) -> Record:
    """A record of two classes, one of which the text has not."""
    names = {"drug, chemical": "drug, chemical", "gene": "gene"}
    asked = Asked(identifier, "1", 0, Chunk(0, len(text)), names, digest_of(text))
    earlier = (Turn("user", "Aspirin."), Turn("assistant", '{"drug, chemical": ["Aspirin"]}')) if with_example else ()
    answer = '{"drug, chemical": ["1,2-dichloroethane"], "gene": []}'
    return Record(asked, "Find entities.", earlier, text, answer, {"drug, chemical": (text[:18],), "gene": ()}, 1)
