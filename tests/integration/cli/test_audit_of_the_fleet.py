"""`audit` of a repository of the fleet: what the service has found, in each of its forms."""

import json

from tests.integration.cli.conftest import Command, Filled


def test_it_is_what_the_service_found_last(bot: Command, filled: Filled) -> None:
    ran = bot("audit", "contoso/payments-api", "-c", filled.config, "--format", "json")
    found = json.loads(ran.out)
    assert ran.code == 1
    assert {each["path"] for each in found if each["check"] == "image-user"} == {"Dockerfile"}


def test_scripts_get_sarif_of_it(bot: Command, filled: Filled) -> None:
    found = json.loads(bot("audit", "Contoso/Payments-API", "-c", filled.config, "--format", "sarif").out)
    assert found["version"] == "2.1.0"


def test_what_is_neither_a_path_nor_known_is_told(bot: Command, filled: Filled) -> None:
    ran = bot("audit", "contoso/absent", "-c", filled.config)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "contoso/absent is neither a path here nor a repository of the fleet; "
        "write it as the forge does, and see github.repositories in the settings\n"
    )
