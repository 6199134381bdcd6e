"""How often Python looks for values that only refer to each other."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_YOUNG, _MIDDLE, _OLD = 50_000, 20, 100
"""How many new values, and then how many rounds of the younger generation, come before a look."""


@contextmanager
def collected_seldom() -> Iterator[None]:
    """Lets the looks be few meanwhile: reading and planning a fleet makes hundreds of thousands of values that live
    to the end of the tick, and looking through them took 30 % of its time. What a command imports stays as well."""
    before = gc.get_threshold()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    try:
        yield
    finally:
        gc.set_threshold(*before)
