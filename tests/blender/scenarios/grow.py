"""What an artist may do while an object grows: move it, rename it, work elsewhere, undo, save, open, delete, look.

Arguments: a trainer's Python whose jobs end when the file "go" is in the folder, that folder.
"""

import importlib
import os
from pathlib import Path

import bpy


def scenario(gui):
    quick, folder = gui.arguments
    go = Path(folder, "go")
    session = importlib.import_module(f"{gui.addon}.session").SESSION
    bpy.context.preferences.addons[gui.addon].preferences.trainer_python = quick
    scene = bpy.context.scene
    scene.cursor.location = (3, 0, 0)
    scene.dreamfusion_object.height = 2.0
    yield from gui.open_tab("DreamFusion", bpy.types.DREAMFUSION_PT_main)
    scene.dreamfusion.prompt = "a red cube"
    selected = names(bpy.context.selected_objects)

    # Nothing done in between: one undo takes all of it away, one redo brings it back.
    before = contents()
    go.unlink(missing_ok=True)
    bpy.ops.dreamfusion.generate()
    yield from gui.wait_for(lambda: growing(), "a coarse mesh stands in the scene", 60)
    thing = growing()[0]
    gui.check(
        tuple(thing.location) == (3, 0, 0) and abs(thing.dimensions.z - 2) < 1e-5, "at the cursor, as high as asked"
    )
    gui.check(names(bpy.context.selected_objects) == selected, "and leaves the selection alone")
    width = thing.dimensions.x
    yield from gui.wait_for(lambda: growing()[0].dimensions.x > width, "and grows", 20)
    gui.check(len(bpy.data.meshes) == len(before["meshes"]) + 1, "in one mesh")
    yield 0.5
    gui.shot("1_growing")
    yield from finish(gui, session, go)
    gui.check(names(bpy.data.objects) == before["objects"] | {"a red cube"}, "it becomes the finished object")
    check_finished(gui, bpy.data.objects["a red cube"])
    gui.check(names(bpy.context.selected_objects) == selected, "and still leaves the selection alone")
    yield from gui.keys("ctrl+z")
    yield 1.0
    gui.check(contents() == before, f"one undo takes it away: {contents()}")
    yield from gui.keys("ctrl+shift+z")
    yield 1.0
    check_finished(gui, bpy.data.objects["a red cube"])
    gui.shot("2_redone")

    # Moved, renamed and worked beside.
    yield from grow_another(gui, go)
    thing = growing()[0]
    with gui.override():
        select(thing)
        bpy.ops.transform.translate("EXEC_DEFAULT", True, value=(0, 4, 0))
        bpy.ops.transform.rotate("EXEC_DEFAULT", True, value=0.5)
        bpy.ops.transform.resize("EXEC_DEFAULT", True, value=(1, 1, 0.5))
    thing = growing()[0]
    thing.name = "mine"
    place = thing.matrix_basis.copy()
    with gui.override():
        bpy.ops.ed.undo_push(message="Rename")
    yield from gui.keys("ctrl+z")
    yield 0.3
    yield from gui.keys("ctrl+shift+z")
    yield 0.3
    gui.check(growing() and not is_empty(growing()[0]), "undo and redo while it grows")
    yield from finish(gui, session, go)
    thing = bpy.data.objects["mine"]
    check_finished(gui, thing)
    gui.check(thing.matrix_basis == place, "where it was moved to")
    yield from gui.keys("ctrl+z")
    yield 1.0
    gui.check(is_empty(bpy.data.objects["mine"]), "undo shows nothing of it")
    path = os.path.join(folder, "saved.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    gui.check("mine" not in bpy.data.objects and not growing(), "nor is it saved")
    yield from gui.keys("ctrl+shift+z")
    yield 1.0
    check_finished(gui, bpy.data.objects["mine"])

    # Deleted: it stays away until the end.
    yield from grow_another(gui, go)
    before = names(bpy.data.objects) - names(growing())
    with gui.override():
        select(growing()[0])
        bpy.ops.object.delete("EXEC_DEFAULT", True)
    yield 2.0
    gui.check(not growing(), "deleted, it stays away")
    yield from finish(gui, session, go)
    gui.check(len(set(names(bpy.data.objects)) - before) == 1, "until it is finished")

    # Saved while it grows, and opened again; in Edit Mode it waits; trained longer it is renewed in place.
    yield from grow_another(gui, go)
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    yield 1.0
    gui.check(not growing(), "nothing grows in another file")
    bpy.ops.wm.open_mainfile(filepath=path)
    yield 1.0
    thing = growing()[0]
    name, faces = thing.name, len(thing.data.polygons)
    with gui.override():
        select(thing)
        bpy.ops.object.mode_set(mode="EDIT")
        bpy.ops.mesh.select_all(action="SELECT")
    yield 1.5
    gui.check(len(growing()[0].data.polygons) == faces, "in Edit Mode it is left alone")
    with gui.override():
        bpy.ops.object.mode_set(mode="OBJECT")
    yield from finish(gui, session, go)
    check_finished(gui, bpy.data.objects[name])
    objects = names(bpy.data.objects)
    bpy.data.objects[name].scale = (2, 2, 2)
    old = bpy.data.objects[name].data.as_pointer(), len(bpy.data.images)
    with gui.override():
        bpy.ops.ed.undo_push(message="Scaled")
    bpy.ops.dreamfusion.train_longer("EXEC_DEFAULT", epochs=session.job.record.epochs + 2)
    yield from gui.wait_for(lambda: not session.queue.busy and not session.arrivals, "it is trained longer", 60)
    thing = bpy.data.objects[name]
    gui.check(names(bpy.data.objects) == objects, f"no second object comes: {names(bpy.data.objects)}")
    gui.check(thing.data.as_pointer() != old[0] and len(bpy.data.images) == old[1], "it has a new mesh and picture")
    check_finished(gui, thing)
    gui.check(tuple(thing.scale) == (2, 2, 2), "and its size")

    # Deleted with its job.
    yield from grow_another(gui, go)
    session.queue.cancel(session.job)
    yield from gui.wait_for(lambda: not session.queue.busy, "cancelled", 20)
    gui.check(growing(), "what has grown stays, to be resumed")
    gui.check(session.delete(session.job), "the job is deleted")
    gui.check(not growing(), "and what grew of it")
    yield from gui.keys("ctrl+z")
    yield 1.0
    gui.check(not [thing for thing in growing() if not is_empty(thing)], "and is not called back by an undo")

    # Switched off.
    scene = bpy.context.scene
    scene.dreamfusion.grow = False
    go.unlink(missing_ok=True)
    bpy.ops.dreamfusion.generate()
    yield from gui.wait_for(lambda: session.job.fraction == 1, "another one is trained", 60)
    yield 1.0
    gui.check(not growing(), "and not shown")
    gui.shot("3_last")
    go.touch()
    yield from gui.wait_for(lambda: not session.queue.busy and not session.arrivals, "but comes at its end", 60)


def grow_another(gui, go):
    """Generator: start a job and see it grow."""
    go.unlink(missing_ok=True)
    bpy.ops.dreamfusion.generate()
    yield from gui.wait_for(growing, "another one grows", 60)


def finish(gui, session, go):
    """Generator: let the job end, and its object arrive."""
    go.touch()
    yield from gui.wait_for(lambda: not session.queue.busy and not session.arrivals, "the job ends", 60)
    gui.check(not growing(), "and nothing grows any more")


def check_finished(gui, thing):
    mesh = thing.data
    gui.check(mesh.uv_layers and len(mesh.materials) == 1, f"{thing.name} is finished: {mesh.materials[:]}")
    textures = [node.image for node in mesh.materials[0].node_tree.nodes if node.type == "TEX_IMAGE"]
    gui.check(textures and textures[0].packed_file, "with a texture")
    gui.check("growing" not in mesh and mesh.name.startswith("a red cube"), "and has nothing of the coarse mesh")
    left = [material.name for material in bpy.data.materials if "growing" in material]
    gui.check(not left, f"nor has the file: {left}")


def growing():
    return [thing for thing in bpy.data.objects if thing.type == "MESH" and "growing" in thing.data]


def is_empty(thing):
    return not thing.data.vertices


def names(things):
    return {thing.name for thing in things}


def contents():
    return {kind: names(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "materials", "images")}


def select(thing):
    bpy.ops.object.select_all(action="DESELECT")
    thing.select_set(True)
    bpy.context.view_layer.objects.active = thing
