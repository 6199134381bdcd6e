"""Takes out of an installed environment what the bot never reads, before the image takes it over: `slim.py FOLDER`.

It is run by the Dockerfile, after everything is installed and before anything is compiled. What goes follows from
the rules below: tests and their data, types for checkers, sources of what is compiled, texts for translators,
lexers of other languages, and the symbols of shared objects, which debuggers read and loaders do not. Then caches
are compiled of all that some command may run.
"""

import compileall
import re
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

TESTS = {"tests", "test_data", "benchmarks"}
"""Folders of packages that nothing imports but their own tests."""
SUFFIXES = {".pyi", ".pyx", ".pxd", ".c", ".cc", ".cpp", ".h", ".rs", ".po", ".pot"}
LEXERS = "pygments/lexers"
KEPT_LEXERS = {"__init__.py", "_mapping.py", "python.py", "special.py"}
"""What shows Python's own traces; the bot shows no other code in colours."""
SELDOM = re.compile(
    r"/(?:pygments/(?:styles|formatters)|(?:sqlalchemy|alembic|mako)/testing|pydantic/v1|cffi|pycparser"
    r"|sqlalchemy/dialects/(?:mssql|mysql|oracle))/"
)
"""What is kept as source alone, since no command runs it: former editions, builders, other databases."""
_ELF_64_LITTLE = b"\x7fELF\x02\x01"
_NOTHING, _SYMBOLS, _NO_BITS, _ALLOCATED = 0, 2, 8, 2


def main(folder: Path) -> None:
    """Slims what is installed in the environment, and prints how many megabytes went."""
    before = _size(folder)
    for packages in sorted(folder.glob("lib/python*/site-packages")):
        for path in sorted(packages.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            if is_left_out(PurePosixPath(path.relative_to(packages))):
                path.unlink()
            elif ".so" in path.suffixes:
                path.write_bytes(without_symbols(path.read_bytes()))
        compileall.compile_dir(packages, maxlevels=20, quiet=1, rx=SELDOM, workers=1)
    print(f"{before / 1e6:.1f} MB, {_size(folder) / 1e6:.1f} MB with what was compiled")


def is_left_out(path: PurePosixPath) -> bool:
    """Whether a file is for tests, checkers, compilers or translators; `path` is below the folder of packages.

    What describes a package, its licence among it, stays."""
    if path.parts[0].endswith(".dist-info"):
        return False
    is_lexer = str(path.parent) == LEXERS and path.name not in KEPT_LEXERS
    return is_lexer or bool(TESTS & set(path.parts[1:-1])) or path.suffix in SUFFIXES


def without_symbols(data: bytes) -> bytes:
    """A shared object as `strip` leaves it: without its table of symbols and what debuggers read.

    All that is loaded stays where it is, and each other section keeps its number: some name the packages that a
    library was built of. What is no such object, or has nothing to leave out, is given back as it is.
    """
    if not data.startswith(_ELF_64_LITTLE):
        return data
    table, size, number, of_names = _table(data)
    sections = [_Section.read(data, table + size * each) for each in range(number)]
    if not sections:
        return data
    names = sections[of_names]
    left_out = set(_left_out(data, sections, names))
    end = _end_of_what_is_loaded(data)
    kept = bytearray(data[:end])
    headers = []
    for place, section in enumerate(sections):
        if place in left_out:
            headers.append(_Section().packed())
            continue
        if section.is_loaded or section.kind in (_NOTHING, _NO_BITS) or section.offset + section.size <= end:
            headers.append(section.packed())
            continue
        kept += bytes(-len(kept) % max(section.alignment, 1))
        headers.append(section.packed(offset=len(kept)))
        kept += data[section.offset : section.offset + section.size]
    kept += bytes(-len(kept) % 8)
    struct.pack_into("<Q", kept, 0x28, len(kept))
    slim = bytes(kept) + b"".join(headers)
    return slim if len(slim) < len(data) else data


@dataclass(frozen=True, slots=True)
class _Section:
    """A line of the table of sections, in the order of its file."""

    name: int = 0
    kind: int = _NOTHING
    flags: int = 0
    address: int = 0
    offset: int = 0
    size: int = 0
    link: int = 0
    info: int = 0
    alignment: int = 0
    entry_size: int = 0

    _FORMAT = "<IIQQQQIIQQ"

    @classmethod
    def read(cls, data: bytes, at: int) -> "_Section":
        return cls(*struct.unpack_from(cls._FORMAT, data, at))

    @property
    def is_loaded(self) -> bool:
        return bool(self.flags & _ALLOCATED)

    def packed(self, offset: int | None = None) -> bytes:
        at = self.offset if offset is None else offset
        place = (self.name, self.kind, self.flags, self.address, at)
        return struct.pack(self._FORMAT, *place, self.size, self.link, self.info, self.alignment, self.entry_size)


def _table(data: bytes) -> tuple[int, int, int, int]:
    """Where the table of sections begins, how long a line is, how many there are, and which holds names."""
    (at,) = struct.unpack_from("<Q", data, 0x28)
    size, number, of_names = struct.unpack_from("<HHH", data, 0x3A)
    return at, size, number if at else 0, of_names


def _left_out(data: bytes, sections: list[_Section], names: _Section) -> Iterator[int]:
    """The numbers of the sections that no loader reads: symbols, their names, and what debuggers read."""
    for place, section in enumerate(sections):
        begin = names.offset + section.name
        name = data[begin : data.index(b"\0", begin)]
        if section.is_loaded:
            continue
        if section.kind == _SYMBOLS:
            yield from (place, section.link)
        elif name.startswith((b".debug", b".zdebug", b".rela.debug")):
            yield place


def _end_of_what_is_loaded(data: bytes) -> int:
    """The first place in the file behind all of its segments and their table."""
    (at,) = struct.unpack_from("<Q", data, 0x20)
    size, number = struct.unpack_from("<HH", data, 0x36)
    ends: list[int] = [at + size * number]
    for each in range(number):
        offset, _, _, in_file = struct.unpack_from("<QQQQ", data, at + size * each + 8)
        ends.append(offset + in_file)
    return max(ends)


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
