"""A packager sets the trainer up without a window and asks it for a picture. Arguments: the zip, a folder of wheels."""

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parents[1] / "rig"))

from install import install_addon

addon, wheels = sys.argv[-2:]
module = install_addon(addon)
preferences = importlib.import_module(f"{module}.preferences")
environment = preferences.environment()
assert not preferences.trainer_python()
assert not environment.folder.exists()
settings = bpy.context.preferences.addons[module].preferences
settings.wheels_folder = wheels
assert bpy.ops.dreamfusion.set_up_trainer() == {"FINISHED"}
python = preferences.trainer_python()
assert Path(python).is_relative_to(environment.folder), python
assert preferences.installed_trainer_python() == python

root = importlib.import_module(f"{module}.core_files").ROOT
picture = environment.folder.parent / "burger.png"
command = [python, "-m", "core", "image", "a hamburger", "--out", str(picture), "--steps", "5"]
subprocess.run(command, cwd=root, check=True)
assert picture.stat().st_size > 500, "the trainer works"

bpy.ops.preferences.addon_disable(module=module)
shutil.rmtree(root)
assert Path(python).exists(), "the environment outlives the add-on"
assert install_addon(addon) == module
preferences = importlib.import_module(f"{module}.preferences")
assert preferences.trainer_python() == python, "and serves the next version of it"
assert bpy.ops.dreamfusion.remove_trainer() == {"FINISHED"}
assert not environment.folder.exists()
assert not preferences.trainer_python()
print("ALL CHECKED")
