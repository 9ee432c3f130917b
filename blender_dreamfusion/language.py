"""What the add-on says, in the language of Blender's interface. No bpy.

The code is in English, and translations/ holds the other languages. Blender itself translates labels and tooltips. What
code says goes through :func:`say`, so that the text that is looked up is constant and its values come in afterwards.
"""

from __future__ import annotations

from collections.abc import Callable

from .translations import LANGUAGES

_CONTEXTS = ("*", "Operator")  # Blender's: of labels and tooltips, and of the names of operators


def _as_it_is(text: str) -> str:
    return text


def _english() -> str:
    return ""


_translate: Callable[[str], str] = _as_it_is
_locale: Callable[[], str] = _english


def use(translate: Callable[[str], str] = _as_it_is, locale: Callable[[], str] = _english) -> None:
    """Translate by `translate` from now on; `locale` tells the language, such as ko_KR. By default English."""
    global _translate, _locale
    _translate, _locale = translate, locale


def use_locale(locale: str) -> None:
    """Translate without Blender: into this language, or not at all where there is none of this name."""
    texts = LANGUAGES.get(locale, {})
    use(lambda text: texts.get(text, text), lambda: locale)


def locale() -> str:
    """The language that is spoken; empty for English."""
    return _locale()


def say(sentence: str, **values: object) -> str:
    """The sentence in the user's language, with `values` in the places of its {names}."""
    translated = _translate(sentence)
    return translated.format(**values) if values else translated


def for_blender() -> dict[str, dict[tuple[str, str], str]]:
    """All languages as bpy.app.translations takes them."""
    return {
        name: {(context, text): translated for context in _CONTEXTS for text, translated in texts.items()}
        for name, texts in LANGUAGES.items()
    }
