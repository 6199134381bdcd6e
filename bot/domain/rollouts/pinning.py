"""What a reference becomes when its base moves, under the pin style that the operator wants."""

from bot.domain.bases.followed_base import Unknown, followed_base, moved
from bot.domain.reference import Reference
from bot.domain.rollouts.terms import Pin


def wanted_reference(
    reference: Reference, digest: str, version: str | None, pin: Pin = Pin.KEEP
) -> Reference | Unknown:
    """The reference to write once its base shows `digest` with .NET `version` (None where the image tells none).

    A pin is loosened only by a move: what stands on the new digest already stays as it is.
    """
    base = followed_base(reference)
    if pin is Pin.FLOATING and base is not None and reference.digest != digest:
        return reference.at(base.tag, None)
    target = moved(reference, digest, version)
    if pin is Pin.DIGEST and not isinstance(target, Unknown):
        return target.at(target.tag, digest)
    return target
