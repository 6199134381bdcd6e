"""`tour` leads through a fleet in the middle of a rollout, and changes nothing."""

import io

import pytest

from tests.integration.cli.conftest import Command, Filled


def test_it_asks_one_question_after_another_with_its_command_and_ends_with_the_cleanup(
    bot: Command, filled: Filled
) -> None:
    writes = len(filled.world.traffic.writes())
    ran = bot("tour", "-c", filled.config)
    assert ran.code == 0, ran.err
    lines = ran.out.splitlines()
    stops = [line for line in lines if line.startswith("$ freshness-bot ")]
    assert len(stops) == 8
    assert [line for line in lines if line.startswith("8 of 8: How would the bot be taken out again?")]
    assert "$ freshness-bot retire --dry-run" in stops
    assert "Ctrl-C" in lines[-1]
    assert len(filled.world.traffic.writes()) == writes


class Asked(io.StringIO):
    """A terminal at which somebody answers."""

    def isatty(self) -> bool:
        return True


def test_who_has_seen_enough_ends_it(bot: Command, filled: Filled, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Asked("\nq\n"))
    ran = bot("tour", "-c", filled.config)
    assert ran.code == 0
    assert ran.out.count("$ freshness-bot ") == 2
    assert "Ctrl-C" in ran.out.splitlines()[-1]


def test_without_a_fleet_it_says_so_in_one_line(bot: Command) -> None:
    ran = bot("tour", "-c", "absent.yaml")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == "absent.yaml: cannot be read: No such file or directory; give the file with --config\n"
