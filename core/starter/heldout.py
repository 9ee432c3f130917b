"""Pairs of concept and colour that the starter model never sees: what it makes of them shows what it has understood.

    python -m core.starter.heldout

writes heldout.json anew. An object in its usual colour is seen in any case, so that no usual colour is held out.
"""

from __future__ import annotations

import json
import random
from pathlib import Path

from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.concept import Concept

PATH = Path(__file__).with_name("heldout.json")
PER_CONCEPT = 2  # of the eleven colours
HELD_OUT: dict[str, list[str]] = json.loads(PATH.read_text())


def choose_pairs(seed: int = 0) -> dict[str, list[str]]:
    """The colours that each concept gives up, spread evenly: those that the fewest concepts before it have given up."""
    rng = random.Random(seed)
    taken = dict.fromkeys(COLORS, 0)
    pairs: dict[str, list[str]] = {}
    for concept in rng.sample(CONCEPTS, len(CONCEPTS)):
        if not concept.takes_color:
            continue
        candidates = [name for name in COLORS if name != usual_color(concept)]
        rng.shuffle(candidates)
        pairs[concept.noun] = sorted(sorted(candidates, key=taken.__getitem__)[:PER_CONCEPT])
        for name in pairs[concept.noun]:
            taken[name] += 1
    return dict(sorted(pairs.items()))


def usual_color(concept: Concept) -> str:
    """The named colour that is nearest to the one a concept has where none is named."""

    def distance(name: str) -> float:
        return sum((a - b) ** 2 for a, b in zip(COLORS[name], concept.default_color, strict=True))

    return min(COLORS, key=distance)


def seen_colors(concept: Concept) -> list[str]:
    """The named colours that the data set shows a concept in."""
    held_out = HELD_OUT.get(concept.noun, ())
    return [name for name in COLORS if name not in held_out]


def main() -> None:
    """Choose the pairs and write them, a concept a line."""
    lines = [f"  {json.dumps(noun)}: {json.dumps(names)}" for noun, names in choose_pairs().items()]
    PATH.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
