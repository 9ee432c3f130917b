"""Prints what is in a .blend, as one line of JSON after INSPECTED."""

import json
import sys

import bpy

bpy.ops.wm.open_mainfile(filepath=sys.argv[-1])
thing = bpy.context.active_object
image = next(node for node in thing.data.materials[0].node_tree.nodes if node.type == "TEX_IMAGE").image
facts = {
    "objects": [thing.name for thing in bpy.data.objects],
    "polygons": len(thing.data.polygons),
    "packed": image.packed_file is not None,
    "seed": thing["seed"],
    "height": round(thing.dimensions.z, 6),
    "asset": thing.asset_data is not None,
}
print("INSPECTED", json.dumps(facts))
