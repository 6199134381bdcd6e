"""What a Slack app may be granted, and what each scope is for."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SlackScope:
    """`names` are scopes of which one is enough: which it is depends on the channels."""

    names: tuple[str, ...]
    purpose: str

    def is_in(self, granted: Collection[str]) -> bool:
        return any(name in granted for name in self.names)


SCOPES = (
    SlackScope(("chat:write",), "post messages, answer below them and keep them current"),
    SlackScope(
        ("channels:history", "groups:history"),
        "look whether a message got through whose answer was lost, in public and in private channels",
    ),
)
"""All that the bot ever uses."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose token it is, and what that may do; None where Slack does not say."""

    bot: str
    team: str
    scopes: frozenset[str] | None

    def __str__(self) -> str:
        return f"{self.bot} in {self.team}"
