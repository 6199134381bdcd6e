"""Leases across restarts."""

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy import insert

from bot.domain.rollouts.rebuild import RebuildState
from bot.fleet.verify.attesting.rows import attestations
from bot.store.engine.queue.claiming import Worker
from bot.store.engine.queue.leases import bring_forward, free_leases_of_the_dead, give_all_back, this_worker
from bot.store.rows.images.images import images
from bot.store.rows.rollouts.tables import rebuilds
from tests.integration.store.filling import HOUR, Stores
from tests.integration.store.moving import opened


def worker_of_ended_process() -> Worker:
    """The name that a process of this machine had, which has ended since."""
    ask = "from bot.store.engine.queue.leases import this_worker; print(this_worker().name)"
    said = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True).stdout
    return Worker(said.strip())


async def held_by(stores: Stores, name: str) -> list[int]:
    await stores.fill()
    await stores.plan_all()
    jobs = await stores.other(name).jobs(10)
    return [job.rebuild.id for job in jobs]


async def test_what_a_dead_process_held_is_free_at_once_and_its_attempt_counts(stores: Stores) -> None:
    assert await held_by(stores, worker_of_ended_process().name) == [1]
    assert await free_leases_of_the_dead(stores.database, this_worker()) == 1
    assert (await stores.jobs(10))[0].rebuild.attempts == 2


async def test_a_later_process_with_the_same_number_is_another(stores: Stores) -> None:
    host = this_worker().name.split("/")[0]
    await held_by(stores, f"{host}/{os.getpid()}/1")
    assert await free_leases_of_the_dead(stores.database, this_worker()) == 1


async def test_a_living_process_keeps_what_it_holds(stores: Stores) -> None:
    living = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        host, _, _ = this_worker().name.split("/")
        started = Path(f"/proc/{living.pid}/stat").read_text().rpartition(")")[2].split()[19]
        await held_by(stores, f"{host}/{living.pid}/{started}")
        assert await free_leases_of_the_dead(stores.database, this_worker()) == 0
    finally:
        living.communicate(b"\n")


async def test_nobody_can_tell_from_here_whether_another_machine_lives(stores: Stores) -> None:
    await held_by(stores, "elsewhere/1/1")
    assert await free_leases_of_the_dead(stores.database, this_worker()) == 0


async def test_an_own_lease_is_not_freed(stores: Stores) -> None:
    await held_by(stores, this_worker().name)
    assert await free_leases_of_the_dead(stores.database, this_worker()) == 0


async def test_an_orderly_stop_leaves_nothing_leased(stores: Stores) -> None:
    await held_by(stores, "first")
    assert await give_all_back(stores.database, stores.worker) == 1
    assert await stores.column(rebuilds, "lease_owner") == [None]
    assert (await stores.jobs(10))[0].rebuild.attempts == 1


async def statement_held_by(stores: Stores, name: str) -> None:
    """A statement about an image that somebody is about to attach."""
    now = stores.clock.now()
    await stores.fill()
    async with stores.database.transaction() as connection:
        produced = {"registry": "ghcr.io", "repository": "contoso/shop", "tag": "latest", "source": "build"}
        image = insert(images).values(repository_id=1, path="", line=1, due_at=now, **produced)
        number = (await connection.execute(image.returning(images.c.id))).scalar_one()
        lease = {"lease_owner": name, "lease_until": now + HOUR, "attempts": 1}
        await connection.execute(insert(attestations).values(image_id=number, due_at=now, **lease))


async def test_a_statement_that_a_dead_process_was_to_attach_is_free_at_once(stores: Stores) -> None:
    await statement_held_by(stores, worker_of_ended_process().name)
    assert await free_leases_of_the_dead(stores.database, this_worker()) == 1


async def test_a_statement_is_given_back_at_an_orderly_stop(stores: Stores) -> None:
    await statement_held_by(stores, "first")
    assert await give_all_back(stores.database, stores.worker) == 1
    assert await stores.column(attestations, "lease_owner") == [None]


async def test_a_single_pass_looks_at_once_at_what_is_polled_but_keeps_settle_times(stores: Stores) -> None:
    await stores.fill(repositories=2)
    await stores.plan_all()
    await opened(stores)
    assert await stores.followed(1) == []
    later = stores.clock.now() + 5 * HOUR
    stores.clock.advance(timedelta(minutes=1))
    await bring_forward(stores.database, stores.clock.now())
    followed = await stores.followed(10)
    assert len(followed) == 2
    await stores.act.settle_rebuild(followed[0], replace(followed[0], due_at=later))
    assert len(await stores.bases(10)) == 1


async def test_a_single_pass_does_not_hasten_what_waits_for_its_window(stores: Stores) -> None:
    await stores.fill()
    await stores.plan_all(due_in=HOUR)
    await bring_forward(stores.database, stores.clock.now())
    assert await stores.jobs(10) == []
    assert (await stores.plan.open_rebuilds())[0].state is RebuildState.PLANNED
