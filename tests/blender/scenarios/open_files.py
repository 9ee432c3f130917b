"""Opens and saves files around a job, without a window. Arguments: the zip, a folder."""

import importlib
import os
import sys
from pathlib import Path

import bpy

sys.path.append(str(Path(__file__).parents[1] / "rig"))

from install import install_addon

addon, folder = sys.argv[-2:]
first, second = os.path.join(folder, "first.blend"), os.path.join(folder, "second.blend")
for path in (first, second):
    bpy.ops.wm.save_as_mainfile(filepath=path)
session = importlib.import_module(f"{install_addon(addon)}.session")
bpy.ops.wm.open_mainfile(filepath=first)
assert bpy.app.timers.is_registered(session._look_once), "opening a file does not end the search for earlier jobs"


class Job:
    """One that is at work."""

    workspace, previews, done, gone = Path(folder), 0, None, False

    def pump(self):
        return False

    def close(self):
        pass


def expected_after(opened):
    current = session.SESSION
    current.job, current._expected = Job(), True
    current.step()
    bpy.ops.wm.open_mainfile(filepath=opened)
    return current._expected


assert expected_after(first), "the same file again"
assert not expected_after(second), "another file"
bpy.ops.wm.read_homefile(use_empty=True)
session.SESSION.job, session.SESSION._expected = Job(), True
session.SESSION.step()
bpy.ops.wm.read_homefile(use_empty=True)
assert not session.SESSION._expected, "another file without a name"
print("ALL CHECKED")
