"""The .NET runtime that a self-contained or Native AOT application brings itself: its base proves the system
alone."""

from dataclasses import dataclass
from datetime import datetime

from bot.domain.wording.words import duration


@dataclass(frozen=True, slots=True)
class RuntimeInside:
    """What shows of the runtime inside. `version` is empty where nothing tells it, `by` is what tells it, and
    `is_signed` whether that rests on a signature; `is_current` is False both where it is behind and where nothing
    proves it."""

    version: str = ""
    by: str = ""
    is_current: bool = False
    behind_since: datetime | None = None
    is_signed: bool = False

    def told(self, now: datetime) -> str:
        """Words it: `.NET 10.0.2 inside, current by its packages`."""
        inside = f".NET {self.version} inside" if self.version else "the .NET inside"
        if self.behind_since is not None:
            return f"{inside}, {duration(now - self.behind_since)} behind by {self.by}"
        if self.is_current:
            return f"{inside}, current by {self.by}"
        return f"{inside} is not proved: {self.by or UNPROVED}"


UNPROVED = "its .deps.json or signed provenance that names the SDK would tell"
