"""How a command that takes a while is told how far it has come."""

from collections.abc import Callable

Progress = Callable[[int, int | None], None]
"""Called with how many are done, and of how many, where that is known."""
