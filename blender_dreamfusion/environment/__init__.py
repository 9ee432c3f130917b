"""Makes, checks and removes the trainer's Python environment; its own program, run by Blender's Python.

Standard library alone, no bpy. Blender starts ``__main__`` as a process of its own (see setup_process.py) and reads one
event a line from it (events.py); a closed standard input cancels it, so it also ends when Blender dies.

The environment is a virtual one in a folder outside of the add-on's, so that it outlives the add-on's upgrades and
serves every Blender of the user::

    venv/               the environment
    environment.json    what it was made for, and whether it is complete: written first and last
    cache/              what was downloaded so far; deleted at the end
    setup.log           what pip printed
"""
