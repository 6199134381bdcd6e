"""Importing it makes a pass over an empty store: it reads, builds and compiles what every pass needs.

What is forked from there begins as a service does that has run for a minute. A walk takes five processes, which
would spend a third of their time on that.
"""

import asyncio
import gc
import tempfile
from pathlib import Path

import yaml

from bot.domain.clock import SystemClock
from bot.service.logs import set_up
from bot.service.one_off import pass_once
from bot.settings import load
from tests.compiled_once import compile_once
from tests.migrated import new_sqlite

AS_IN_A_SERVICE = 500
"""Statements that are kept compiled, as many as an engine keeps: some of these processes are weighed."""


def warm_up() -> None:
    """Nothing is asked over the network: no repositories are wanted, no bases watched, and no feeds read."""
    with tempfile.TemporaryDirectory() as folder:
        token, config = Path(folder) / "token", Path(folder) / "freshness.yaml"
        token.write_text("none")
        settings = {
            "github": {"token_file": str(token), "repositories": {"include": ["contoso/*"]}},
            "bases": [],
            "feeds": {"offline": True},
            "schedule": {"summary": None},
            "store": {"url": new_sqlite(Path(folder) / "freshness.db")},
        }
        config.write_text(yaml.safe_dump(settings))
        asyncio.run(pass_once(load(config), SystemClock()))


set_up("text", verbose=False)
compile_once(AS_IN_A_SERVICE)
warm_up()
gc.collect()
gc.freeze()
