"""A cluster tells a bot what runs in it: the command, the page that takes it, and what is kept."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.domain.clock import SystemClock
from bot.fleet.running.rows import RunningStore
from bot.store.engine.database import open_database
from bot.store.rows.running.running import running_looks, running_places
from bot.web.app import app_of
from bot.web.serving import bound, serving
from bot.web.site import Senders, Site
from sandbox.edges.serving import Server
from sandbox.kubernetes.cluster import Cluster, kubeconfig
from sandbox.programs.processes import ANY_PORT
from sandbox.stored_fleet.serving import site_over
from tests.migrated import new_sqlite

TOKEN = "t" * 32
PROGRAM = Path(sys.executable).with_name("freshness-bot")


@dataclass(frozen=True, slots=True)
class Told:
    """A bot that is served, and the files of a cluster that knows it."""

    url: str
    site: Site
    folder: Path

    async def push(self, *more: str, source: str = "production", token: str = TOKEN) -> tuple[int, str, str]:
        """Exit code, and what the command says."""
        (self.folder / "token").write_text(token)
        files = ["--token-file", self.folder / "token", "--kubeconfig", self.folder / "kubeconfig"]
        words = ["running", "push", source, self.url, *files, *more]
        pipe = asyncio.subprocess.PIPE
        ran = await asyncio.create_subprocess_exec(PROGRAM, *map(str, words), stdout=pipe, stderr=pipe)
        out, err = await ran.communicate()
        return ran.returncode or 0, out.decode(), err.decode()

    async def kept(self) -> tuple[int, int]:
        """How many places are kept, and how many times through which it is known what runs."""
        async with self.site.stores[RunningStore]._database.reading() as connection:
            places = (await connection.execute(select(running_places.c.id))).all()
            return len(places), len((await connection.execute(select(running_looks.c.id))).all())


@pytest.fixture
async def told(tmp_path: Path, server: Server) -> AsyncIterator[Told]:
    (tmp_path / "kubeconfig").write_text(kubeconfig(server.url))
    database = await open_database(new_sqlite(tmp_path / "store.db"))
    site = replace(site_over(database), clock=SystemClock(), senders=Senders(clusters={"production": TOKEN}))
    with bound(ANY_PORT) as listening:
        async with serving(app_of(site), listening):
            yield Told("http://{}:{}".format(*listening.getsockname()), site, tmp_path)
    await database.close()


async def test_what_runs_is_listed_and_kept(told: Told) -> None:
    assert await told.push() == (0, "sent 8 containers of production\n", "")
    assert await told.kept() == (8, 1)


async def test_a_part_that_may_not_be_listed_is_told_and_covers_nothing(told: Told, cluster: Cluster) -> None:
    cluster.trouble.forbidden = frozenset({"billing"})
    code, out, err = await told.push("--namespace", "billing", "--namespace", "shop")
    assert (code, out) == (3, "sent 4 containers of production\n")
    assert err.startswith("namespace billing: does not let pods be listed: ")
    assert await told.kept() == (4, 0)


async def test_a_list_that_is_known_already_is_no_failure(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the answer to a first attempt was lost."""

    async def known(_: RunningStore, source: str, snapshot: object) -> bool:
        return False

    monkeypatch.setattr(RunningStore, "save_snapshot", known)
    assert (await told.push())[0] == 0


@pytest.mark.parametrize("who", [{"token": "w" * 32}, {"source": "nowhere"}])
async def test_a_token_of_another_source_is_refused_in_one_line(told: Told, who: dict[str, str]) -> None:
    code, out, err = await told.push(**who)
    assert (code, out) == (2, "")
    assert "does not take it (403): this is not the token of a source of that name; give the token that" in err
    assert err.count("\n") == 1
    assert await told.kept() == (0, 0)


async def test_an_address_that_is_no_bots_is_told(told: Told) -> None:
    code, _, err = await replace(told, url=f"{told.url}/elsewhere").push()
    assert code == 2
    assert "does not take it (404): it says nothing of why; does the address lead to the page of the bot?" in err


async def test_a_token_is_not_sent_in_the_clear(told: Told) -> None:
    code, _, err = await replace(told, url="http://freshness.example.com").push()
    assert code == 2
    assert "would send the token in the clear; write https://" in err
