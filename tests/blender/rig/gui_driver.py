"""Runs inside a real, windowed Blender (started by window.py) and drives it with xdotool.

A scenario file defines ``def scenario(gui)``, a generator. Each ``yield SECONDS`` hands control back to Blender's event
loop, so clicks sent before it are handled and the window is redrawn after it; the Gui methods marked "Generator" are
called with ``yield from``. A check that fails, or an exception, fails the run but still takes a last picture and quits.
"""

import importlib.util
import itertools
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parent))

from install import install_addon

OUT = Path(os.environ["GUI_OUT"])
STEP = 0.15  # seconds given to Blender for one event and its redraw


class Gui:
    """The window, its mouse and keyboard, and the checks made so far."""

    def __init__(self):
        self.arguments = sys.argv[sys.argv.index("--") + 1 :]
        self.addon = ""  # module name, once installed
        self.checks = []
        self._last_y = 10**6  # of the last button that was found
        self._seen = {}  # where each button was found last, by what was wanted in which region

    @property
    def window(self):
        return bpy.context.window_manager.windows[0]

    def area(self, kind="VIEW_3D"):
        return max((a for a in self.window.screen.areas if a.type == kind), key=lambda a: a.width * a.height)

    def region(self, kind="UI", area="VIEW_3D"):
        return next(r for r in self.area(area).regions if r.type == kind)

    def override(self, area="VIEW_3D", region="WINDOW"):
        return bpy.context.temp_override(window=self.window, area=self.area(area), region=self.region(region, area))

    def xdo(self, *args):
        subprocess.run(["xdotool", *map(str, args)], check=True, timeout=20)

    def move(self, x, y):
        """Blender counts y from the bottom, X from the top; the window fills the screen."""
        self.xdo("mousemove", int(x), self.window.height - 1 - int(y))

    def click(self, x, y):
        """Generator: a click, with a pause before it so that the button under the pointer wakes up."""
        self.move(x - 1, y)
        yield from turns(STEP)
        self.move(x, y)
        yield from turns(STEP)
        self.xdo("click", 1)
        yield from turns(2 * STEP)

    def keys(self, *names):
        """Generator: press keys over the middle of the 3D view."""
        region = self.region("WINDOW")
        self.move(region.x + region.width / 3, region.y + region.height / 2)
        yield STEP
        self.xdo("key", *names)
        yield from turns(3 * STEP)

    def search(self, words):
        """Generator: find something by Blender's search, F3, and do it."""
        yield from self.keys("F3")
        self.xdo("type", "--delay", 60, words)
        yield from turns(4 * STEP)
        self.shot("search")
        self.xdo("key", "Return")
        yield from turns(2 * STEP)

    def fill(self, field, text):
        """Generator: click a text field of the sidebar, type a new text into it, press Return."""
        at = yield from self.find_button(field)
        self.move(*at)
        yield STEP
        self.xdo("click", "--repeat", 2, "--delay", 80, 1)
        yield from turns(2 * STEP)
        self.xdo("key", "ctrl+a")
        yield STEP
        self.xdo("type", "--delay", 30, text)
        yield from turns(2 * STEP)
        self.xdo("key", "Return")
        yield from turns(2 * STEP)

    def shot(self, name):
        """A picture of the screen as a user sees it."""
        subprocess.run(["import", "-window", "root", OUT / f"{name}.png"], check=True, timeout=30)

    def check(self, ok, text):
        self.checks.append({"ok": bool(ok), "text": text})
        print("PASS" if ok else "FAIL", text, flush=True)

    def wait_for(self, predicate, text, seconds=20):
        """Generator: wait until predicate() is true, and record it as a check."""
        end = time.monotonic() + seconds
        while not predicate() and time.monotonic() < end:
            yield STEP
        self.check(predicate(), text)

    def open_tab(self, category, panel):
        """Generator: show the sidebar with tab `category` in front, which holds `panel` (a class).

        Blender 4.2 and newer set the tab from Python. In older ones the tab strip is clicked from the top down until
        the panel is drawn.
        """
        self.area().spaces.active.show_region_ui = True
        yield from turns(4 * STEP)
        region = self.region()
        prop = region.bl_rna.properties.get("active_panel_category")
        if prop is not None and not prop.is_readonly:
            region.active_panel_category = category
            region.tag_redraw()
            yield from turns(2 * STEP)
            self.check(region.active_panel_category == category, f"the tab {category} is in front")
        else:
            yield from self._click_tabs(category, panel)

    def _click_tabs(self, category, panel):
        drawn = []
        region = self.region()

        def probe(_panel, _context):
            drawn.append(1)

        panel.append(probe)  # a panel's draw functions run only while its tab is in front
        try:
            scale = bpy.context.preferences.system.ui_scale
            y = region.height - 30 * scale
            while not drawn and y > 0:
                yield from self.click(region.x + region.width - 9 * scale, region.y + y)
                region.tag_redraw()
                yield STEP
                y -= 24 * scale
        finally:
            panel.remove(probe)
        self.check(drawn, f"the tab {category} is in front")

    def unfold(self, panel):
        """Before its tab is opened first: show a sub-panel open, below the others. A user clicks its header once."""
        bpy.utils.unregister_class(panel)
        panel.bl_options = set()
        bpy.utils.register_class(panel)

    def right_edge(self):
        """The share of the sidebar's width at which a small button at the right edge lies, left of the tabs."""
        return 1 - 45 * bpy.context.preferences.system.ui_scale / self.region().width

    def find_button(self, wanted, across=(0.6, 0.3), kind="UI", area="VIEW_3D"):
        """Generator: the window position of a region's button for an operator or property; by default the sidebar's.

        Moves the pointer over the region, at these shares of its width, and asks Blender, with its own copy-command
        operators, what lies under it; more slowly from sweep to sweep, as a busy machine answers late.
        """
        key = (wanted, kind, area, tuple(across))
        spots = list(self._spots(self.region(kind, area), across))
        before = self._seen.get(key, spots[0])
        for pause, spot in itertools.product((0.06, 0.3), [before, *spots]):
            self.move(*spot)
            yield pause
            if wanted in self._under_pointer(kind, area):
                for place in (spot, before):  # a busy Blender answers a turn of its loop late
                    self.move(*place)
                    yield from turns(2 * STEP)
                    if wanted in self._under_pointer(kind, area):
                        self.check(True, f"{wanted} was found")
                        self._last_y, self._seen[key] = place[1], place
                        return place
            before = spot
        raise AssertionError(f"{wanted} was not found in the region {kind} of {area}")

    def _spots(self, region, across):
        """Where to look, nearest to the height of the last find first, at all these shares of the width.

        The steps are smaller than a button is high, 20 pixels at a scale of 1.
        """
        step = int(14 * bpy.context.preferences.system.ui_scale)
        heights = range(region.y + region.height - step, region.y + step, -step)
        start = min(self._last_y, region.y + region.height)  # at first the top
        for y in sorted(heights, key=lambda y: abs(y - start)):
            yield from ((region.x + int(region.width * share), y) for share in across)

    def _under_pointer(self, kind, area):
        """The operator or the property under the pointer, such as {"dreamfusion.generate"}."""
        found = set()
        manager = bpy.context.window_manager
        with self.override(area, kind):
            for copy in (bpy.ops.ui.copy_python_command_button, bpy.ops.ui.copy_data_path_button):
                manager.clipboard = ""
                try:
                    if copy.poll():
                        copy()
                except (RuntimeError, TypeError):
                    continue
                text = manager.clipboard
                found.add(text.split("(")[0].removeprefix("bpy.ops.") if "(" in text else text.rpartition(".")[2])
        return found

    def press(self, wanted, **where):
        """Generator: find a button as find_button does and click it."""
        at = yield from self.find_button(wanted, **where)
        yield from self.click(*at)


