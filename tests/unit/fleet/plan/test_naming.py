import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.reference import Base
from bot.fleet.plan.deciding import branch_for
from tests.unit.fleet.plan.world import ASPNET

tags = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,30}", fullmatch=True)


def test_a_branch_is_named_after_its_base() -> None:
    assert branch_for(ASPNET, "freshness/") == "freshness/dotnet-aspnet-10.0"
    assert branch_for(Base("registry.example", "team/web/api", "1"), "freshness/") == "freshness/web-api-1"


@pytest.mark.parametrize("tag", ["1.lock", "a..b", "trailing.", "x.-", "_", "..", "a.lock.lock"])
def test_git_takes_the_name(tag: str) -> None:
    assert _git_takes(branch_for(Base("r", "dotnet/aspnet", f"v{tag}"), "freshness/"))


@given(tags)
def test_the_name_keeps_to_gits_rules(tag: str) -> None:
    """git-check-ref-format(1)."""
    name = branch_for(Base("r", "dotnet/aspnet", tag), "freshness/")
    assert ".." not in name
    assert not name.endswith((".lock", ".", "/"))
    assert not any(sign in name for sign in " ~^:?*[\\@{")


def _git_takes(name: str) -> bool:
    return (
        subprocess.run(["git", "check-ref-format", "--branch", name], capture_output=True, check=False).returncode
        == 0
    )


def test_a_long_name_fits_its_column_and_stays_one_of_its_own() -> None:
    one, other = (branch_for(Base("r", f"{'a' * 120}/{'b' * 120}{letter}", "1"), "freshness/") for letter in "xy")
    assert len(one) < 200
    assert one != other


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("1..2", "web-api-1.2"),
        ("1...2", "web-api-1.2"),
        ("1.*.*", "web-api-1.x.x"),
        ("1.-", "web-api-1"),
        ("1.X", "web-api-1.X"),
    ],
)
def test_what_git_does_not_take_is_left_out(tag: str, name: str) -> None:
    assert branch_for(Base("r", "team/web/api", tag), "freshness/") == f"freshness/{name}"
