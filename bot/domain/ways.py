"""The ways to run the bot, of which each needs settings of its own."""

from enum import StrEnum


class Way(StrEnum):
    """What the bot runs on, which decides what there is to ask."""

    LAPTOP = "laptop"
    ACTION = "action"
    CONTAINER = "container"
    CLUSTER = "cluster"

    @property
    def store(self) -> str:
        """Where it remembers, unless somebody says otherwise; in a pod that is named from the root on."""
        return "sqlite:////data/freshness.db" if self is Way.CLUSTER else "sqlite:///data/freshness.db"
