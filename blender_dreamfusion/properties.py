"""What the panel asks for, kept in the scene. The names are the command line's."""

import bpy

from . import paths

MODELS = (
    ("starter", "Starter", "The small model that comes with the add-on: everyday objects, on any computer, offline"),
    ("sd", "Stable Diffusion", "Anything you can describe. Needs a strong GPU and downloads several GB at first"),
)
SD_VERSIONS = (
    ("2.1", "2.1", "Stable Diffusion 2.1"),
    ("2.0", "2.0", "Stable Diffusion 2.0"),
    ("1.5", "1.5", "Stable Diffusion 1.5"),
    ("2.1-v", "2.1 (768)", "Stable Diffusion 2.1 for 768 pixels"),
    ("xl", "XL", "Stable Diffusion XL"),
    ("if", "IF", "DeepFloyd IF, its first stage; asks for consent on Hugging Face"),
    ("3.5", "3.5", "Stable Diffusion 3.5 Medium; asks for consent on Hugging Face"),
    ("mvdream", "MVDream", "MVDream, which draws an object from four sides at once"),
)
PRESETS = (
    ("draft", "Draft", "A first impression, in the shortest time"),
    ("standard", "Standard", "Good for most objects"),
    ("high", "High", "More detail, several times slower"),
)
SEED_MAX = 2**31 - 1


class DreamFusionSettings(bpy.types.PropertyGroup):
    """One job's settings."""

    prompt: bpy.props.StringProperty(name="Prompt", description="What to make, in a few words", maxlen=1000)
    negative: bpy.props.StringProperty(name="Negative Prompt", description="What to keep away from", maxlen=1000)
    model: bpy.props.EnumProperty(name="Model", description="Which diffusion model guides", items=MODELS)
    sd_version: bpy.props.EnumProperty(name="Version", description="Version of the model", items=SD_VERSIONS)
    hf_key: bpy.props.StringProperty(
        name="Model File",
        description="Instead of the version: a .safetensors file, a folder as diffusers has it, or a Hugging Face name",
        subtype="FILE_PATH",
    )
    preset: bpy.props.EnumProperty(name="Quality", description="Detail against time", items=PRESETS, default="standard")
    seed: bpy.props.IntProperty(
        name="Seed", description="Another seed makes another object", min=0, max=SEED_MAX, default=0
    )

    def options(self) -> dict[str, object]:
        """The options of a protocol.Generate."""
        options: dict[str, object] = {"preset": self.preset, "seed": self.seed, "model": self.model}
        if self.negative.strip():
            options["negative"] = self.negative.strip()
        if self.model == "sd":
            hf_key = paths.model(self.hf_key)
            options.update({"hf_key": hf_key} if hf_key else {"sd_version": self.sd_version})
        return options


def settings_of(scene: bpy.types.Scene) -> DreamFusionSettings:
    """The settings that the panel shows."""
    settings: DreamFusionSettings = scene.dreamfusion  # type: ignore[attr-defined]
    return settings
