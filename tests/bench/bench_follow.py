"""Requests for following a fleet: GitHub grants 5,000 an hour, and other work needs them too."""

import asyncio
import tempfile
from pathlib import Path

from tests.an_hour_of_following import an_hour_of_following
from tests.bench.measured import Measured

MOST_REQUESTS, LOOKS = 60, 11
"""In an hour: a look at each every five minutes, the first of which may be in its last minutes."""


def run() -> list[Measured]:
    with tempfile.TemporaryDirectory() as folder:
        requests, looks = asyncio.run(an_hour_of_following(Path(folder)))
    what = "following 1,000 open pull requests and 1,000 runs for an hour"
    figure, is_met = f"{requests} requests, {looks:.1f} looks at each", requests <= MOST_REQUESTS and looks >= LOOKS
    return [Measured(what, figure, f"{MOST_REQUESTS} requests, a look every five minutes", is_met)]
