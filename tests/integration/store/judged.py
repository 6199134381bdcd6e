"""Repositories that were read as they are now, and judged."""

from bot.domain.repositories.repository import Reading, Repository, blob_name
from bot.fleet.audit.tick import AuditOptions
from bot.fleet.audit.tick import tick as audit
from bot.reconcile.loop import Loop
from tests.fakes.forge import FakeForge
from tests.fakes.repository import SHA1
from tests.integration.store.filling import HOUR, Stores


async def read(stores: Stores, forge: FakeForge, options: AuditOptions = AuditOptions()) -> None:  # noqa: B008 - frozen
    """Discovery has read every repository as it is now, and the audit has judged it."""
    stores.clock.advance(HOUR)
    await stores.listing(
        *(
            Repository(home.name, "main", stores.clock.now(), id=home.id, node_id=home.node_id)
            for home in forge.homes
        )
    )
    by_name = {home.name: home.commits[home.branches["main"]].files for home in forge.homes}
    for repository in await stores.repositories(100):
        files = by_name[repository.name]
        shas = {path: blob_name(text, SHA1) for path, text in files.items()}
        await stores.discover.save_blobs({shas[path]: text for path, text in files.items()})
        reading = Reading(str(hash(tuple(files.items()))), audited=shas, blobs=tuple(shas.values()))
        await stores.discover.save_reading(repository, reading, stores.clock.now() + 24 * HOUR)
    await audit(stores.audit, options, Loop(stores.clock))
