"""Every stage is told by the settings which names it may write under."""

from pathlib import Path

from bot.domain.clock import SystemClock
from bot.domain.repositories.repository import Identity
from bot.fleet.wiring.opening import open_bot
from bot.settings import load
from tests.migrated import new_sqlite


async def test_what_is_written_to_is_what_the_settings_include_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("ghp_x")
    path, url = tmp_path / "freshness.yaml", new_sqlite(tmp_path / "freshness.db")
    path.write_text(
        f"github: {{token_file: {tmp_path}/token, repositories: {{include: [contoso/*], exclude: [contoso/a*]}}}}\n"
        f"store: {{url: '{url}'}}\n"
    )
    async with open_bot(load(path), SystemClock()) as bot:
        names = ("Contoso/shop", "contoso/attic", "elsewhere/shop")
        assert [bot.loop.covers(Identity(name)) for name in names] == [True, False, False]
        elsewhere = Identity("contoso/team/shop", forge="azure-devops")
        assert not bot.loop.covers(elsewhere), "the settings of one forge include nothing of another"
