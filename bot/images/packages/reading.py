"""What all readers of package databases share: one error, one way to collect, bounds."""

import io
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.domain.failure import Failure, Trouble
from bot.domain.packages.package import Distribution, Inventory, Package, PackageType
from bot.domain.strict_json import DoubledMember, read_strict_json

MOST_PACKAGES = 50_000
"""Ten times what a full desktop has installed."""
_RPM_KEY = "gpg-pubkey"
"""How rpm keeps the keys that it trusts: listed among the packages, by scanners too, but no package."""
_MOST_PROBLEMS = 20
_PACKED = b"\x1f\x8b"
_LONGEST = 256
_WORD = re.compile(r"[^\s\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,256}")
_KNOWN = frozenset(PackageType)
_WORDS = re.compile(r"[^\x00-\x1f\x7f-\x9f\ud800-\udfff]{0,256}")


def malformed(fault: str, place: str, advice: str = "nothing of it is used") -> Failure:
    return Failure(Trouble.MALFORMED, fault, where=place, advice=advice)


class Collection:
    """The packages of one database, as its reader finds them."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._packages: dict[Package, None] = {}
        self._problems: list[str] = []
        self._unread = 0

    def add(self, package: Package) -> None:
        """Takes the package in, unless one of its values cannot be one; an entry that comes again counts once, and
        a key of rpm's not at all."""
        if package in self._packages:
            return
        values = (package.name, package.version, package.architecture, package.source, package.source_version)
        form = _WORD if package.type in _KNOWN else _WORDS
        if not package.name or not all(value is None or form.fullmatch(value) for value in (package.type, *values)):
            self.refuse(f"a package named {package.name[:60]!r} has a value that cannot be one")
            return
        if len(self._packages) >= MOST_PACKAGES:
            raise malformed(f"lists more than {MOST_PACKAGES} packages", self._place)
        if (package.type, package.name) != (PackageType.RPM, _RPM_KEY):
            self._packages[package] = None

    def refuse(self, why: str) -> None:
        """Notes an entry that cannot be read: a package that is not listed may be installed all the same."""
        if len(self._problems) < _MOST_PROBLEMS:
            self._problems.append(f"{self._place}: {why}"[: 2 * _LONGEST])
        else:
            self._unread += 1

    def inventory(self, distribution: Distribution | None = None) -> Inventory:
        """All of them, of that distribution. Raises `Failure` where nothing but what cannot be read was found."""
        if self._problems and not self._packages:
            raise malformed(self._problems[0].removeprefix(f"{self._place}: "), self._place)
        more = (f"{self._place}: {self._unread} more entries cannot be read",) if self._unread else ()
        return Inventory(tuple(self._packages), distribution, (*self._problems, *more))


def read_json(data: bytes, place: str, largest: int) -> dict[str, Any]:
    """Reads a JSON object of at most `largest` bytes. Raises `Failure`."""
    if len(data) > largest:
        raise malformed(f"is larger than {largest} bytes", place)
    document = read_any_json(data, place)
    if not isinstance(document, dict):
        raise malformed("is JSON, but not an object", place)
    return document


def read_any_json(data: bytes, place: str) -> Any:
    """Whatever a text of JSON holds. Raises `Failure`, and says what to do where that can be told."""
    if not data.strip():
        raise malformed("is empty", place, "make it anew")
    if data.startswith(_PACKED):
        raise malformed("is packed with gzip", place, "unpack it first")
    try:
        return read_strict_json(data)
    except DoubledMember as error:
        raise malformed(f"is JSON of two meanings: {error}", place) from error
    except (ValueError, RecursionError) as error:
        raise malformed("is not valid JSON", place) from error


def lines(data: bytes) -> Iterator[str]:
    """The lines of a text, one after the other: a list of all would be many times as large as the text."""
    for line in io.BytesIO(data):
        yield line.decode("utf-8", "replace").rstrip("\n")


def mapping(value: object) -> dict[str, Any]:
    """The JSON object that `value` is, else an empty one."""
    return value if isinstance(value, dict) else {}


def listed(document: Mapping[str, Any], key: str, place: str) -> list[Any]:
    """The JSON array under a key, empty where there is none. Raises `Failure` where that is something else: to have
    listed nothing would say that there is nothing."""
    value = document.get(key)
    if value is not None and not isinstance(value, list):
        raise malformed(f"has {key} that are no list", place)
    return value or []


def items(value: object) -> list[Any]:
    """The JSON array that `value` is, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """The string that `value` is, else an empty one."""
    return value if isinstance(value, str) else ""
