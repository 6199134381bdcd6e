"""`onboard` on a store that a service has filled: a preview, a word that counts, and what is refused."""

import json

from tests.integration.cli.conftest import Command, Filled

API = "contoso/payments-api"


def test_a_preview_tells_what_is_done_and_what_is_not_and_writes_nothing(bot: Command, filled: Filled) -> None:
    ran = bot("onboard", API, "--dry-run", "-c", filled.config, "--format", "json")
    [found] = json.loads(ran.out)
    assert (ran.code, found["repository"]) == (0, API)
    assert "image-user" in {each["check"] for each in found["left"]}
    assert json.loads(bot("explain", API, "-c", filled.config, "--format", "json").out)["onboarding"] is None


def test_a_persons_word_takes_it_up_once(bot: Command, filled: Filled) -> None:
    ran = bot("onboard", API, "--as", "ada", "--reason", "the practices", "-c", filled.config)
    assert ran.code == 0
    assert "taken up" in ran.out
    found = json.loads(bot("explain", API, "-c", filled.config, "--format", "json").out)["onboarding"]
    assert (found["state"], found["reason"]) == ("waiting", "ada asks for it: the practices")
    again = bot("onboard", API, "-c", filled.config, "--format", "json")
    assert again.code == 1
    assert json.loads(again.out)[0]["why"] == "it is under way: ada asks for it: the practices"


def test_what_the_fleet_does_not_have_is_told(bot: Command, filled: Filled) -> None:
    for words in ((), ("--dry-run",)):
        ran = bot("onboard", "contoso/absent", *words, "-c", filled.config)
        assert ran.code == 1
        assert "the fleet has no such repository" in " ".join(ran.out.split())
