"""Whether an image may be deployed: an answer to each question that is asked of it, and one for all together."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bot.domain.evidence import Strength
from bot.domain.images.image import Builder
from bot.domain.images.standing import ImageStanding, ImageState, state_of
from bot.domain.images.trust import Trust
from bot.domain.packages.gate import Gated, GateMode, GateOutcome


class ImageQuestion(StrEnum):
    """What is asked of an image before it counts as good."""

    SIGNATURE = "signature"
    PROVENANCE = "provenance"
    FRESHNESS = "freshness"
    GATE = "gate"


@dataclass(frozen=True, slots=True)
class ImageAnswer:
    """`holds` is None where it cannot be told. What does not count is told, and decides nothing."""

    question: ImageQuestion
    holds: bool | None
    told: str
    counts: bool = True


def all_hold(answers: Iterable[ImageAnswer]) -> bool | None:
    """False where one that counts does not hold, None where one of the others cannot be told, else True."""
    counted = [each.holds for each in answers if each.counts]
    if False in counted:
        return False
    return None if None in counted or not counted else True


def about_signature(trust: Trust | None, *, is_required: bool) -> ImageAnswer:
    """`trust` is None where no rule asks for a signature."""
    if trust is None:
        return ImageAnswer(ImageQuestion.SIGNATURE, None, "no rule of trust asks for a signature", counts=False)
    return ImageAnswer(ImageQuestion.SIGNATURE, trust.holds, trust.text, counts=is_required)


def about_provenance(
    builder: Builder | None, producers: Collection[str], *, is_required: bool, unseen: str = ""
) -> ImageAnswer:
    """Whether it was built where it says to be, and by a repository that is known to produce it.

    `producers` are `owner/name` of these, none where that is not known. Provenance that nobody trusted has signed
    is as good as none, and none is not asked for. `unseen` tells where more is attached than was looked at.
    """
    if builder is None:
        text = "no provenance by a signer that is trusted is there"
        if unseen:
            text = f"{text} among what was looked at; it may lie behind: {unseen}"
        return ImageAnswer(ImageQuestion.PROVENANCE, None, text, counts=False)
    if builder.strength is not Strength.PROVED:
        return ImageAnswer(ImageQuestion.PROVENANCE, False, builder.told, counts=is_required)
    producer_names = sorted(producers)
    if (
        builder.repository
        and producer_names
        and builder.repository.lower() not in {each.lower() for each in producer_names}
    ):
        text = f"{builder.told}; {' or '.join(producer_names)} is known to produce this image"
        return ImageAnswer(ImageQuestion.PROVENANCE, False, text, counts=is_required)
    return ImageAnswer(ImageQuestion.PROVENANCE, True, builder.told, counts=is_required)


def about_freshness(standings: Sequence[ImageStanding]) -> ImageAnswer:
    """Whether all platforms are proved to stand on what their base shows now."""
    holds, text = _FRESHNESS[state_of(standings)]
    return ImageAnswer(ImageQuestion.FRESHNESS, holds, text)


_NOT_PROVED = "not every platform is proved to stand on what its base shows now"
_FRESHNESS: Mapping[ImageState, tuple[bool | None, str]] = {
    ImageState.BEHIND: (False, "it is behind its base"),
    ImageState.CONTRADICTED: (False, "what tells of its base disagrees"),
    ImageState.UNSEEN_BUILD: (None, "it stands on a build of its base that was not seen"),
    ImageState.UNKNOWN: (None, _NOT_PROVED),
    ImageState.NOT_SEEN: (None, _NOT_PROVED),
    ImageState.CLAIMED: (None, _NOT_PROVED),
    ImageState.CURRENT: (True, "it stands on what its base shows now"),
}


def about_gate(gated: Gated | None) -> ImageAnswer:
    """Whether what is known to be wrong with it may be there; `gated` is None where no rule asks."""
    if gated is None:
        return ImageAnswer(ImageQuestion.GATE, None, "no rule of the gate asks what is inside", counts=False)
    holds = {GateOutcome.PASSED: True, GateOutcome.BLOCKED: False}.get(gated.outcome)
    return ImageAnswer(ImageQuestion.GATE, holds, gated.told, counts=gated.mode is GateMode.BLOCK)
