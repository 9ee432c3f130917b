"""The blender program, as far as the tests need it, from a PyPI ``bpy`` wheel (4.2 to 5.3, Linux x86-64).

    python wheel_blender.py [--background] [--factory-startup] [--window-geometry X Y W H]
        [--python SCRIPT.py] [--python-exit-code N] [-- ARGS...]

Run it with the Python of a virtual environment that has bpy. Without --background it opens Blender's real window on
$DISPLAY (Xvfb with software OpenGL does) and enters Blender's own event loop.

How: the wheels hold Blender's whole interface; their start-up only forces background mode and factory settings, and
never enters the event loop. This program loads the library, turns those forced stores in memory from "= true" to
"= false" before Blender starts (no file changes), imports bpy, and calls the event loop, WM_main. The functions are
private but found by name, as the wheels keep their symbol table; a wheel built otherwise gives a message, not a crash.
A test rig: nothing of it belongs in an add-on.
"""

import argparse
import ctypes
import importlib.util
import json
import mmap
import os
import re
import struct
import sys
import traceback
from pathlib import Path

_CHOOSE_GRAPHICS = "GPU_backend_type_selection_set_override"  # found from 5.1 on; 5.3 is the first that needs it
_OPENGL = 1  # GPU_BACKEND_OPENGL
_FUNCTIONS = (
    "main_python_enter",
    "G",
    "WM_init",
    "WM_main",
    "BPY_context_get",
    "WM_init_state_size_set",
    "WM_init_splash_on_startup",
    "WM_init_splash",
    _CHOOSE_GRAPHICS,
)
_SYMBOL_TABLE = 2  # SHT_SYMTAB


class _Library:
    """The wheel's shared library: private functions by name."""

    def __init__(self):
        spec = importlib.util.find_spec("bpy")
        if spec is None:
            sys.exit("wheel_blender: no bpy in " + sys.executable)
        self.path = next(Path(spec.submodule_search_locations[0]).glob("__init__*.so"))
        self.symbols = self._cached_symbols()
        self.handle = ctypes.CDLL(self.path)
        self.base = self._base()

    def _cached_symbols(self):
        """The symbols, read once for each library: there are a million, and every start would wait for them."""
        cache = Path(sys.prefix, "symbols.json")
        state = f"{self.path.stat().st_size} {self.path.stat().st_mtime_ns} {_FUNCTIONS}"
        if cache.exists():
            found = json.loads(cache.read_text())
            if found["state"] == state:
                return found["symbols"]
        symbols = self._symbols()
        part = cache.with_suffix(f".{os.getpid()}")
        part.write_text(json.dumps({"state": state, "symbols": symbols}))
        part.replace(cache)
        return symbols

    def _symbols(self):
        """Name -> (address, size), from the ELF symbol table."""
        with self.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as elf:
            (offset,) = struct.unpack_from("<Q", elf, 0x28)
            entry, count = struct.unpack_from("<HH", elf, 0x3A)
            sections = [struct.unpack_from("<IIQQQQIIQQ", elf, offset + i * entry) for i in range(count)]
            table = next((section for section in sections if section[1] == _SYMBOL_TABLE), None)
            if table is None:
                sys.exit("wheel_blender: this bpy is stripped of its symbols")
            strings = sections[table[6]]
            names = _find_names(elf[strings[4] : strings[4] + strings[5]])
            found = {}
            for at, _info, _other, section, value, size in struct.iter_unpack(
                "<IBBHQQ", elf[table[4] : table[4] + table[5]]
            ):
                if at in names and section and size:
                    found.setdefault(names[at], (value, size))
        return found

    def _base(self):
        """Where the library was loaded."""
        real = os.path.realpath(self.path)
        for line in Path("/proc/self/maps").read_text().splitlines():
            parts = line.split(maxsplit=5)
            if len(parts) == 6 and int(parts[2], 16) == 0 and os.path.realpath(parts[5]) == real:
                return int(parts[0].split("-")[0], 16)
        sys.exit("wheel_blender: the library isn't loaded")

    def function(self, name, result=None, *types):
        if name not in self.symbols:
            sys.exit("wheel_blender: this bpy has no " + name)
        return ctypes.CFUNCTYPE(result, *types)(self.base + self.symbols[name][0])

    def forced(self):
        """Addresses of the constants in main(): `G.factory_startup = true`, then `G.background = true`."""
        start, size = self.symbols["main_python_enter"]
        code = ctypes.string_at(self.base + start, size)
        g, g_size = self.symbols["G"]
        calls = [
            i
            for i in range(size - 5)
            if code[i] == 0xE8
            and start + i + 5 + struct.unpack_from("<i", code, i + 1)[0] == self.symbols["WM_init"][0]
        ]
        stores = []
        for i in range(calls[0] - 6 if len(calls) == 1 else 0):
            if code[i] != 0xC6 or code[i + 6] != 1:
                continue
            (to,) = struct.unpack_from("<i", code, i + 2)
            if code[i + 1] == 0x05:  # movb $1, to(%rip)
                to = start + i + 7 + to - g
            elif not (0x80 <= code[i + 1] <= 0x87 and code[i + 1] != 0x84):  # movb $1, to(%register)
                continue
            if 0x400 < to < g_size:
                stores.append((to, self.base + start + i + 6))
        if len(stores) != 2 or not 0 < abs(stores[0][0] - stores[1][0]) < 8:
            sys.exit(f"wheel_blender: start-up code not recognised: {stores!r}")
        return stores[0][1], stores[1][1]

    @staticmethod
    def poke(address, value):
        libc, page = ctypes.CDLL(None, use_errno=True), mmap.PAGESIZE
        where = ctypes.c_void_p(address & -page), ctypes.c_size_t(page)
        if libc.mprotect(*where, 7):
            sys.exit("wheel_blender: mprotect: " + os.strerror(ctypes.get_errno()))
        ctypes.c_ubyte.from_address(address).value = value
        libc.mprotect(*where, 5)


