"""The add-on's texts in other languages: English as the code has it -> translated. No bpy.

The words are those of Blender's own interface in that language. A test (tests/addon/test_translations.py) sees to it
that no text is missing, none is left over, and that all {names} are kept.
"""

from __future__ import annotations

from . import korean_labels, korean_sentences, korean_tooltips

LANGUAGES: dict[str, dict[str, str]] = {
    "ko_KR": {**korean_labels.TEXTS, **korean_tooltips.TEXTS, **korean_sentences.TEXTS},
}
"""Blender's name of a language -> its texts."""
