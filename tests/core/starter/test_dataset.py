import random

import torch

from core.camera import camera_embedding
from core.prompt import VIEW_WORDS
from core.starter.catalogue import COLORS, CONCEPTS
from core.starter.dataset import Dataset, make_dataset
from tests.core.starter.doubles import noise_data_set


def only_main_color(data):
    """The same objects, all in their main colour and as large as the picture."""
    data.layers[:] = torch.tensor([255, 255, 0, 0, 0, 0, 0, 0, 255], dtype=torch.uint8)[:, None, None]
    return data


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
    data = only_main_color(noise_data_set(resolution=2))
    known = camera_embedding(data.views)
    named_colors = named_views = captions = 0
    batch = data.draw(400, random.Random(0))
    for image, text, camera in zip(batch.images[:, :, 0, 0], batch.captions, batch.cameras, strict=True):
        if not text:
            continue
        captions += 1
        assert any(concept.noun in text for concept in CONCEPTS)
        names = [name for name in COLORS if f" {name} " in f" {text} ".replace(",", " ")]
        for name in names:
            assert (image - torch.tensor(COLORS[name])).abs().max() < 0.07
        named_colors += len(names)
        view = next((word for word in VIEW_WORDS if word in text), None)
        if view and camera.any():
            place = (known - camera).abs().sum(1).argmin()
            assert VIEW_WORDS[int(data.view_words[place])] == view
            assert CONCEPTS[data.concepts[place]].noun in text
        named_views += view is not None
    assert 0.85 < captions / 400 < 0.95
    assert 0.6 < named_colors / captions < 0.85
    assert 0.4 < named_views / captions < 0.6


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


def test_fronts_can_be_all_that_is_drawn():
    data = noise_data_set(resolution=2)
    facing = [concept.noun for concept in CONCEPTS if concept.has_front]
    captions = [text for text in data.draw(60, random.Random(0), facing=1.0).captions if text]
    assert all(any(noun in text for noun in facing) for text in captions)
