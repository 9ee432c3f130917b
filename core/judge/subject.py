"""What a prompt asks for, as far as the judge can tell: one concept of the catalogue and perhaps its main colour."""

from __future__ import annotations

import functools
import random
import re
from dataclasses import dataclass
from pathlib import Path

from core.errors import InputError
from core.starter.captions import with_articles
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.heldout import HELD_OUT

NOUNS = tuple(concept.noun for concept in CONCEPTS)
COLOR_NAMES = tuple(COLORS)
PROMPTS, HELD_OUT_PROMPTS = 40, 10  # of an evaluation without a list of its own


@dataclass(frozen=True)
class Subject:
    """A concept and a colour, as places in NOUNS and COLOR_NAMES."""

    concept: int
    color: int | None = None  # None where the prompt names no main colour

    @property
    def name(self) -> str:
        """Such as "red mug"."""
        concept = CONCEPTS[self.concept]
        return concept.noun if self.color is None else concept.name_with(COLOR_NAMES[self.color])


def parse(prompt: str) -> Subject:
    """The subject of a prompt: whatever the catalogue knows that stands first in it; of several there, the longest.

    A colour counts where it stands as in the catalogue ("a snowman with a red hat") or before the noun ("a red wooden
    chair"); elsewhere it is that of something else. Raises InputError where the prompt is outside the catalogue.
    """
    text = _plain(prompt)
    found = [(match.start(), -len(name), subject) for name, subject in _names() if (match := _find(name, text))]
    if not found:
        raise InputError(f"{prompt!r} is nothing that the judge knows: name one of {', '.join(NOUNS)}.")
    start, _, subject = min(found, key=lambda place: place[:2])
    return subject if subject.color is not None else _with_color_before(subject, text[:start], prompt)


def _with_color_before(subject: Subject, words: str, prompt: str) -> Subject:
    named = [(match.start(), place) for place, color in enumerate(COLOR_NAMES) if (match := _find(color, words))]
    if not named:
        return subject
    if not CONCEPTS[subject.concept].takes_color:
        raise InputError(f"{prompt!r} is outside the catalogue: a {subject.name} has colours of its own.")
    return Subject(subject.concept, max(named)[1])


@functools.cache
def _names() -> list[tuple[str, Subject]]:
    """Everything that the catalogue can name, as it stands in a plain prompt."""
    bare = [(concept.noun, Subject(number)) for number, concept in enumerate(CONCEPTS)]
    colored = [subject for subject in all_subjects() if subject.color is not None]
    return [(_plain(name), subject) for name, subject in [*bare, *((one.name, one) for one in colored)]]


def all_subjects() -> list[Subject]:
    """The whole catalogue: every concept in every colour that it takes, or as it is where it takes none."""
    return [
        Subject(number, color)
        for number, concept in enumerate(CONCEPTS)
        for color in (range(len(COLOR_NAMES)) if concept.takes_color else (None,))
    ]


def prompt_of(subject: Subject) -> str:
    """Such as "an orange mug"."""
    return with_articles(f"a {subject.name}")


def is_held_out(subject: Subject) -> bool:
    """Whether the starter model has never seen this pair of concept and colour."""
    return subject.color is not None and COLOR_NAMES[subject.color] in HELD_OUT.get(NOUNS[subject.concept], ())


def default_prompts() -> list[str]:
    """PROMPTS concepts by lot, none twice, HELD_OUT_PROMPTS of them in a colour that the starter model has not seen."""
    rng = random.Random(0)
    concepts = rng.sample(range(len(NOUNS)), PROMPTS)
    held_out = [number for number in concepts if CONCEPTS[number].takes_color][:HELD_OUT_PROMPTS]
    return [prompt_of(rng.choice(_looks_of(number, number in held_out))) for number in concepts]


def _looks_of(concept: int, held_out: bool) -> list[Subject]:
    return [one for one in all_subjects() if one.concept == concept and is_held_out(one) == held_out]


def read_prompts(path: Path) -> list[str]:
    """One prompt a line, each once; blank lines and lines that begin with # are passed over. Raises InputError."""
    try:
        lines = [" ".join(line.split()) for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except OSError as error:
        raise InputError(f"Cannot read --prompts {path}: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise InputError(f"--prompts {path} is not UTF-8 text.") from error
    prompts = list(dict.fromkeys(line for line in lines if line and not line.startswith("#")))
    if not prompts:
        raise InputError(f"--prompts {path} holds no prompt: write one a line.")
    return prompts


def _plain(text: str) -> str:
    """Lower case, single spaces, "a" for "an", "grey" for "gray"."""
    return re.sub(r"\bgray\b", "grey", re.sub(r"\ban\b", "a", " ".join(text.lower().split())))


def _find(name: str, text: str) -> re.Match[str] | None:
    """Where whole words occur."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text)
