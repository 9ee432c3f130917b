"""Settings of a job: frozen dataclasses, one per noun, with presets, and JSON in and out.

Angles are degrees, lengths are world units (the object lives in [-1, 1]^3), colours are sRGB in [0, 1].
Standard library only, so that a front end can read a job's settings without torch.
"""

from __future__ import annotations

import dataclasses
import typing
from dataclasses import dataclass
from typing import Any

from core.errors import InputError

PRESETS = ("draft", "standard", "high")
DEFAULT_SD_VERSION = "2.1"
SD_VERSIONS = ("1.5", "2.0", "2.1", "2.1-v", "xl", "if", "3.5", "mvdream")
DEVICES = ("auto", "cpu", "cuda", "mps")
MESH_FORMATS = ("glb", "obj", "ply")
METHODS = ("sds", "vsd", "ism", "sdi")  # of distillation
WEIGHTINGS = ("sds", "x0")
ANNEALS = ("linear", "sqrt", "dreamtime")
VIEW_PROMPTS = ("hard", "interpolated")
EPOCH = 100  # iterations
FACES = (500, 500_000)  # limits of a mesh's faces
TEXTURE_SIZES = (64, 4096)  # limits, in pixels along a side


@dataclass(frozen=True)
class CameraConfig:
    """Where training cameras stand; each pair is a range that is drawn from uniformly."""

    radius: tuple[float, float] = (2.6, 3.2)  # distance to the origin
    elevation_deg: tuple[float, float] = (-10.0, 60.0)
    fov_deg: tuple[float, float] = (40.0, 40.0)  # vertical field of view


@dataclass(frozen=True)
class FieldConfig:
    """The scene representation."""

    kind: str = "grid"  # "grid": hash grid (Instant-NGP); "mlp": frequency-encoded NeRF
    levels: int = 10
    features: int = 2  # per level
    log2_entries: int = 15  # table size of one level, as a power of two
    base_resolution: int = 8  # cells along a side of the coarsest level
    finest_resolution: int = 128
    hidden: int = 32  # width of the small network behind the encoding
    blob_density: float = 10.0  # initial density at the origin before core.field's scale (Magic3D, section 4.1)
    blob_radius: float = 0.5  # where the initial density falls to zero


@dataclass(frozen=True)
class RenderConfig:
    """How training pictures are rendered."""

    resolution: int = 48  # pixels along a side
    samples: int = 48  # along a ray, before empty space is skipped
    occupancy_resolution: int = 48  # cells along a side
    albedo_until: float = 0.2  # share of training that is shaded by albedo alone
    lambertian_probability: float = 0.6  # after that
    textureless_probability: float = 0.0  # after that; what remains is albedo

    @property
    def picture_samples(self) -> int:
        """Samples along a ray of the pictures that people look at."""
        return 2 * self.samples


@dataclass(frozen=True)
class GuidanceConfig:
    """Which diffusion model guides, and how strongly."""

    model: str = "starter"  # "starter" or "sd"
    sd_version: str | None = None  # None: 2.1, or with hf_key whatever that is, but "mvdream"
    hf_key: str | None = None  # a hub name, a folder in the diffusers layout, or a file
    fp16: bool = False  # half precision
    bf16: bool = False  # bfloat16: as small, and nothing overflows; not both
    compile: bool = False  # the networks, where this machine can
    vram_O: bool = False  # trade speed for memory
    guidance_scale: float = 6.0  # s in eps_uncond + s * (eps_text - eps_uncond)
    guidance_scale_end: float = 1 / 3  # share of it that is left at the end: strong for the shape, then true colours
    t_range: tuple[float, float] = (0.02, 0.98)  # shares of its timesteps; only the highest tell where a front points
    anneal: str = "linear"  # one of ANNEALS, the laws of core.guidance.timesteps
    t_max_end: float = 0.5  # "linear": the upper end of t_range falls to this; lower, small errors of a colour add up
    view_prompts: str = "hard"  # one of VIEW_PROMPTS: the nearest side's words, or a blend of neighbours' (core.prompt)
    debias: bool = False  # leave out of each side's prompt the words that contradict it

    @property
    def is_starter(self) -> bool:
        """Whether it is the starter model that guides."""
        return self.model == "starter" and self.hf_key is None

    @property
    def picture_scale(self) -> float:
        """The guidance scale of flat pictures: diffusers' own; of the starter less, or its greys turn white."""
        return 2.5 if self.is_starter else 7.5

    def scale_at(self, progress: float) -> float:
        """The guidance scale at a progress of 0 to 1: falls linearly to its end."""
        return self.guidance_scale * (1 + (self.guidance_scale_end - 1) * progress)


