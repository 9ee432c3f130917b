import random
import re

import torch

from core.camera import camera_embedding
from core.prompt import VIEW_WORDS
from core.starter.captions import plural
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.dataset import Dataset, _choose_finish, make_dataset
from core.starter.patterns import MATERIALS
from tests.core.starter.doubles import noise_data_set


def only(data, *channels):
    """The same objects, all of these layers alone and as large as the picture."""
    data.layers[:] = 0
    data.layers[:, [*channels, 10]] = 255
    return data


def named_in(text):
    """The main colour, the second one and the material that a caption names."""
    text = text.replace("gray", "grey").replace(",", "")
    pattern = re.search(r" with (\w+) (dots|polka dots|spots|stripes)", text)
    material = next((name for name, one in MATERIALS.items() if {name, one.noun} & set(text.split())), None)
    rest = text.replace(pattern[0], "") if pattern else text
    main = [name for name in COLORS if name in rest.split()]
    assert len(main) <= 1
    return main[0] if main else None, pattern[1] if pattern else None, material


def test_a_data_set_does_not_depend_on_the_number_of_processes():
    one, two = (make_dataset(16, seed=3, processes=count) for count in (1, 2))
    assert torch.equal(one.layers, two.layers)
    assert one.concepts == [0] * 8 + [1] * 8


def test_a_batch_is_repeatable_and_in_range():
    data = noise_data_set(resolution=8)
    first, second = (data.draw(40, random.Random(3)) for _ in range(2))
    assert first.images.shape == (40, 3, 8, 8)
    assert first.images.min() >= 0
    assert first.images.max() <= 1
    assert torch.equal(first.images, second.images)
    assert first.captions == second.captions


def test_captions_say_what_is_seen():
    """The concept always; the colour, where one is named, is that of the picture; the view is that of the camera."""
    data = only(noise_data_set(resolution=2), 0, 1)
    known = camera_embedding(data.views)
    named_colors = named_views = captions = materials = 0
    batch = data.draw(600, random.Random(0))
    for image, text, camera in zip(batch.images[:, :, 0, 0], batch.captions, batch.cameras, strict=True):
        if not text:
            continue
        captions += 1
        place = (known - camera).abs().sum(1).argmin()
        main, _, material = named_in(text)
        expected = MATERIALS[material].light if material else COLORS.get(main)
        if expected:
            assert (image - torch.tensor(expected)).abs().max() < 0.07
        named_colors += main is not None
        materials += material is not None
        view = next((word for word in VIEW_WORDS if word in text), None)
        named_views += view is not None
        if camera.any():
            concept = CONCEPTS[data.concepts[place]]
            nouns = (concept.noun, *concept.other_nouns)
            assert any(name in text for noun in nouns for name in (noun, plural(noun)))
            assert view is None or VIEW_WORDS[int(data.view_words[place])] == view
    assert 0.85 < captions / 600 < 0.95
    assert 0.5 < named_colors / (captions - materials) < 0.85
    assert 0.4 < named_views / captions < 0.6


def test_a_pattern_has_the_colour_that_its_caption_names():
    batch = only(noise_data_set(resolution=2), 2, 3).draw(400, random.Random(0))
    patterned = 0
    for image, text in zip(batch.images[:, :, 0, 0], batch.captions, strict=True):
        main, second, _ = named_in(text)
        if second:
            patterned += 1
            assert (image - torch.tensor(COLORS[second])).abs().max() < 0.07
            assert main != second
    assert patterned > 20


def test_patterns_and_materials_are_traced_for_a_share_of_the_objects():
    generator, mug = torch.Generator().manual_seed(0), next(one for one in CONCEPTS if one.noun == "mug")
    finishes = [_choose_finish(mug, generator) for _ in range(600)]
    assert set(finishes) == {"", "dots", "stripes"}
    assert 0.25 < sum(map(bool, finishes)) / 600 < 0.35
    assert 0.4 < finishes.count("dots") / sum(map(bool, finishes)) < 0.6
    hamburger = next(one for one in CONCEPTS if one.noun == "hamburger")
    assert {_choose_finish(hamburger, generator) for _ in range(50)} == {""}


def test_a_camera_is_told_or_zeros():
    data = noise_data_set(resolution=4)
    known = camera_embedding(data.views)
    batch = data.draw(400, random.Random(0))
    cameras, planes = batch.cameras, batch.planes
    told = cameras.any(dim=1)
    assert torch.equal(told, planes.flatten(1).any(dim=1))
    captioned = torch.tensor([bool(text) for text in batch.captions])
    assert 0.8 < told[captioned].float().mean() < 0.9
    assert 0.25 < told[~captioned].float().mean() < 0.6
    assert torch.cdist(cameras[told], known).amin(1).max() < 1e-3


def test_a_saved_data_set_draws_the_same(tmp_path):
    data = noise_data_set(resolution=4)
    data.save(tmp_path / "dataset.pt")
    first, second = (which.draw(8, random.Random(1)) for which in (data, Dataset.load(tmp_path / "dataset.pt")))
    assert torch.equal(first.images, second.images)
    assert torch.equal(first.cameras, second.cameras)
    assert torch.equal(first.planes, second.planes)
    assert first.captions == second.captions
