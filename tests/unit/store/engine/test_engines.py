"""What a database needs to be spoken to."""

import sys

import pytest

from bot.domain.failure import Failure, Trouble
from bot.store.engine.engines import database_url, engine_for


def test_postgresql_without_its_driver_names_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(Failure) as failed:
        engine_for(database_url("postgresql://bot@db.example/freshness"))
    assert failed.value.trouble is Trouble.DENIED
    assert failed.value.advice == "install freshness-bot[postgresql]"
