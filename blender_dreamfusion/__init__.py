"""DreamFusion for Blender: type a prompt in the sidebar, get a textured object.

The work is done by a trainer in a process of its own (core/); here are its panel, and what starts and follows it.
Modules that need Blender are imported by register() alone, so that the others can be used and tested without it.
"""

import importlib.util
import sys

bl_info = {
    "name": "DreamFusion",
    "description": "Text to a textured mesh",
    "author": "DreamFusion for Blender authors",
    "version": (0, 1, 0),
    "blender": (3, 4, 0),
    "location": "View3D > Sidebar > DreamFusion",
    "category": "3D View",
}


def register() -> None:
    """Add the panel, its settings and the preferences. Raises ImportError where Blender comes without numpy."""
    if importlib.util.find_spec("numpy") is None:  # which Debian's does
        raise ImportError("DreamFusion needs numpy: install it (apt install python3-numpy), then start Blender again.")
    from . import registration

    registration.register()


def unregister() -> None:
    """Take everything away, and end a trainer that is at work."""
    from . import registration

    registration.unregister()
    prefix = f"{__package__}."
    for name in [name for name in sys.modules if name.startswith(prefix)]:  # the next register() loads them afresh
        del sys.modules[name]
        globals().pop(name.removeprefix(prefix), None)
