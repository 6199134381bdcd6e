"""Which mirrors are taken, and what is said of the others."""

import pytest

from tests.unit.settings.conftest import Refused

HOSTS = "registries: {mcr.microsoft.com: {}, myacr.azurecr.io: {}, other.azurecr.io: {}}"


@pytest.mark.parametrize(
    ("mirrors", "told"),
    [
        ("{'myacr.azurecr.io/mcr/*': mcr.microsoft.com/dotnet/aspnet}", "end both in /* for a folder"),
        ("{'elsewhere.io/mcr/*': 'mcr.microsoft.com/*'}", "'elsewhere.io', which is not in registries"),
        ("{'myacr.azurecr.io/hub/*': 'other.azurecr.io/hub/*'}", "nothing under other.azurecr.io/hub/* is watched"),
        (
            "{'myacr.azurecr.io/mcr/*': 'mcr.microsoft.com/*', 'myacr.azurecr.io/mcr/dotnet/*': "
            "'mcr.microsoft.com/dotnet/*'}",
            "myacr.azurecr.io/mcr/* and myacr.azurecr.io/mcr/dotnet/* are about the same names",
        ),
        (
            "{'myacr.azurecr.io/mcr/*': 'mcr.microsoft.com/*', 'other.azurecr.io/*': 'myacr.azurecr.io/mcr/*'}",
            "other.azurecr.io/* is a mirror of the mirror myacr.azurecr.io/mcr/*; name where it is published first",
        ),
        (
            "{'mcr.microsoft.com/dotnet/*': 'mcr.microsoft.com/*'}",
            "mcr.microsoft.com/dotnet/* is a mirror of itself",
        ),
        ("{'myacr.azurecr.io/**': 'mcr.microsoft.com/*'}", "is no place; write registry/repository"),
    ],
)
def test_a_mirror_that_could_never_do_what_it_says_is_refused(refused: Refused, mirrors: str, told: str) -> None:
    bases = "bases: ['mcr.microsoft.com/dotnet/*', 'myacr.azurecr.io/mcr/*']"
    [line] = refused(f"{HOSTS}\n{bases if 'other.azurecr.io/*' in mirrors else ''}\nmirrors: {mirrors}\n")
    assert told in line


@pytest.mark.parametrize("wrong", ["bases: ['elsewhere.io/dotnet/*']", "bases: [5]"])
def test_of_mirrors_nothing_is_said_where_what_they_need_is_refused(refused: Refused, wrong: str) -> None:
    [line] = refused(f"{HOSTS}\n{wrong}\nmirrors: {{'myacr.azurecr.io/mcr/*': 'mcr.microsoft.com/*'}}\n")
    assert "bases" in line
