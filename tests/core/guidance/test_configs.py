"""What is shipped along for models in one file: settings and vocabulary of the real models."""

from __future__ import annotations

import json

import pytest
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.loaders.single_file_model import SINGLE_FILE_LOADABLE_CLASSES
from diffusers.loaders.single_file_utils import CHECKPOINT_KEY_NAMES
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

from core.guidance import single_file
from core.guidance.layout import family_at
from core.guidance.multiview import MultiViewUNet
from tests.core.guidance import ldm


@pytest.mark.parametrize(
    ("kind", "unet", "clip"),
    [
        ("sd1", 859_520_964, 123_060_480),
        ("sd2", 865_910_724, 340_387_840),
        ("sd2-v", 865_910_724, 340_387_840),
        ("sdxl", 2_567_463_684, 123_060_480),
    ],
)
def test_the_settings_are_those_of_the_real_models(kind, unet, clip):
    """Parameters as the models' publications count them."""
    folder = single_file.CONFIGS / kind
    with torch.device("meta"):
        networks = [
            UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet")),
            AutoencoderKL.from_config(AutoencoderKL.load_config(folder / "vae")),
            CLIPTextModel(CLIPTextConfig.from_pretrained(folder / "text_encoder")),
        ]
    assert [sum(p.numel() for p in network.parameters()) for network in networks] == [unet, 83_653_863, clip]


def test_mvdream_is_stable_diffusion_2_with_another_unet_of_smaller_pictures():
    """Its UNet is counted in test_multiview.py; the other parts were taken over as they are (MVDream, section 4.2)."""
    mvdream, base = single_file.CONFIGS / "mvdream", single_file.CONFIGS / "sd2"
    for part in ("vae/config.json", "text_encoder/config.json", "scheduler/scheduler_config.json"):
        assert json.loads((mvdream / part).read_text()) == json.loads((base / part).read_text())
    settings = MultiViewUNet.load_config(mvdream / "unet")
    base_settings = UNet2DConditionModel.load_config(base / "unet")
    assert settings["sample_size"] == 32
    for name in ("in_channels", "out_channels", "layers_per_block", "cross_attention_dim", "use_linear_projection"):
        assert settings[name] == base_settings[name]
    for name in ("block_out_channels", "down_block_types", "up_block_types", "attention_head_dim"):
        assert list(settings[name]) == base_settings[name]


@pytest.mark.parametrize("kind", ["sd1", "sd2", "sdxl"])
def test_in_full_size_every_tensor_of_a_file_has_its_place(kind):
    """The names by which diffusers tells real files apart are there, and conversion finds every tensor it needs."""
    folder = single_file.CONFIGS / kind
    with torch.device("meta"):
        unet = UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(folder / "unet"))
        vae = AutoencoderKL.from_config(AutoencoderKL.load_config(folder / "vae"))
    state = ldm.unet(unet)
    for network, tensors in ((unet, state), (vae, ldm.vae(vae))):
        convert = SINGLE_FILE_LOADABLE_CLASSES[type(network).__name__]["checkpoint_mapping_fn"]
        converted = convert(checkpoint=dict(tensors), config=dict(network.config))
        assert {name: tensor.numel() for name, tensor in converted.items()} == {
            name: tensor.numel() for name, tensor in network.state_dict().items()
        }
    if kind == "sdxl":
        assert "model.diffusion_model.label_emb.0.0.weight" in state
    else:
        assert CHECKPOINT_KEY_NAMES["v1"] in state
        assert state[CHECKPOINT_KEY_NAMES["v2"]].shape[-1] == (1024 if kind == "sd2" else 768)
        assert single_file._VELOCITY_MARK in state


def test_the_second_text_encoder_of_xl():
    with torch.device("meta"):
        config = CLIPTextConfig.from_pretrained(single_file.CONFIGS / "sdxl" / "text_encoder_2")
        encoder = CLIPTextModelWithProjection(config)
    assert sum(p.numel() for p in encoder.parameters()) == 694_659_840


@pytest.mark.parametrize(
    ("text", "ids"),
    [  # as OpenAI's and OpenCLIP's own tokenizers give them
        ("a photo of a cat", [320, 1125, 539, 320, 2368]),
        ("a photo of an astronaut riding a horse on mars", [320, 1125, 539, 550, 18376, 6765, 320, 4558, 525, 7496]),
        ("Hello  world!", [3306, 1002, 256]),
        ("A hamburger, front view", [320, 33928, 267, 2184, 1093]),
        ("don't stop; it's 42%", [847, 713, 1691, 282, 585, 568, 275, 273, 260]),
        ("naïve café — 東京 🍔", [1097, 35689, 563, 15304, 2005, 48338, 21078, 361, 36031]),
    ],
)
def test_the_vocabulary_is_that_of_clip(text, ids):
    tokenizer = CLIPTokenizer.from_pretrained(single_file.CONFIGS / "clip")
    assert tokenizer(text).input_ids == [49406, *ids, 49407]
    assert len(tokenizer) == 49408


def test_every_kind_has_its_settings():
    for kind in ("sd1", "sd2", "sd2-v", "sdxl", "mvdream"):
        family, _ = family_at(single_file.CONFIGS / kind)
        assert set(single_file._VERSIONS[kind]) <= set(family.versions)
    assert (single_file.CONFIGS / "clip" / "LICENSE.txt").is_file()
