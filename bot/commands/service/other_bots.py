"""Which other bots write the same lines, as their settings tell and their open pull requests."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from bot.domain.forge.pull_requests import OtherRequest, images_twice, may_bring_images
from bot.domain.reference import Base
from bot.domain.repositories.repository import Identity
from bot.files.formats.update_bots import PATHS, update_bots
from bot.views.doctor import Health, HealthCheck

OTHER_BOTS = "other bots"
"""The area of their checks."""


class ShowsOthers(Protocol):
    """Reads of many repositories at once what others have there; every method raises `Failure`."""

    async def files(
        self, repositories: Sequence[Identity], paths: Sequence[str]
    ) -> Mapping[Identity, Mapping[str, bytes]]: ...

    async def other_requests(
        self, repositories: Sequence[Identity]
    ) -> Mapping[Identity, Sequence[OtherRequest]]: ...


async def told_to_write(forge: ShowsOthers, homes: Sequence[Identity]) -> list[HealthCheck]:
    """The settings of other bots by which they write the same lines, with the line that stops each."""
    return [
        HealthCheck(
            OTHER_BOTS,
            identity.name,
            Health.NOTE,
            f"{bot.name} writes the same lines: {bot.path}:{bot.line}",
            f"write {bot.stopped_by}",
        )
        for identity, files in (await forge.files(homes, PATHS)).items()
        for bot in update_bots(files)
    ]


async def at_work(forge: ShowsOthers, homes: Sequence[Identity], bases: Sequence[Base]) -> list[HealthCheck]:
    """The open pull requests of other bots for images that this bot brings too."""
    checks = []
    for identity, requests in (await forge.other_requests(homes)).items():
        for request in requests:
            images = ", ".join(images_twice(request, bases))
            if not images and not may_bring_images(request):
                continue
            brings = f"for {images}, which this bot brings too" if images else "for a group of images"
            checks.append(
                HealthCheck(
                    OTHER_BOTS,
                    f"{identity.name}#{request.number}",
                    Health.NOTE,
                    f"{request.bot} has it open {brings}: {request.url}",
                    "hand the images over, and close it: see docs/beside-update-bots.md",
                )
            )
    return checks
