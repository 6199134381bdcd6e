"""Several who want to know what is kept beside an image cost its registry one look."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from bot.domain.clock import ManualClock
from bot.domain.failure import Failure, Trouble
from bot.images.trust.collecting import LISTED_FOR, MOST_BYTES, LookedOnce
from bot.store.rows.inventories.wanted import ATTACHED_AFTER
from tests.builders import NOON

PLACE = ("registry.example", "shop")
DIGEST = "sha256:" + "1" * 64


@dataclass
class Counted:
    """A registry that counts, and fails while it is told to."""

    asked: list[str] = field(default_factory=list)
    content: bytes = b"{}"
    trouble: Trouble | None = None

    def _answer(self, what: str) -> bytes:
        self.asked.append(what)
        if self.trouble is not None:
            raise Failure(self.trouble, "fails")
        return self.content

    async def referring(self, registry: str, repository: str, digest: str) -> Sequence[str]:
        self._answer("referring")
        return [digest]

    async def manifest(self, registry: str, repository: str, digest: str) -> bytes:
        return self._answer("manifest")

    async def tagged(self, registry: str, repository: str, tag: str) -> bytes | None:
        self._answer("tagged")
        return None

    async def config(self, registry: str, repository: str, digest: str) -> bytes:
        return self._answer("config")


async def look(beside: LookedOnce) -> None:
    assert await beside.referring(*PLACE, DIGEST) == (DIGEST,)
    assert await beside.tagged(*PLACE, "sha256-1.sbom") is None
    assert await beside.manifest(*PLACE, DIGEST) == await beside.config(*PLACE, DIGEST) == b"{}"


async def test_what_was_asked_before_is_answered_from_memory() -> None:
    port = Counted()
    beside = LookedOnce(port, ManualClock(NOON))
    await look(beside)
    await look(beside)
    assert port.asked == ["referring", "tagged", "manifest", "config"]


async def test_listings_are_asked_for_again_once_they_are_old_and_content_never() -> None:
    port, clock = Counted(), ManualClock(NOON)
    beside = LookedOnce(port, clock)
    await look(beside)
    clock.advance(LISTED_FOR)
    await look(beside)
    assert port.asked[4:] == ["referring", "tagged"]


def test_what_a_build_attaches_after_its_push_is_not_hidden_by_the_look_before_it() -> None:
    assert LISTED_FOR < ATTACHED_AFTER


async def test_a_clock_that_is_set_back_makes_no_listing_count_for_longer() -> None:
    port, clock = Counted(), ManualClock(NOON)
    beside = LookedOnce(port, clock)
    await look(beside)
    clock.at -= timedelta(hours=1)
    await look(beside)
    assert port.asked[4:] == ["referring", "tagged"]


async def test_repositories_are_told_apart() -> None:
    port = Counted()
    beside = LookedOnce(port, ManualClock(NOON))
    await beside.manifest("registry.example", "shop", DIGEST)
    await beside.manifest("registry.example", "till", DIGEST)
    assert port.asked == ["manifest"] * 2


async def test_a_failure_is_not_remembered() -> None:
    port = Counted(trouble=Trouble.MISSING)
    beside = LookedOnce(port, ManualClock(NOON))
    with pytest.raises(Failure):
        await beside.manifest(*PLACE, DIGEST)
    port.trouble = None
    assert await beside.manifest(*PLACE, DIGEST) == b"{}"


async def test_what_is_kept_is_bounded_and_what_was_asked_last_stays() -> None:
    port = Counted(content=bytes(1024 * 1024))
    beside = LookedOnce(port, ManualClock(NOON))
    many = MOST_BYTES // len(port.content)
    for number in range(many):
        await beside.config(*PLACE, f"{number}")
    await beside.config(*PLACE, f"{many - 1}")
    assert len(port.asked) == many
    await beside.config(*PLACE, "0")
    assert len(port.asked) == many + 1


async def test_a_large_blob_is_not_kept() -> None:
    port = Counted(content=bytes(5 * 1024 * 1024))
    beside = LookedOnce(port, ManualClock(NOON))
    for _ in range(2):
        await beside.config(*PLACE, DIGEST)
    assert len(port.asked) == 2
