"""Who is told of each request that the bot sends, and of what a host says is left of its limits."""

from typing import Protocol


class Observer(Protocol):
    """Is told of every request and limit; the metrics are counted behind it."""

    def answered(self, host: str, method: str, status: int | None) -> None:
        """A request came to its end; `status` is None where there was no answer."""
        ...

    def left(self, resource: str, remaining: int, limit: int) -> None:
        """GitHub has said how much is left of one of its limits."""
        ...


class Nobody:
    """Is told, and does nothing."""

    def answered(self, host: str, method: str, status: int | None) -> None: ...

    def left(self, resource: str, remaining: int, limit: int) -> None: ...
