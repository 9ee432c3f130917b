"""Takes the pictures of the README's "Use it in Blender": python docs/make_screenshots.py [--version 5.0.1]

Installs the built zip in a real window on a virtual screen (see tests/blender), makes a hamburger with the starter
model, and writes docs/panel.png, working.jpg, finished.jpg and preferences.png. Needs what the Blender tests need; the
Python that runs this is the trainer's.
"""

from __future__ import annotations

import argparse
import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCS = Path(__file__).resolve().parent
RIG = DOCS.parent / "tests" / "blender" / "rig"
SIZE = (1280, 960)  # pixels of the screen
PROMPT = "a hamburger"
GROWN = 0.55  # how much of the work is done in the picture of a job at work
LONGEST = 900.0  # seconds that the job may take
QUALITY = "82"  # of a JPEG, in percent
PANEL = 520  # pixels from the sidebar's top to the end of what is in it
PREFERENCES = "870x248+172+282"  # what the add-on draws there, below what Blender says of each add-on
HOME = "/home/artist"  # as the preferences show it


def main() -> None:
    """Build, run Blender with this file as the scenario, cut the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--version", default="5.0.1", help="of Blender; default: %(default)s")
    version = parser.parse_args().version
    sys.path[:0] = [str(DOCS.parent), str(RIG)]
    blenders, window, build_addon = (importlib.import_module(name) for name in ("blenders", "window", "build_addon"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder, "out")
        addon = build_addon.build(Path(folder, "dist"))
        window.run_scenario(blenders.blender_program(version), __file__, out, addon, [sys.executable], limit=1800)
        for line in (out / "crops.txt").read_text().splitlines():
            name, crop = line.split()
            save(out / f"{Path(name).stem}.png", DOCS / name, crop)


def save(source: Path, target: Path, crop: str) -> None:
    """Cut a picture out of a screenshot; few colours are enough for a PNG of buttons."""
    few = ["+dither", "-colors", "128"] if target.suffix == ".png" else ["-quality", QUALITY]
    subprocess.run(["convert", source, "-crop", crop, "+repage", "-strip", *few, target], check=True)
    print(f"{target} ({target.stat().st_size / 1000:.0f} kB)")


def scenario(gui: Any) -> Iterator[float]:
    """Generator, in Blender: a user's way from the preferences to the finished object."""
    import bpy

    session = importlib.import_module(f"{gui.addon}.session").SESSION
    preferences = bpy.context.preferences.addons[gui.addon].preferences
    preferences.base_python = "/usr/bin/python3"
    preferences.environment_folder, preferences.jobs_folder = f"{HOME}/trainer", f"{HOME}/jobs"
    bpy.context.preferences.system.use_online_access = True
    yield from show_preferences(gui, bpy)
    yield from shoot(gui, "preferences")
    gui.area("PREFERENCES").type = "VIEW_3D"
    yield 1.0
    preferences.trainer_python, preferences.jobs_folder = gui.arguments[0], ""
    for thing in list(bpy.data.objects):
        if thing.type == "MESH":
            bpy.data.objects.remove(thing)
    look(gui)
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    yield from gui.fill("prompt", PROMPT)
    sidebar = gui.region()
    panel = f"{sidebar.width}x{PANEL}+{sidebar.x}+{gui.window.height - sidebar.y - sidebar.height}"
    yield from shoot(gui, "panel")
    yield from gui.press("dreamfusion.generate")
    yield from gui.wait_for(lambda: session.job and session.job.fraction > GROWN, "the object grows", LONGEST)
    yield from shoot(gui, "working")
    yield from gui.wait_for(lambda: bpy.data.objects.get(PROMPT) and not session.queue.busy, "it is done", LONGEST)
    bpy.context.scene.objects[PROMPT].select_set(False)
    gui.area().spaces.active.shading.type = "MATERIAL"
    yield from settle(gui, 40)
    yield from shoot(gui, "finished")
    whole = f"{SIZE[0]}x{SIZE[1]}+0+0"
    crops = {"preferences.png": PREFERENCES, "panel.png": panel, "working.jpg": whole, "finished.jpg": whole}
    lines = [f"{name} {crop}" for name, crop in crops.items()]
    Path(os.environ["GUI_OUT"], "crops.txt").write_text("\n".join(lines))


def show_preferences(gui: Any, bpy: Any) -> Iterator[float]:
    """Generator: the add-on's preferences in the main area, once they have looked at the computer."""
    gui.move(2, 2)  # a tooltip would stay
    gui.area().type = "PREFERENCES"
    bpy.context.preferences.active_section = "ADDONS"
    bpy.context.window_manager.addon_search = "DreamFusion"
    if bpy.app.version >= (4, 2, 0):
        bpy.context.window_manager.extension_search = "DreamFusion"
    with gui.override("PREFERENCES"):
        bpy.ops.preferences.addon_expand(module=gui.addon)
    setup = importlib.import_module(f"{gui.addon}.trainer_setup").SETUP
    yield from gui.wait_for(lambda: setup.survey, "the computer is looked at", 60)
    yield 1.0


def shoot(gui: Any, name: str) -> Iterator[float]:
    """Generator: a picture without the pointer's tooltip or highlight."""
    gui.move(2, 2)
    yield 1.0
    gui.shot(name)


def look(gui: Any) -> None:
    """A view of where the object will stand, about a metre high."""
    view = gui.area().spaces.active
    view.region_3d.view_distance = 4.2
    view.region_3d.view_location = (0.0, 0.0, 0.45)
    view.overlay.show_extras = False
    view.shading.color_type = "TEXTURE"


def settle(gui: Any, seconds: float) -> Iterator[float]:
    """Generator: let Blender compile its shaders and draw."""
    for _ in range(int(seconds)):
        gui.area().tag_redraw()
        yield 1.0


if __name__ == "__main__":
    main()
