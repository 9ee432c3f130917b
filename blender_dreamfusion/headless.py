"""Many prompts without a window: ``blender -b --python headless.py -- --prompts prompts.txt --out DIR``.

Blender runs this file on its own, outside of any package, from a checkout or from the installed add-on. So it loads
the package that it lies in, by its path, and goes on there: see batch.py for the options.
"""

import importlib.util
import sys
import traceback
from pathlib import Path

_NAME = "dreamfusion_headless"  # not the add-on's, which may be another version and enabled


def _load_package() -> None:
    """Import the folder of this file as a package."""
    folder = Path(__file__).resolve().parent
    locations = [str(folder)]
    spec = importlib.util.spec_from_file_location(_NAME, folder / "__init__.py", submodule_search_locations=locations)
    if spec is None or spec.loader is None:
        raise ImportError(f"{folder} is not the add-on's folder.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    spec.loader.exec_module(module)


def _main() -> int:
    """Run the batch; returns the exit code. After a traceback Blender itself would end with 0."""
    try:
        _load_package()
        batch = importlib.import_module(f"{_NAME}.batch")
        return int(batch.main(sys.argv[sys.argv.index("--") + 1 :] if "--" in sys.argv else []))
    except Exception:  # noqa: BLE001 - nothing above this would report it
        traceback.print_exc()
        return 1


if __name__ == "__main__":
    sys.exit(_main())
