"""The sentences the starter model learns: what a prompt may look like."""

from __future__ import annotations

import random

from core.prompt import VIEW_WORDS
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.concept import Concept

TEMPLATES = ("a {}", "a {}", "{}", "the {}", "a 3d model of a {}", "a picture of a {}", "a render of a {}")


def caption(concept: Concept, color: str | None, view: str | None, rng: random.Random) -> str:
    """A sentence that names the concept, perhaps its main colour and the view (one of VIEW_WORDS)."""
    sentence = rng.choice(TEMPLATES).format(concept.name_with(color) if color else concept.noun)
    for vowel in "aeiou":
        sentence = sentence.replace(f"a {vowel}", f"an {vowel}")
    return f"{sentence}, {view}" if view else sentence


def words() -> list[str]:
    """Every word a caption can hold, sorted."""
    nouns = [word for concept in CONCEPTS for word in (concept.noun, concept.phrase)]
    sentences = [*TEMPLATES, *COLORS, *VIEW_WORDS, "an", *nouns]
    plain = " ".join(sentences).replace("{color}", "").replace("{noun}", "").replace("{}", "")
    return sorted(set(plain.split()))
