"""What a dump was looked through for, as its columns hold it: it may be thousands of names."""

import json
import zlib

from bot.upstream.osv.questions import PackageQuestion
from bot.upstream.osv.record import WantedPackages


def packed(considered: WantedPackages) -> bytes:
    """Makes the value of the column `considered`."""
    told = [sorted(each) for each in (considered.releases, considered.names, considered.untold)]
    return zlib.compress(json.dumps([*told, sorted(considered.unread)]).encode())


def unpacked(considered: bytes) -> WantedPackages:
    """Reads the value of the column `considered`."""
    releases, names, *more = json.loads(zlib.decompress(considered))
    untold, unread = (*more, [], [])[:2]
    pairs = frozenset((release, name) for release, name in unread)
    return WantedPackages(frozenset(releases), frozenset(names), frozenset(untold), pairs)


def packed_questions(asked: frozenset[PackageQuestion]) -> bytes | None:
    """Makes the value of the column `asked`, which is empty where nothing was asked."""
    rows = [[each.release, each.name, each.version] for each in sorted(asked)]
    return zlib.compress(json.dumps(rows).encode()) if rows else None


def unpacked_questions(asked: bytes | None) -> frozenset[PackageQuestion]:
    """Reads the value of the column `asked`."""
    if asked is None:
        return frozenset()
    return frozenset(PackageQuestion(*row) for row in json.loads(zlib.decompress(asked)))
