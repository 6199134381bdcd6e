"""Which earlier observation a new one is compared with."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.bases.observation import Observation
from bot.domain.reference import Base


@dataclass(frozen=True, slots=True)
class BaseStanding:
    """Where a base stands: the last observation that had a digest, and since when it is withdrawn, if it is.

    `withdrawn_unseen`: that happened before anybody looked, at `withdrawn_at` at the latest.
    """

    last: Observation
    withdrawn_at: datetime | None = None
    withdrawn_unseen: bool = False

    @property
    def base(self) -> Base:
        return self.last.base


def follow(
    standing: BaseStanding | None, observation: Observation
) -> tuple[BaseStanding | None, Observation | None]:
    """Returns the new standing, and the observation to compare with where something changed.

    First sight is no change, nor is the same digest seen again, nor a withdrawal seen twice. A base that comes back
    is compared with what it was before.
    """
    if observation.digest is None:
        if standing is None or standing.withdrawn_at is not None:
            return standing, None
        return BaseStanding(standing.last, withdrawn_at=observation.at), standing.last
    if standing is None:
        return BaseStanding(observation), None
    repeated = standing.withdrawn_at is None and standing.last.digest == observation.digest
    return BaseStanding(observation), None if repeated else standing.last
