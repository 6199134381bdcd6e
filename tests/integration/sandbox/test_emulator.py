"""The emulator's program outlives its world where that is wished, and plays for a later one as if it were new."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pytest

from sandbox.programs import emulator
from sandbox.programs.emulator import ORGANISATION, Program, keep_programs
from sandbox.world import World


@dataclass(frozen=True, slots=True)
class Met:
    """What a new world holds, and where its emulator listens."""

    address: str
    repositories: int
    messages: int
    organisations: tuple[str, ...]


async def visit(organisations: Sequence[str] = (ORGANISATION,)) -> Met:
    """A look into a new world, in which a repository and a message are left behind."""
    async with World(organisations=organisations) as world:
        repositories = await world.github.ask("GET", f"/orgs/{ORGANISATION}/repos")
        installed = await world.github.ask("GET", "/user/orgs")
        messages = await world.slack.messages()
        await world.github.create_repository("shop", {"Dockerfile": "FROM scratch\n"})
        logins = tuple(sorted(row["login"] for row in installed))
        return Met(world.github.edge.upstream, len(repositories), len(messages), logins)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Program]]:
    """Those that wait for the next world; none at first, and what other tests have kept is left alone."""
    waiting: list[Program] = []
    monkeypatch.setattr(emulator, "_kept", waiting)
    yield waiting
    for program in waiting:
        program.stop()


async def test_the_next_world_is_played_by_the_same_program_and_holds_nothing_of_the_last(
    kept: list[Program],
) -> None:
    first = await visit()
    second = await visit((ORGANISATION, "fabrikam"))
    assert second.address == first.address
    assert (second.repositories, second.messages) == (0, 0)
    assert (first.organisations, second.organisations) == ((ORGANISATION,), (ORGANISATION, "fabrikam"))


async def test_two_worlds_at_once_have_a_program_each(kept: list[Program]) -> None:
    async with World() as first, World() as second:
        assert first.github.edge.upstream != second.github.edge.upstream
    assert len(kept) == 2


async def test_a_program_that_has_ended_meanwhile_is_replaced(kept: list[Program]) -> None:
    await visit()
    kept[0].child.stop()
    assert (await visit()).repositories == 0
    assert len(kept) == 1


async def test_without_that_wish_it_ends_with_its_world(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emulator, "_kept", None)
    stopped: list[Program] = []
    stop = Program.stop

    def noted(program: Program) -> None:
        stopped.append(program)
        stop(program)

    monkeypatch.setattr(Program, "stop", noted)
    await visit()
    assert len(stopped) == 1


def test_who_wishes_it_twice_has_one_list(monkeypatch: pytest.MonkeyPatch) -> None:
    keep_programs()
    waiting = emulator._kept
    keep_programs()
    assert emulator._kept is waiting
