import numpy as np

from core.texels import Texels, covered_texels
from tests.core.claims import claims


def test_covered_texels_agree_with_a_plain_loop():
    uv = np.random.default_rng(0).random((40, 3, 2)).astype(np.float32)
    counted = np.zeros(64 * 64, int)
    for texel, face, share in covered_texels(uv, 64):
        counted += np.bincount(texel, minlength=64 * 64)
        row, column = np.divmod(texel, 64)
        centre = np.stack([(column + 0.5) / 64, 1 - (row + 0.5) / 64], axis=1)
        np.testing.assert_allclose(np.einsum("kc,kcx->kx", share, uv[face]), centre, atol=1e-5)
    np.testing.assert_array_equal(counted.reshape(64, 64), claims(uv, 64))


def test_what_is_linear_on_the_mesh_is_linear_in_the_picture():
    """A square of two faces with a value of its own at each corner; a texel's place is its centre, row 0 the top."""
    uv = np.float32([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]])
    values = np.dstack([uv, 1 - uv[..., :1]])
    texels = Texels.of(uv, 16)
    assert texels.covered.all()
    picture = texels.picture(texels.interpolate(values))
    centre = np.broadcast_to((np.arange(16) + 0.5) / 16, (16, 16))
    np.testing.assert_allclose(picture, np.dstack([centre, centre[::-1, ::-1].T, 1 - centre]), atol=1e-6)


def test_every_texel_that_a_face_touches_has_a_place_in_it():
    uv = np.float32([[[0.4, 0.4], [0.6, 0.4], [0.4, 0.6]]])
    texels = Texels.of(uv, 32)
    covered = texels.covered.reshape(32, 32)
    row, column = np.nonzero(covered)
    x, y = (column + 0.5) / 32, 1 - (row + 0.5) / 32
    assert ((x > 0.4 - 1 / 32) & (y > 0.4 - 1 / 32) & (x + y < 1 + 2 / 32)).all()
    assert covered.sum() > len(np.concatenate([texel for texel, _, _ in covered_texels(uv, 32)]))
    assert texels.share.min() >= 0
    np.testing.assert_allclose(texels.share.sum(axis=1), 1, atol=1e-6)
