"""What is measured of upstream's promises, of all that a store has seen."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.discover.ports import Reading
from bot.domain.bases.advisory import Release
from bot.domain.bases.observation import Observation
from bot.domain.clock import ManualClock
from bot.domain.images.produced import Claim, Source
from bot.domain.images.tags import TagRule
from bot.domain.reference import Base
from bot.domain.repositories.repository import Repository
from bot.service.commands.promises import read_promises
from bot.settings import load
from bot.store.engine.database import open_database
from bot.store.history import Logged
from bot.views.bases.promises import Grouping
from tests.integration.store.filling import Stores

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ORIGIN = Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")
COPY = Base("myacr.azurecr.io", "mcr/dotnet/aspnet", "10.0")
OWN = Base("ghcr.io", "contoso/aspnet", "10.0")


async def test_what_mirrors_and_the_fleet_itself_took_is_not_held_against_upstream(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("ghp_x")
    file = tmp_path / "freshness.yaml"
    file.write_text(
        f"github: {{token_file: {tmp_path}/token}}\nstore: {{url: 'sqlite:///{tmp_path}/store.db'}}\n"
        "registries: {mcr.microsoft.com: {}, myacr.azurecr.io: {}}\n"
        "mirrors: {'myacr.azurecr.io/mcr/*': 'mcr.microsoft.com/*'}\n"
    )
    settings, clock = load(file), ManualClock(NOON + 90 * HOUR)
    seen = [
        Observation(NOON + hours * HOUR, base, f"sha256:{digit * 64}", version)
        for base, late in ((ORIGIN, 2), (COPY, 40), (OWN, 80))
        for digit, version, hours in (("1", "10.0.4", -1), ("2", "10.0.5", late))
    ]
    database = await open_database(settings.store.url)
    stores = Stores.of_worker(database, clock, "one")
    await stores.listing(Repository("contoso/aspnet", "main"))
    await stores.read(Reading("tree-1", (), images=(Claim(OWN.name, TagRule(OWN.tag), Source.BUILD),)))
    await stores.history.add_releases([Release("10.0", "10.0.5", NOON, runtime="10.0.5", aspnetcore="10.0.5")])
    await stores.history.add([Logged(each) for each in seen])
    await database.close()
    [found] = (await read_promises(settings, Grouping.FAMILY, 90 * HOUR, clock)).rows
    assert (found.group, found.times, found.kept, found.longest) == (("aspnet",), 1, 1, 2 * HOUR)
