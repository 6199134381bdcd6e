"""What a rebuild asks of the files of its repository, whatever they say at the moment when it is carried out."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from bot.domain.bases.change import Change
from bot.domain.bases.version_line import base_among
from bot.domain.reference import Base, Reference
from bot.domain.repositories.sdk_pin import is_sdk_version
from bot.domain.repositories.usage import Replacement, SourceProblem
from bot.domain.rollouts.pinning import named_version
from bot.domain.rollouts.rebuild import Rebuild
from bot.domain.rollouts.terms import Pin


@dataclass(frozen=True, slots=True)
class WantedDigest:
    """Every usage that follows `base` is to stand on `digest`, which holds .NET `version`.

    With `marks`, usages that need no edit get the marker line. `pin` says how a reference to it is to be written.
    `may_go_back` says that a rule has the base followed to an older version.
    """

    base: Base
    digest: str
    version: str | None = None
    marks: bool = False
    pin: Pin = Pin.KEEP
    may_go_back: bool = False


@dataclass(frozen=True, slots=True)
class WantedDigests:
    """`sdk` is the version that global.json files are to ask for, where they must move along."""

    of_bases: tuple[WantedDigest, ...]
    sdk: str | None = None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """One file brought to its wanted digests: `met` are its bases that are now right, `refused` what could not be
    written, `moved` what else the edits of a shared property move; `new_tags` take the place of other tags."""

    data: bytes
    met: frozenset[Base] = field(default_factory=frozenset)
    refused: tuple[SourceProblem, ...] = ()
    moved: tuple[SourceProblem, ...] = ()
    new_tags: tuple[Reference, ...] = ()


def moves_sdk_pins(item: Replacement) -> bool:
    """Whether it is one for global.json, or for an image that is pinned as global.json is: they move together."""
    new = item.new
    is_version = new.tag is not None and new.digest is None and is_sdk_version(new.tag)
    return is_version and not item.marker and new.base.is_sdk


def wanted_digests_of(
    rebuild: Rebuild,
    changes: Iterable[Change],
    pins: Mapping[Base, Pin] = MappingProxyType({}),
    followed_back: Collection[Base] = (),
) -> WantedDigests:
    """Says which digest each base is to have, by what was planned, whatever files hold by now.

    Where no change tells the version that a digest holds, what was planned to be written does. `pins` are the
    styles of bases whose pins do not just stay as they are, `followed_back` the bases that a rule has followed to
    an older version.
    """
    versions = {(each.base, each.to_digest): each.to_version for each in changes if each.to_version is not None}
    planned_versions: dict[Base, str] = {}
    of_unknown = {target.base for target in rebuild.targets if not target.changes}
    bases = [target.base for target in rebuild.targets]
    for item in rebuild.replacements:
        base = base_among(item.old, bases)
        version = named_version(item.new, base)
        if base is not None and base in of_unknown and version is not None:
            planned_versions.setdefault(base, version)
    marked = {base_among(item.old, bases) for item in rebuild.replacements if item.marker}
    sdks = [item.new.tag for item in rebuild.replacements if moves_sdk_pins(item)]
    return WantedDigests(
        tuple(
            WantedDigest(
                target.base,
                target.to_digest,
                versions.get((target.base, target.to_digest)) or planned_versions.get(target.base),
                target.base in marked,
                pins.get(target.base, Pin.KEEP),
                target.base in followed_back,
            )
            for target in rebuild.targets
        ),
        next((tag for tag in reversed(sdks) if tag is not None), None),
    )
