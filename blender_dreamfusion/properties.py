"""What the panel asks for, kept in the scene. The names are the command line's."""

from __future__ import annotations

import random
from typing import Any

import bpy

from . import paths

MODELS = (
    ("starter", "Starter", "The small model that comes with the add-on: everyday objects, on any computer, offline"),
    ("sd", "Stable Diffusion", "Anything you can describe. Needs a strong GPU and downloads several GB at first"),
)
SD_VERSIONS = (
    ("2.1", "Stable Diffusion 2.1", "For pictures of 512 pixels"),
    ("2.1-v", "Stable Diffusion 2.1 768", "For pictures of 768 pixels: more memory and time"),
    ("2.0", "Stable Diffusion 2.0", "For pictures of 512 pixels"),
    ("1.5", "Stable Diffusion 1.5", "For pictures of 512 pixels"),
    ("xl", "Stable Diffusion XL", "For pictures of 1024 pixels: much memory and time"),
    ("3.5", "Stable Diffusion 3.5 Medium", "Asks for your consent on Hugging Face first"),
    ("mvdream", "MVDream", "Draws an object from four sides at once: fewer objects with two fronts"),
    ("if", "DeepFloyd IF", "Its first stage, of 64 pixels. Asks for your consent on Hugging Face first"),
)
PRESETS = (
    ("draft", "Draft", "A first impression, in the shortest time"),
    ("standard", "Standard", "Good for most objects"),
    ("high", "High", "More detail, several times slower"),
)
FIELDS = (
    ("grid", "Hash Grid", "Instant-NGP: fast and detailed"),
    ("mlp", "Plain NeRF", "One network without a grid: slower and smoother"),
)
METHODS = (
    ("sds", "SDS", "Score Distillation Sampling, of DreamFusion"),
    ("vsd", "VSD", "Variational Score Distillation, of ProlificDreamer: more detail, several times slower"),
    ("ism", "ISM", "Interval Score Matching, of LucidDreamer: sharper, several times slower"),
    ("sdi", "SDI", "Score Distillation via Inversion: sharper, several times slower"),
)
DEVICES = (
    ("auto", "Automatic", "The fastest that is there"),
    ("cpu", "CPU", "The processor"),
    ("cuda", "CUDA", "An NVIDIA or AMD graphics card"),
    ("mps", "Metal", "An Apple graphics chip"),
)
PRECISIONS = (
    ("full", "Full", "32 bits a number: needs the most memory"),
    ("fp16", "Half", "16 bits: half of the memory, and faster on a GPU"),
    ("bf16", "BFloat16", "16 bits of another kind: as small, and nothing overflows. Newer GPUs have it"),
)
SEED_MAX = 2**31 - 1
_MOST_OBJECTS = 32
_UNLESS_DEFAULT = ("epochs", "field", "distillation", "guidance_scale", "perpneg", "device", "vram_O", "compile")


class DreamFusionSettings(bpy.types.PropertyGroup):
    """One job's settings."""

    prompt: bpy.props.StringProperty(name="Prompt", description="What to make, in a few words", maxlen=1000)
    negative: bpy.props.StringProperty(name="Negative Prompt", description="What to keep away from", maxlen=1000)
    model: bpy.props.EnumProperty(name="Model", description="Which diffusion model guides", items=MODELS)
    sd_version: bpy.props.EnumProperty(name="Version", description="Version of the model", items=SD_VERSIONS)
    hf_key: bpy.props.StringProperty(
        name="File or Name",
        description="A .safetensors, .ckpt or .pt file, a folder in the layout of diffusers, or a hub name. "
        "Empty: the model chosen above",
    )
    preset: bpy.props.EnumProperty(name="Quality", description="Detail against time", items=PRESETS, default="standard")
    seed: bpy.props.IntProperty(
        name="Seed", description="Another seed makes another object", min=0, max=SEED_MAX, default=0
    )
    random_seed: bpy.props.BoolProperty(name="Random Seed", description="Draw a new seed at each click on Generate")
    objects: bpy.props.IntProperty(
        name="Objects",
        description="How many objects to make, one after the other, of this seed and the next ones",
        min=1,
        max=_MOST_OBJECTS,
        default=1,
    )
    grow: bpy.props.BoolProperty(
        name="Live Preview",
        description="Let a coarse mesh grow at the 3D cursor while the trainer works. Move it as you like: it becomes "
        "the finished object where it stands. A mesh that you edit stays as it is",
        default=True,
    )
    epochs: bpy.props.IntProperty(
        name="Epochs",
        description="How long to train, in hundreds of iterations. 0: as long as the quality asks for",
        min=0,
        max=10_000,
        default=0,
    )
    field: bpy.props.EnumProperty(name="Field", description="What the object is trained as", items=FIELDS)
    distillation: bpy.props.EnumProperty(
        name="Distillation", description="How the diffusion model's predictions shape the object", items=METHODS
    )
    guidance_scale: bpy.props.FloatProperty(
        name="Guidance",
        description="How closely to follow the prompt; too much makes colors glaring. 0: as the quality asks for",
        min=0.0,
        soft_max=100.0,
        precision=1,
        default=0.0,
    )
    perpneg: bpy.props.BoolProperty(
        name="Perp-Neg", description="Tell each side what it must not look like: fewer objects with two fronts"
    )
    device: bpy.props.EnumProperty(name="Device", description="What the trainer computes on", items=DEVICES)
    precision: bpy.props.EnumProperty(
        name="Precision", description="How the diffusion model's numbers are kept", items=PRECISIONS
    )
    vram_O: bpy.props.BoolProperty(
        name="Save Memory", description="Take less memory of the GPU for the diffusion model, and more time"
    )
    compile: bpy.props.BoolProperty(
        name="Compile", description="Make the diffusion model faster where this computer can; it starts more slowly"
    )

    def options(self) -> dict[str, Any]:
        """The options of a protocol.Generate. What is as in the command line's defaults is left out."""
        options: dict[str, Any] = {"preset": self.preset, "seed": self.seed, "model": self.model}
        if self.negative.strip():
            options["negative"] = self.negative.strip()
        if self.model == "sd":
            hf_key = paths.model(self.hf_key)
            options.update({"hf_key": hf_key} if hf_key else {"sd_version": self.sd_version})
        if self.precision != "full":
            options[self.precision] = True
        return options | {name: getattr(self, name) for name in _UNLESS_DEFAULT if not self.is_default(name)}

    def is_default(self, name: str) -> bool:
        """Whether a property has its default value."""
        return bool(getattr(self, name) == self.bl_rna.properties[name].default)  # type: ignore[attr-defined]

    def requests(self, more: dict[str, Any]) -> list[dict[str, Any]]:
        """The options of each object that is asked for, with `more` of them."""
        seeds = [(self.seed + number) % (SEED_MAX + 1) for number in range(self.objects)]
        return [{**self.options(), **more, "seed": seed} for seed in seeds]

    def draw_seed(self) -> None:
        """Take a new seed, where a random one is wanted."""
        if self.random_seed:
            self.seed = random.randint(0, SEED_MAX)


def settings_of(scene: bpy.types.Scene) -> DreamFusionSettings:
    """The settings that the panel shows."""
    settings: DreamFusionSettings = scene.dreamfusion  # type: ignore[attr-defined]
    return settings