@dataclass(frozen=True)
class DistillationConfig:
    """How a model's predictions become a gradient, see core.guidance.distillation; by default DreamFusion's SDS."""

    method: str = "sds"  # one of METHODS
    draws: int = 1  # (timestep, noise) pairs a picture, averaged
    weighting: str = "sds"  # one of WEIGHTINGS: 1 - alpha_bar, or the one that makes the gradient z - z0_hat
    grad_scale: float = 1.0  # factor of the gradient: more of it means less regularisation
    perpneg: bool = False  # Perp-Neg: what a view must not look like, without harm to the object
    negative_w: float = -2.0  # its weight (stable-dreamfusion's)
    cfg_rescale: float = 0.0  # phi, 0 to 1: share of the rescaled guidance (MVDream takes 0.5)
    grad_clip: float = 0.0  # largest number of the latents' gradient; 0 is no limit
    grad_clip_pixel: float = 0.0  # longest gradient of one pixel of the latents; 0 is no limit
    inversion_steps: int = 5  # ISM and SDI: DDIM steps from the picture to the noise
    interval: float = 0.05  # ISM: between the two predictions, as a share of the timesteps (LucidDreamer's 50 of 1000)
    lora_rank: int = 4  # VSD: of the learnt score's LoRA (ProlificDreamer's)
    lora_lr: float = 1e-4  # VSD: its learning rate (ProlificDreamer's)


@dataclass(frozen=True)
class TrainingConfig:
    """The loop."""

    epochs: int = 5  # of EPOCH iterations
    batch: int = 1  # pictures a step; of a model that sees several views together, groups of them
    lr_encoding: float = 2e-2
    lr_network: float = 2e-3
    opacity_weight: float = 60.0  # pushes each ray to be opaque or empty; ramps up from 0
    orientation_weight: float = 5.0  # Ref-NeRF, equation 11
    smoothness_weight: float = 3.0  # nearby points should have nearby normals
    checkpoint_every: int = 100  # iterations
    validation_views: int = 8
    validation_resolution: int = 64  # pixels along a side
    turntable_frames: int = 60


@dataclass(frozen=True)
class MeshConfig:
    """The exported mesh."""

    resolution: int = 128  # marching-cubes samples along a side
    faces: int = 20_000  # upper bound after decimation
    texture_size: int = 1024  # pixels along a side
    normal_map: bool = False  # with the normals that decimation took off


@dataclass(frozen=True)
class Config:
    """Everything that decides the result of one job."""

    prompt: str
    negative: str = ""
    seed: int = 0
    device: str = "auto"  # "auto", "cpu", "cuda" or "mps"
    camera: CameraConfig = dataclasses.field(default_factory=CameraConfig)
    field: FieldConfig = dataclasses.field(default_factory=FieldConfig)
    render: RenderConfig = dataclasses.field(default_factory=RenderConfig)
    guidance: GuidanceConfig = dataclasses.field(default_factory=GuidanceConfig)
    distillation: DistillationConfig = dataclasses.field(default_factory=DistillationConfig)
    training: TrainingConfig = dataclasses.field(default_factory=TrainingConfig)
    mesh: MeshConfig = dataclasses.field(default_factory=MeshConfig)

    @property
    def iterations(self) -> int:
        """Number of training steps."""
        return EPOCH * self.training.epochs


def preset(name: str, prompt: str, model: str = "starter") -> Config:
    """The settings of a quality preset for a kind of model ("starter" or "sd").

    Raises InputError where there is no preset of that name.
    """
    if name not in PRESETS:
        raise InputError(f"Unknown preset {name!r}: choose one of {', '.join(PRESETS)}.")
    return _starter_preset(name, prompt) if model == "starter" else _sd_preset(name, prompt)


