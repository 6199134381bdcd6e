"""What a dump was looked through for comes back from its column, also as it was written before more was kept."""

import json
import zlib

import pytest

from bot.store.rows.inventories.kept_data import packed, unpacked
from bot.upstream.osv.record import UNNAMED, WantedPackages

ALL = WantedPackages(
    *(frozenset({"Ubuntu:24.04"}), frozenset({"openssl"}), frozenset({"Ubuntu:25.10"})),
    frozenset({("Ubuntu:24.04", "openssl"), UNNAMED}),
)


def test_all_of_it_comes_back() -> None:
    assert unpacked(packed(ALL)) == ALL


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ([["Ubuntu:24.04"], ["openssl"]], WantedPackages(ALL.releases, ALL.names)),
        ([["Ubuntu:24.04"], ["openssl"], ["Ubuntu:25.10"]], WantedPackages(ALL.releases, ALL.names, ALL.untold)),
    ],
)
def test_what_was_written_before_is_read(written: object, told: WantedPackages) -> None:
    assert unpacked(zlib.compress(json.dumps(written).encode())) == told
