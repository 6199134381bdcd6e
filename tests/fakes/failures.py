"""Failures that fakes raise."""

from bot.domain.failure import Failure


def alike(failure: Failure) -> Failure:
    """Returns another failure that says the same, as each request meets one of its own."""
    twin = type(failure).__new__(type(failure))
    twin.__dict__ |= vars(failure)
    twin.args = failure.args
    return twin
