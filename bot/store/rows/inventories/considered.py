"""What a dump was looked through for, as its columns hold it: it may be thousands of names."""

import json
import zlib

from bot.upstream.osv.questions import PackageQuestion
from bot.upstream.osv.record import WantedPackages


def packed(considered: WantedPackages) -> bytes:
    """Makes the value of the column `considered`."""
    name_lists = [sorted(each) for each in (considered.releases, considered.names, considered.untold)]
    return zlib.compress(json.dumps([*name_lists, sorted(considered.unread)]).encode())


def unpacked(considered: bytes) -> WantedPackages:
    """Reads the value of the column `considered`."""
    releases, names, *more = json.loads(zlib.decompress(considered))
    untold, unread = (*more, [], [])[:2]
    pairs = frozenset((release, name) for release, name in unread)
    return WantedPackages(frozenset(releases), frozenset(names), frozenset(untold), pairs)


def packed_questions(questions: frozenset[PackageQuestion]) -> bytes | None:
    """Makes the value of the column `asked`, which is empty where nothing was asked."""
    rows = [[each.release, each.name, each.version] for each in sorted(questions)]
    return zlib.compress(json.dumps(rows).encode()) if rows else None


def unpacked_questions(packed_bytes: bytes | None) -> frozenset[PackageQuestion]:
    """Reads the value of the column `asked`."""
    if packed_bytes is None:
        return frozenset()
    return frozenset(PackageQuestion(*row) for row in json.loads(zlib.decompress(packed_bytes)))
