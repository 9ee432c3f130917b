"""The real trainer on a computer whose memory is full after the first step, but for the megabytes of the argument."""

import ctypes
import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core import generate, worker
from core.protocol import Progress

_PAGE = resource.getpagesize()
_M_MMAP_THRESHOLD = -3  # malloc.h


def give_back_freed_memory():
    """Against core.device.keep_freed_memory: a second step must not find what the first one has freed."""
    libc = ctypes.CDLL(None)
    libc.mallopt(_M_MMAP_THRESHOLD, 128 * 1024)
    libc.malloc_trim(0)


def run(job, emit, control):
    def limited(message):
        if isinstance(message, Progress) and message.stage == "training" and message.step == 1:
            give_back_freed_memory()
            taken = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
            limit = taken + int(sys.argv[1]) * 1024**2
            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        emit(message)

    return generate.generate(job, limited, control)


if __name__ == "__main__":
    worker.main(run)
