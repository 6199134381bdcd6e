"""Which publications are read, and where: that of Azure Linux brings its OVAL."""

from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from bot.domain.feeds.document import FeedKind
from bot.domain.packages.cves.publication import CvePublication, publications_of
from bot.domain.packages.cves.vulnerability import ANY_RELEASE, Ecosystem
from bot.fleet.wiring.grants import dump_sources, feed_sources
from bot.settings import Settings
from bot.settings.model import json_schema
from bot.settings.sections.upstream import VulnerabilitiesSettings
from bot.upstream.osv import addresses

OVAL_3, OVAL_2, OSV = (
    CvePublication.AZURE_LINUX_3_OVAL,
    CvePublication.AZURE_LINUX_2_OVAL,
    CvePublication.AZURE_LINUX,
)


def places(**values: Any) -> dict[CvePublication, str]:
    settings = Settings(vulnerabilities=VulnerabilitiesSettings.model_validate(values))
    return {each.publication: each.place for each in dump_sources(settings)}


def test_nothing_is_read_unless_it_is_asked_for() -> None:
    assert places() == {}


def test_azure_linux_is_read_with_its_oval_which_comes_first() -> None:
    assert list(places(azure_linux=True).items()) == [
        (OVAL_3, addresses.AZURE_LINUX_3_OVAL),
        (OVAL_2, addresses.AZURE_LINUX_2_OVAL),
        (OSV, addresses.AZURE_LINUX),
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"azure_linux": True, "azure_linux_2_oval": False}, [OVAL_3, OSV]),
        ({"azure_linux": {"file": "/data/azure.zip"}}, [OSV]),
        ({"azure_linux_3_oval": {"url": "https://mirror.example/3.xml"}}, [OVAL_3]),
        ({"azure_linux": {"file": "/x.zip"}, "azure_linux_3_oval": {"file": "/3.xml"}}, [OVAL_3, OSV]),
        ({"azure_linux": False}, []),
        ({"ubuntu": True}, [CvePublication.UBUNTU]),
    ],
)
def test_a_place_of_ones_own_brings_nothing_else(values: dict[str, Any], expected: list[CvePublication]) -> None:
    assert list(places(**values)) == expected


def test_recommended_stands_for_all_that_tells_of_packages_once() -> None:
    settings = Settings.model_validate({"vulnerabilities": "recommended"})
    read = {each.publication: each.place for each in dump_sources(settings)}
    assert read == {
        CvePublication.UBUNTU: addresses.UBUNTU,
        CvePublication.DEBIAN: addresses.DEBIAN,
        CvePublication.ALPINE: addresses.ALPINE,
        OVAL_3: addresses.AZURE_LINUX_3_OVAL,
        OVAL_2: addresses.AZURE_LINUX_2_OVAL,
        CvePublication.NUGET: addresses.NUGET,
    }
    assert settings.vulnerabilities.is_recommended
    kinds = {each.kind for each in feed_sources(settings)}
    assert {FeedKind.KEV, FeedKind.EPSS} <= kinds
    assert not {FeedKind.KEV, FeedKind.EPSS} & {each.kind for each in feed_sources(Settings())}
    assert not Settings().vulnerabilities.is_recommended


def test_the_schema_takes_the_word_and_the_names_and_no_other_word() -> None:
    validator = jsonschema.Draft202012Validator(json_schema())
    assert validator.is_valid({"vulnerabilities": "recommended"})
    assert validator.is_valid({"vulnerabilities": {"ubuntu": True}})
    assert not validator.is_valid({"vulnerabilities": "all"})
    with pytest.raises(ValidationError, match="write recommended, or a source by its name"):
        Settings.model_validate({"vulnerabilities": "all"})


def test_no_api_tells_oval() -> None:
    with pytest.raises(ValidationError, match="no API tells it"):
        places(azure_linux_3_oval={"api": "https://api.osv.dev"})


def test_every_publication_has_a_key_and_a_release_is_told_by_those_that_may() -> None:
    assert set(addresses.PUBLICATIONS.values()) == set(CvePublication)
    assert publications_of(Ecosystem.AZURE_LINUX, "Azure Linux:3") == (OVAL_3, OSV)
    assert publications_of(Ecosystem.AZURE_LINUX, "Azure Linux:2") == (OVAL_2, OSV)
    assert publications_of(Ecosystem.NUGET, ANY_RELEASE) == (CvePublication.NUGET,)