def _starter_preset(name: str, prompt: str) -> Config:
    standard = Config(prompt)
    if name == "draft":
        return override(
            standard,
            training={"epochs": 2, "turntable_frames": 20},
            mesh={"resolution": 96, "faces": 10_000, "texture_size": 512},
        )
    if name == "high":
        return override(
            standard,
            training={"epochs": 15},
            render={"resolution": 64, "samples": 96},
            mesh={"resolution": 192, "faces": 50_000, "texture_size": 2048},
        )
    return standard


def _sd_preset(name: str, prompt: str) -> Config:
    """stable-dreamfusion's cameras, grid, learning rates and guidance scale, with the length scaled by the preset.

    Unlike there, narrow lenses (below 20 degrees) are left out, a ray has fewer samples, training starts with albedo
    instead of normals, and the noise lessens towards the end.
    """
    epochs = {"draft": 30, "standard": 100, "high": 150}[name]
    return override(
        Config(prompt),
        camera={"radius": (3.0, 3.5), "elevation_deg": (-15.0, 45.0), "fov_deg": (20.0, 30.0)},
        field={"levels": 16, "log2_entries": 19, "base_resolution": 16, "finest_resolution": 2048, "hidden": 64},
        render={
            "resolution": 64,
            "samples": 128,
            "occupancy_resolution": 96,
            "lambertian_probability": 0.8,
            "textureless_probability": 0.2,
        },
        guidance={
            "model": "sd",
            "guidance_scale": 100.0,
            "guidance_scale_end": 1.0,
        },
        training={"epochs": epochs, "lr_encoding": 1e-2, "lr_network": 1e-3, "validation_resolution": 128},
        mesh={"resolution": 256, "faces": 50_000, "texture_size": 2048},
    )


def suit_multiview(config: Config) -> Config:
    """Settings for MVDream in place of Stable Diffusion's: cameras and guidance scale of its authors' 3D examples.

    Level or from above, with a frame half as high as 0.8 to 1 world units at the origin.
    """
    return override(
        config,
        camera={"radius": (2.2, 2.75), "elevation_deg": (0.0, 30.0), "fov_deg": (40.0, 40.0)},
        guidance={"guidance_scale": 50.0},
    )


def clean_prompt(text: str) -> str:
    """The prompt on one line with single spaces. Raises InputError where it is blank or no text."""
    prompt = clean_text(text, "prompt")
    if not prompt:
        raise InputError('The prompt is empty: describe one object, such as "a hamburger".')
    return prompt


def clean_text(text: str, name: str) -> str:
    """The text on one line with single spaces, perhaps empty. Raises InputError where it is no UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"The {name} is not valid text: write it in UTF-8.") from error
    return " ".join(text.replace("\0", " ").split())


def override(config: Config, **parts: Any) -> Config:
    """A copy with some values replaced: ``override(config, seed=3, training={"epochs": 2})``."""
    changes: dict[str, Any] = {}
    for name, value in parts.items():
        part: Any = getattr(config, name)
        nested = dataclasses.is_dataclass(type(part))
        changes[name] = dataclasses.replace(part, **value) if nested else value
    return dataclasses.replace(config, **changes)


def to_json(config: Config) -> dict[str, Any]:
    """Plain dictionaries, lists, numbers and strings."""
    return dataclasses.asdict(config)


def from_json(data: dict[str, Any]) -> Config:
    """The inverse of :func:`to_json`. Raises InputError where a key is unknown or there is no prompt."""
    config: Config = _build(Config, data)
    return config


def _build(kind: type, data: dict[str, Any]) -> Any:
    hints = typing.get_type_hints(kind)
    values = {}
    for name, value in data.items():
        if name not in hints:
            raise InputError(f"Unknown setting {name!r} in {kind.__name__}: it was written by another version.")
        if dataclasses.is_dataclass(hints[name]):
            value = _build(typing.cast(type, hints[name]), value)
        values[name] = tuple(value) if isinstance(value, list) else value
    try:
        return kind(**values)
    except TypeError as error:
        raise InputError(f"Settings are incomplete: {error}.") from error