def turns(seconds):
    """Generator: two turns of Blender's loop at least: in a turn timers come before the events that it has heard."""
    yield seconds / 2
    yield seconds / 2


def steps_of(gui):
    """Generator: install the add-on, then the scenario's steps."""
    gui.addon = install_addon(os.environ["GUI_ADDON"])
    yield STEP
    spec = importlib.util.spec_from_file_location("gui_scenario", os.environ["GUI_SCENARIO"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    yield from module.scenario(gui)


def main():
    gui = Gui()
    steps = steps_of(gui)
    preferences = bpy.context.preferences
    preferences.view.show_splash = False
    preferences.use_preferences_save = False

    def finish(error=""):
        gui.shot("last")
        report = {"blender": bpy.app.version_string, "checks": gui.checks, "error": error}
        (OUT / "results.json").write_text(json.dumps(report, indent=1))
        bpy.ops.wm.quit_blender()

    def tick():
        try:
            return next(steps) or STEP
        except StopIteration:
            finish()
        except BaseException:  # noqa: BLE001 - whatever it is, the run must end with a report
            traceback.print_exc()
            finish(traceback.format_exc())
        return None

    # A timer first runs from the event loop, once the window is there; persistent: survives file loads.
    bpy.app.timers.register(tick, first_interval=1.0, persistent=True)


main()
