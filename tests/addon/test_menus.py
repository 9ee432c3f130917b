"""Whatever a user can do is in a menu: Blender's search finds menu entries alone."""

import ast
import re
from pathlib import Path

import blender_dreamfusion

ADDON = Path(blender_dreamfusion.__file__).parent


def operators():
    """The names of those that are of use by themselves: not internal, nor Blender's way to add a preset."""
    for path in ADDON.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "bpy.types.Operator" for base in node.bases):
                source = ast.unparse(node)
                if "'INTERNAL'" not in source and "AddPresetBase" not in source:
                    yield re.search(r"bl_idname = '([\w.]+)'", source)[1]


def test_every_operator_is_in_the_menu():
    tree = ast.parse((ADDON / "menus.py").read_text(encoding="utf-8"))
    menu = next(node for node in tree.body if getattr(node, "name", "") == "DREAMFUSION_MT_actions")
    words = {node.value for node in ast.walk(menu) if isinstance(node, ast.Constant)}
    found = {name for name in operators() if name in words or name.removeprefix("dreamfusion.") in words}
    assert len(found) >= 16
    assert found == set(operators())
