"""A tag is proposed only once the registry has it."""

from datetime import timedelta

import pytest

from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Reference
from bot.domain.repositories.usage import Replacement
from bot.fleet.act.ports import Job
from bot.fleet.act.tools import PublishedTags
from tests.unit.fleet.act.world import ASPNET, Registry, digest, member, rebuild

OLD, NEW = Reference(ASPNET.name, "10.0.4"), Reference(ASPNET.name, "10.0.5")
OTHER = Reference("registry.contoso.com/other", "2")


def job(*replacements: Replacement) -> Job:
    return Job(rebuild(replacements=replacements), member(), "main", (), ())


async def test_of_planned_tags_the_first_that_is_not_there_is_named() -> None:
    registry = Registry(absent={"10.0.5"})
    assert await PublishedTags(registry).missing(job(Replacement(OLD, NEW))) == NEW
    registry.absent.clear()
    assert await PublishedTags(registry).missing(job(Replacement(OLD, NEW))) is None


@pytest.mark.parametrize(
    "item",
    [
        pytest.param(Replacement(OLD, OLD.with_tag("10.0.4", digest("b"))), id="the tag stays"),
        pytest.param(Replacement(OTHER, OTHER.with_tag("3", None)), id="of no base that the rebuild is for"),
    ],
)
async def test_only_new_tags_of_its_own_bases_are_asked_for(item: Replacement) -> None:
    registry = Registry(absent={"10.0.4", "3"})
    assert await PublishedTags(registry).missing(job(item)) is None
    assert registry.asked == 0


async def test_a_tag_is_asked_for_once_however_many_are_to_take_it() -> None:
    registry = Registry()
    tags = PublishedTags(registry)
    for _ in range(3):
        assert await tags.first_missing([NEW, OLD, NEW]) is None
    assert registry.asked == 2


@pytest.mark.parametrize("trouble", [Trouble.UNREACHABLE, Trouble.DENIED, Trouble.THROTTLED], ids=str)
async def test_where_the_registry_does_not_say_each_that_needs_the_tag_waits_and_it_is_asked_once(
    trouble: Trouble,
) -> None:
    rest = timedelta(minutes=9)
    asked = Failure(trouble, "HTTP 4xx", where="a.example", advice="look there", retry_after=rest, status=429)
    registry = Registry(failing=asked)
    tags = PublishedTags(registry)
    for _ in range(2):
        with pytest.raises(Failure) as failed:
            await tags.first_missing([NEW])
        told = failed.value
        assert (str(told), told.retry_after, told.status) == ("a.example: HTTP 4xx; look there", rest, 429)
        assert told.trouble is (Trouble.UNREACHABLE if trouble is Trouble.THROTTLED else trouble)
        assert (told.where, told.pauses_host) == ("", False)
    assert registry.asked == 1


async def test_a_failure_without_a_place_is_told_as_it_is() -> None:
    registry = Registry(failing=Failure(Trouble.UNREACHABLE, "no answer"))
    with pytest.raises(Failure, match=r"^no answer$"):
        await PublishedTags(registry).first_missing([NEW])
