"""The sentences the starter model learns: what a prompt may look like."""

from __future__ import annotations

import random

from core.starter.catalogue import COLORS, CONCEPTS, Concept

TEMPLATES = ("a {}", "a {}", "{}", "the {}", "a 3d model of a {}", "a picture of a {}", "a render of a {}")
VIEW_WORDS = ("front", "side", "back", "overhead")
OVERHEAD_DEG = 60.0  # elevations above this are called overhead


def caption(concept: Concept, color: str | None, view: str | None, rng: random.Random) -> str:
    """A sentence that names the concept, perhaps its main colour and the view."""
    sentence = rng.choice(TEMPLATES).format(concept.name_with(color) if color else concept.noun)
    for vowel in "aeiou":
        sentence = sentence.replace(f"a {vowel}", f"an {vowel}")
    return f"{sentence}, {view} view" if view else sentence


def view_word(azimuth_deg: float, elevation_deg: float) -> str:
    """The side that a camera sees: the quarter turns about the front, sides and back, or overhead."""
    if elevation_deg > OVERHEAD_DEG:
        return "overhead"
    turn = abs((azimuth_deg + 180) % 360 - 180)
    return "front" if turn < 45 else "back" if turn > 135 else "side"


def words() -> list[str]:
    """Every word a caption can hold, sorted."""
    nouns = [word for concept in CONCEPTS for word in (concept.noun, concept.phrase)]
    sentences = [*TEMPLATES, *COLORS, *VIEW_WORDS, "an view", *nouns]
    plain = " ".join(sentences).replace("{color}", "").replace("{noun}", "").replace("{}", "")
    return sorted(set(plain.split()))
