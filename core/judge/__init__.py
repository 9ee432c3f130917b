"""The judge of finished meshes: what `evaluate` measures, and the small classifier that it measures with."""
