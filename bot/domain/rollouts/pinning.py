"""What a reference becomes when its base moves, under the pin style that the operator wants."""

from bot.domain.bases.followed_base import Unknown, reference_after_move, tagged_version
from bot.domain.bases.going_back import goes_back
from bot.domain.bases.version_line import is_line
from bot.domain.reference import Base, Reference
from bot.domain.rollouts.terms import Pin


def wanted_reference(
    reference: Reference,
    base: Base | None,
    digest: str,
    version: str | None,
    pin: Pin = Pin.KEEP,
    *,
    may_go_back: bool = False,
) -> Reference | Unknown:
    """The reference to write once the base that it follows shows `digest` with `version`: that of .NET, None where
    the image tells none, or the newest tag of a line.

    A pin is loosened only by a move: what stands on the new digest already stays as it is. A line has no tag to
    loosen it to. A reference that names a newer version than the base shows stays, however it is pinned, but where
    `may_go_back` says that a rule has bases followed backwards.
    """
    version_in_tag = named_version(reference, base)
    if not may_go_back and goes_back(version_in_tag, version):
        return Unknown(f"{reference} names {version_in_tag}, and its base shows the older {version}", is_ahead=True)
    if base is not None and is_line(base):
        if version is None:
            return Unknown(f"the newest release of {base.short} is not known yet")
        target: Reference | Unknown = reference.with_tag(version, digest if reference.digest is not None else None)
    elif pin is Pin.FLOATING and base is not None and reference.digest != digest:
        return reference.with_tag(base.tag, None)
    else:
        target = reference_after_move(reference, digest, version)
    if pin is Pin.DIGEST and not isinstance(target, Unknown):
        return target.with_tag(target.tag, digest)
    return target


def named_version(reference: Reference, base: Base | None) -> str | None:
    """The version that the tag of a reference names, of .NET or of the line `base`; None where it floats."""
    return reference.tag if base is not None and is_line(base) else tagged_version(reference)
