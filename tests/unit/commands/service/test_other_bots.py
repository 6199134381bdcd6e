"""What `doctor` says of other bots that write the same lines, owner by owner."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.commands.service.doctor import other_bot_checks
from bot.domain.failure import Failure, Trouble
from bot.domain.repositories.repository import FleetRepository, Identity
from bot.domain.repositories.repository_config import RepositoryConfig
from bot.files.formats.update_bots import PATHS
from bot.views.doctor import Health

DEPENDABOT = b"version: 2\nupdates:\n  - package-ecosystem: docker\n    directory: /\n"


def member(name: str) -> tuple[FleetRepository, tuple[()]]:
    return FleetRepository(1, name, (), RepositoryConfig()), ()


def forge_in_trouble_at(owner: str, failure: Failure) -> Any:
    async def files(homes: Sequence[Identity], paths: Sequence[str]) -> Mapping[Identity, Mapping[str, bytes]]:
        if any(home.name.startswith(f"{owner}/") for home in homes):
            raise failure
        return {home: {".github/dependabot.yml": DEPENDABOT} for home in homes}

    assert ".github/dependabot.yml" in PATHS
    return cast(Any, SimpleNamespace(files=files))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("trouble", "verdict"), [(Trouble.UNREACHABLE, Health.UNKNOWN), (Trouble.DENIED, Health.WRONG)], ids=str
)
async def test_an_owner_whose_files_cannot_be_read_is_told_and_hides_nothing_of_another(
    trouble: Trouble, verdict: Health
) -> None:
    forge = forge_in_trouble_at("contoso", Failure(trouble, "no answer"))
    checks = await other_bot_checks(forge, [member("contoso/shop"), member("Fabrikam/cart")])
    assert [(check.subject, check.verdict) for check in checks] == [
        ("contoso", verdict),
        ("Fabrikam/cart", Health.NOTE),
    ]
