import io

import imageio.v3 as iio
import numpy as np

from core.pixels import to_pixels, to_png


def test_pixels_are_rounded_and_cut_off():
    assert to_pixels(np.array([-1.0, 0.0, 0.5, 0.6, 1.0, 2.0])).tolist() == [0, 0, 128, 153, 255, 255]


def test_png_rows_start_at_the_top():
    picture = np.zeros((2, 1, 3), np.uint8)
    picture[0] = 255
    assert iio.imread(io.BytesIO(to_png(picture)))[:, 0].tolist() == [[255] * 3, [0] * 3]
