"""What can be told of a SQLite file before SQLite itself looks at it (sqlite.org/fileformat2.html).

SQLite reads a whole schema before anything else, however large somebody made it.
"""

from bot.images.packages.reading import malformed

_HEADER = 100
_LEAF, _INTERIOR = 13, 5
_MOST_PAGES = 50
_MOST_ENTRIES = 500
"""rpm's own schema has some fifty entries, tables and indexes together."""


def page_size(data: bytes, place: str) -> int:
    """Reads the size of the database's pages. Raises `Failure` for a size that is none."""
    size = int.from_bytes(data[16:18], "big")
    size = 65_536 if size == 1 else size
    if size < 512 or size & (size - 1):
        raise malformed("is a SQLite database with pages of an impossible size", place)
    return size


def check_schema(data: bytes, place: str) -> None:
    """Raises `Failure` where the schema, the tree of page 1, is damaged or larger than a package database's."""
    size = page_size(data, place)
    waiting, pages, entries = [1], 0, 0
    while waiting:
        number = waiting.pop()
        pages += 1
        start = (number - 1) * size
        page = data[start : start + size]
        head = _HEADER if number == 1 else 0
        if number < 1 or len(page) < size:
            raise malformed("is a SQLite database that is cut short, or has a damaged schema", place)
        kind, cells = page[head], int.from_bytes(page[head + 3 : head + 5], "big")
        if kind == _LEAF:
            entries += cells
        elif kind == _INTERIOR:
            waiting += _children(page, head, cells)
        else:
            raise malformed("is a SQLite database with a damaged schema", place)
        if entries > _MOST_ENTRIES or pages + len(waiting) > _MOST_PAGES:
            raise malformed("is a SQLite database with a schema larger than rpm's", place)


def _children(page: bytes, head: int, cells: int) -> list[int]:
    """The page numbers below an interior page: one in each cell, and the last in its header."""
    if cells > _MOST_PAGES:
        cells = _MOST_PAGES
    pointers = (
        int.from_bytes(page[offset : offset + 2], "big") for offset in range(head + 12, head + 12 + 2 * cells, 2)
    )
    left = [int.from_bytes(page[pointer : pointer + 4], "big") for pointer in pointers]
    return [*left, int.from_bytes(page[head + 8 : head + 12], "big")]
