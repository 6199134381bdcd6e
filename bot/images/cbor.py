"""CBOR, in which some signatures and inventories are written.

Its library has no wheel for Intel's Macs: there it is an extra, and what needs it says so.
"""

from importlib.util import find_spec

NEEDS = "CBOR cannot be read without cbor2"
EXTRA = "install freshness-bot[cbor]"


def is_installed() -> bool:
    """Whether the library is there."""
    return find_spec("cbor2") is not None