def _find_names(strings):
    """Offset in the string table -> function; its name there is C, or C++ (in namespace blender from 5.1 on)."""
    found = {}
    for name in _FUNCTIONS:
        mangled = rb"(?:_ZN?(?:7blender)?%d)?%s(?:[EPviRb][A-Za-z0-9_]*)?" % (len(name), name.encode())
        found.update({hit.start(1): name for hit in re.finditer(rb"\0(%s)(?=\0)" % mangled, strings)})
    return found


def _parse_arguments():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    parser.add_argument("-b", "--background", action="store_true")
    parser.add_argument("--factory-startup", action="store_true")
    parser.add_argument("--window-geometry", nargs=4, type=int, default=(0, 0, 1280, 800))
    parser.add_argument("--python-exit-code", type=int, default=0)
    parser.add_argument("-P", "--python", action="append", default=[])
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    return parser.parse_args(sys.argv[1:end])


def _run_script(path, exit_code):
    """Run a script as Blender's --python does."""
    try:
        exec(compile(Path(path).read_text(), path, "exec"), {"__name__": "__main__", "__file__": path})
    except SystemExit as end:
        _leave(end.code if isinstance(end.code, int) else int(end.code is not None))
    except BaseException:  # noqa: BLE001 - as Blender does
        traceback.print_exc()
        if exit_code:
            _leave(exit_code)


def _leave(status):
    """End without Python's own end, where bpy 4.2 and 4.5 may crash or hang."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main():
    args = _parse_arguments()
    if not args.background and not os.environ.get("DISPLAY"):
        sys.exit("wheel_blender: DISPLAY is not set")
    library = _Library()
    address_factory, address_background = library.forced()
    if not args.factory_startup:
        library.poke(address_factory, 0)
    if not args.background:
        library.poke(address_background, 0)
        library.function("WM_init_state_size_set", None, *[ctypes.c_int] * 4)(*args.window_geometry)
        if _CHOOSE_GRAPHICS in library.symbols:  # as --gpu-backend does: a notice that Vulkan is missing would pop up
            library.function(_CHOOSE_GRAPHICS, None, ctypes.c_uint)(_OPENGL)
    import bpy

    assert bpy.app.background == args.background
    for script in args.python:
        _run_script(script, args.python_exit_code)
    if args.background:
        _leave(0)
    context = library.function("BPY_context_get", ctypes.c_void_p)()
    splash = next(name for name in _FUNCTIONS if name.startswith("WM_init_splash") and name in library.symbols)
    library.function(splash, None, ctypes.c_void_p)(context)
    library.function("WM_main", None, ctypes.c_void_p)(context)


if __name__ == "__main__":
    main()
