"""A slow and plain answer to which texels a triangle covers."""

import numpy as np


def claims(uv, size):
    """How many triangles cover each texel centre: one triangle at a time, by the sign of three cross products."""
    count = np.zeros((size, size), int)
    centre = (np.arange(size) + 0.5) / size
    for a, b, c in uv.astype(np.float64):
        low, high = np.min([a, b, c], axis=0), np.max([a, b, c], axis=0)
        columns, rows = (np.flatnonzero((centre >= low[i]) & (centre <= high[i])) for i in (0, 1))
        x, y = np.meshgrid(centre[columns], centre[rows])
        sides = [(q[0] - p[0]) * (y - p[1]) - (q[1] - p[1]) * (x - p[0]) for p, q in ((a, b), (b, c), (c, a))]
        within = np.all([side > 1e-9 for side in sides], axis=0) | np.all([side < -1e-9 for side in sides], axis=0)
        count[np.ix_(rows, columns)] += within
    return count[::-1]  # row 0 is the top
