"""What `doctor` says of other bots that write the same lines, owner by owner."""

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.commands.service.doctor import other_bot_checks
from bot.domain.failure import Failure, Trouble
from bot.domain.forge.pull_requests import OtherRequest
from bot.domain.reference import Base
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

    async def other_requests(homes: Sequence[Identity]) -> Mapping[Identity, Sequence[OtherRequest]]:
        if any(home.name.startswith(f"{owner}/") for home in homes):
            raise failure
        return {}

    assert ".github/dependabot.yml" in PATHS
    return cast(Any, SimpleNamespace(files=files, other_requests=other_requests))


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("trouble", "verdict"), [(Trouble.UNREACHABLE, Health.UNKNOWN), (Trouble.DENIED, Health.WRONG)], ids=str
)
async def test_an_owner_whose_files_cannot_be_read_is_told_and_hides_nothing_of_another(
    trouble: Trouble, verdict: Health
) -> None:
    forge = forge_in_trouble_at("contoso", Failure(trouble, "no answer"))
    checks = await other_bot_checks(forge, [member("contoso/shop"), member("Fabrikam/cart")], [])
    assert [(check.subject, check.verdict) for check in checks] == [
        ("contoso", verdict),
        ("Fabrikam/cart", Health.NOTE),
    ]


@pytest.mark.asyncio
async def test_open_pull_requests_of_theirs_for_our_bases_are_told_with_one_question_to_an_owner() -> None:
    asked: list[Sequence[Identity]] = []

    async def files(homes: Sequence[Identity], paths: Sequence[str]) -> Mapping[Identity, Mapping[str, bytes]]:
        return {}

    async def other_requests(homes: Sequence[Identity]) -> Mapping[Identity, Sequence[OtherRequest]]:
        asked.append(homes)
        return {homes[0]: [theirs("dotnet/aspnet-10.0.1", 7), theirs("redis-8.2", 8), theirs("base-1a2b3c4d5e", 9)]}

    def theirs(branch: str, number: int) -> OtherRequest:
        return OtherRequest(number, f"https://github.com/pull/{number}", "", f"dependabot/docker/{branch}", "", "")

    forge = cast(Any, SimpleNamespace(files=files, other_requests=other_requests))
    members = [member("contoso/shop"), member("contoso/cart")]
    checks = await other_bot_checks(forge, members, [Base("mcr.microsoft.com", "dotnet/aspnet", "10.0")])
    assert len(asked) == 1
    assert [(check.subject, check.verdict, check.found) for check in checks] == [
        (
            "contoso/shop#7",
            Health.NOTE,
            "Dependabot has it open for dotnet/aspnet, which this bot brings too: https://github.com/pull/7",
        ),
        ("contoso/shop#9", Health.NOTE, "Dependabot has it open for a group of images: https://github.com/pull/9"),
    ]
