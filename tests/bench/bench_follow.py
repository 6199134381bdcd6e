"""Requests for following a fleet: GitHub grants 5,000 an hour, and other work needs them too."""

import asyncio
import tempfile
from pathlib import Path

from tests.an_hour_of_following import an_hour_of_following


def run() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        requests, looks = asyncio.run(an_hour_of_following(Path(folder)))
    what = "following 1,000 open pull requests and 1,000 runs for an hour"
    return [(what, f"{requests} requests, {looks:.1f} looks at each", "60 requests, a look every five minutes")]
