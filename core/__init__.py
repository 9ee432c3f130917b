"""DreamFusion for Blender, the trainer: text to a textured mesh by Score Distillation Sampling."""

__version__ = "0.1.0"
