"""Every text that a user may see has a translation, and no translation is left over.

The texts are read from the source: what looks like words, or is given to Blender as a name or a tooltip.
"""

import ast
import re
import string
from pathlib import Path

import pytest

import blender_dreamfusion
from blender_dreamfusion import language
from blender_dreamfusion.translations import LANGUAGES

ADDON = Path(blender_dreamfusion.__file__).parent
FOR_TERMINALS = ("batch.py", "batch_arguments.py", "headless.py", "prompts.py")
BEFORE_BLENDER_ASKS = ("__init__.py", "core_files.py", "__main__.py")  # but what these say through say()
WORDS = re.compile(r"[A-Z][a-z]+|.*[A-Za-z]{2,}\W* .*[A-Za-z]{2,}.*", re.DOTALL)  # one capitalised, or several
NOT_FOR_USERS = {
    *("Roughness", "Color", "Base Color", "Normal"),  # Blender's own names
    *("--preset draft", "--device cpu", "--device auto", "--sd_version mvdream"),  # what the panel replaces
    *("settings = bpy.context.scene.dreamfusion", "thing = bpy.context.scene.dreamfusion_object"),
    *("Library", "Application Support", "Local", "Scripts", "Operator"),
    *("Ready on {}: {} GB in {}", "no event: {}", "Blender's Python was not found"),  # nobody sees these
    *(
        "Apple GPU",
        "AMD GPU ({})",
        "CPU",
        "Metal",
        "Metal (MPS)",
        "Python",
        "Perp-Neg",
    ),  # names are the same everywhere
    *("a blue car", "a green lighthouse", "a yellow teapot", "a pink cake", "a wooden chair"),  # the model's English
    "a snowman with a white hat",
    *("Stable Diffusion 2.1", "Stable Diffusion 2.1 768", "Stable Diffusion 2.0", "Stable Diffusion 1.5"),
    *("Stable Diffusion XL", "Stable Diffusion 3.5 Medium", "DeepFloyd IF"),
    *("No space left on device", "Disk quota exceeded", "Failed to establish a new connection"),  # pip's
    *("Read timed out", "Connection reset", "Connection aborted", "Using cached ", "Installing collected packages"),
    "WARNING: Retrying ",
    *(r"Progress (\d+) of (\d+)", r"ERROR: No matching distribution found for (\S+)"),
    r"C:\Program Files\NVIDIA Corporation\NVSMI\nvidia-smi.exe",
}


def sources():
    for path in sorted(ADDON.rglob("*.py")):
        if path.name not in FOR_TERMINALS and path.parent.name != "translations":
            yield path, ast.parse(path.read_text(encoding="utf-8"))


def is_kind(node, *bases):
    """Whether this is a class of Blender's that shows its docstring as a tooltip, or the like."""
    return isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith(bases) for base in node.bases)


def docstrings(tree):
    """The constants that stand alone: nobody but the reader of the source sees them."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}


def said(tree):
    """What is given to say() as it is."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "say" and isinstance(node.args[0], ast.Constant):
            yield node.args[0].value


def named(tree):
    """What Blender shows: names and tooltips of properties, texts of layouts, labels and tooltips of classes."""
    for node in ast.walk(tree):
        if is_kind(node, "Operator", "Menu"):
            yield ast.get_docstring(node)
        for keyword in node.keywords if isinstance(node, ast.Call) else ():
            of_property = ast.unparse(node.func).startswith("bpy.props.") and keyword.arg in ("name", "description")
            if of_property or keyword.arg in ("text", "heading"):
                yield from (part.value for part in ast.walk(keyword.value) if is_text(part))
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "bl_label":
            yield node.value.value


def is_text(node):
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def wordy(tree):
    """Whatever else looks like words; of an f-string, which cannot be translated, with {} for its values."""
    passed_over = docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed_over |= {id(part) for part in ast.walk(node)}
            yield "".join(part.value if is_text(part) else "{}" for part in node.values)
        elif is_text(node) and id(node) not in passed_over:
            yield node.value


def texts():
    """All that has to be translated."""
    found = set()
    for path, tree in sources():
        found.update(said(tree))
        if path.name not in BEFORE_BLENDER_ASKS:
            found.update(text for text in named(tree) if re.search("[A-Za-z]{2}", text))
            found.update(text for text in wordy(tree) if WORDS.fullmatch(text) and "import " not in text)
    return found - NOT_FOR_USERS


def placeholders(text):
    return sorted((name, spec) for _, name, spec, _ in string.Formatter().parse(text) if name is not None)


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_text_has_a_translation(locale):
    missing = texts() - LANGUAGES[locale].keys()
    assert not missing, f"translate in blender_dreamfusion/translations, or list in NOT_FOR_USERS: {sorted(missing)}"


@pytest.mark.parametrize("locale", LANGUAGES)
def test_no_translation_is_left_over(locale):
    used = {node.value for _, tree in sources() for node in ast.walk(tree) if is_text(node)}
    used |= {ast.get_docstring(node) for _, tree in sources() for node in ast.walk(tree) if is_kind(node, "Operator")}
    assert not LANGUAGES[locale].keys() - used


@pytest.mark.parametrize("locale", LANGUAGES)
def test_translations_keep_values_and_ends(locale):
    for text, translated in LANGUAGES[locale].items():
        assert placeholders(text) == placeholders(translated), text
        assert translated.strip() == translated, text
        assert text.endswith("...") == translated.endswith("..."), text


def test_no_text_is_listed_for_nothing():
    everything = {text for _, tree in sources() for text in (*wordy(tree), *named(tree))}
    assert not NOT_FOR_USERS - everything


def test_korean_is_korean():
    same = {text for text, translated in LANGUAGES["ko_KR"].items() if not re.search("[가-힣]", translated)}
    assert same == {"DreamFusion", "Stable Diffusion", "BFloat16"}


def test_a_sentence_is_filled_in_after_it_is_translated():
    assert language.say("{time} left", time="1:20") == "1:20 left"
    language.use_locale("ko_KR")
    try:
        assert language.say("{time} left", time="{x}") == "{x} 남음"
        assert language.say("what nobody knows {x}") == "what nobody knows {x}"
        assert language.locale() == "ko_KR"
    finally:
        language.use()
    assert language.say("{time} left", time="1:20") == "1:20 left"
    assert language.locale() == ""


def test_blender_gets_labels_and_operators_names():
    korean = language.for_blender()["ko_KR"]
    assert korean["*", "Prompt"] == korean["Operator", "Prompt"] == "프롬프트"
    assert len(korean) == 2 * len(LANGUAGES["ko_KR"])
