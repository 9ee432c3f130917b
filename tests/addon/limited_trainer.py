"""The real trainer on a computer that has some megabytes left: the argument says how many."""

import resource
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from core import generate, worker  # generate brings torch along, which needs the memory before the limit

_PAGE = resource.getpagesize()


if __name__ == "__main__":
    taken = int(Path("/proc/self/statm").read_text().split()[0]) * _PAGE
    limit = taken + int(sys.argv[1]) * 1024**2
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    worker.main(generate.generate)
