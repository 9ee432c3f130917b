"""What pip is told, and what its real output (shortened) is taken for."""

import pytest

from blender_dreamfusion.environment import packages
from blender_dreamfusion.environment.backends import CUDA_13
from blender_dreamfusion.environment.events import SetupError
from build_addon import requirements

DOWNLOAD = """\
Collecting torch==2.13.0+cpu
  Using cached torch-2.13.0+cpu-cp311-cp311-manylinux_2_28_x86_64.whl (191.8 MB)
Collecting diffusers==0.42.1
  Downloading diffusers-0.42.1-py3-none-any.whl (6.4 MB)
Progress 0 of 6355908
Progress 262144 of 6355908
Progress 6355908 of 6355908
Collecting tqdm==4.70.1
  Downloading tqdm-4.70.1-py3-none-any.whl (78 kB)
Progress 78000 of 78000
Installing collected packages: tqdm, torch, diffusers
"""
REFUSED = """\
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by \
'NewConnectionError("HTTPSConnection(host='pypi.org', port=443): Failed to establish a new connection: [Errno 111] \
Connection refused")': /simple/torch/
ERROR: Could not find a version that satisfies the requirement torch==2.13.0+cpu (from versions: none)
ERROR: No matching distribution found for torch==2.13.0+cpu
"""
UNKNOWN = """\
Looking in indexes: https://pypi.org/simple, https://download.pytorch.org/whl/cpu
WARNING: Retrying (Retry(total=0, connect=None, read=None, redirect=None, status=None)) after connection broken by \
'NameResolutionError("HTTPSConnection(host='download.pytorch.org', port=443): Failed to resolve 'download.pytorch.org' \
([Errno -2] Name or service not known)")': /whl/cpu/torch/
ERROR: Could not find a version that satisfies the requirement torch==2.13.0+cpu (from versions: 2.12.1, 2.13.0)
ERROR: No matching distribution found for torch==2.13.0+cpu
"""


def test_bytes_are_counted_over_files_from_the_network_and_the_cache():
    output = packages.PipOutput(before=1000)
    logged = [line for line in DOWNLOAD.splitlines() if output.feed(line)]
    assert output.fetched == 1000 + 191_800_000 + 6_355_908 + 78_000
    assert output.installing
    assert output.lines == logged == [line for line in DOWNLOAD.splitlines() if not line.startswith("Progress")]


def test_trying_again_is_said_in_a_sentence():
    assert packages.plain(UNKNOWN.splitlines()[1]) == "download.pytorch.org does not answer: trying again."
    assert packages.plain("WARNING: Retrying (Retry(total=4))") == "The server does not answer: trying again."
    assert packages.plain("Collecting torch==2.13.0+cpu") == "Collecting torch==2.13.0+cpu"


@pytest.mark.parametrize(
    ("printed", "kind", "words"),
    [
        (REFUSED, "network", "pypi.org cannot be reached: check the network"),
        (
            UNKNOWN,
            "network",
            "download.pytorch.org cannot be reached: check the network and try again, or choose a folder",
        ),
        ("WARNING: Connection timed out\nERROR: Read timed out.", "network", "broke off: check the network"),
        ("ERROR: THESE PACKAGES DO NOT MATCH\nERROR: [Errno 28] No space left on device\n", "disk", "free some space"),
        ("ERROR: Could not install packages due to an OSError: [WinError 112] There is not", "disk", "full"),
        (REFUSED[REFUSED.index("ERROR") :], "pip", "torch==2.13.0+cpu for this computer and Python"),
        ("ERROR: Wheel 'torch' is invalid.\n", "pip", "(Wheel 'torch' is invalid)"),
        ("", "pip", "no reason"),
    ],
)
def test_failures_become_one_sentence(printed, kind, words):
    error = packages.explain(printed.splitlines())
    assert error.kind == kind
    assert words in str(error)
    assert "\n" not in str(error)


def test_torch_of_the_add_on_is_pinned_to_the_build():
    assert packages.torch_requirement(requirements(), CUDA_13) == "torch==2.13.0+cu130"
    with pytest.raises(SetupError, match="install the whole zip again"):
        packages.torch_requirement("numpy\n", CUDA_13)


def test_nothing_is_compiled_and_offline_asks_no_index(tmp_path):
    online = packages.online_arguments(["torch==1"], CUDA_13.index_url("linux"), tmp_path)
    assert online[-3:] == ["--extra-index-url", "https://download.pytorch.org/whl/cu130", "torch==1"]
    assert "--extra-index-url" not in packages.online_arguments(["torch==1"], "", tmp_path)
    offline = packages.offline_arguments(["torch==1"], tmp_path)
    assert "--no-index" in offline
    for arguments in (online, offline):
        assert arguments[arguments.index("--only-binary") + 1] == ":all:"
