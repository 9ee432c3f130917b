"""torch.compile for the networks of a diffusion model, where this machine can; where it cannot, they run as they are.

Compiling needs a C++ compiler on a CPU and Triton on a GPU, which most Windows machines and some others lack, and it
is found out only in the first call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from core.device import is_out_of_memory

_LONGEST = 200  # characters of a compiler's message


def compile_or_leave(module: nn.Module, name: str, say: Callable[[str], None]) -> None:
    """Let calls of `module` run compiled; if that fails, `say` hears one line and they run as before.

    A lack of memory is raised, not taken for a compiler's failure.
    """
    plain: Callable[..., Any] = module.forward
    run = plain

    def compile_and_call(*args: Any, **options: Any) -> Any:
        nonlocal run
        try:
            if run is plain:
                run = torch.compile(plain)
            return run(*args, **options)
        except Exception as error:  # whatever a compiler raises; an error of the network itself comes again below
            if is_out_of_memory(error):
                raise
            module.forward = plain
            say(f"Cannot compile the {name} on this machine ({_reason(error)}): it runs without --compile.")
        return plain(*args, **options)

    module.forward = compile_and_call


def _reason(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:_LONGEST]
