"""Single entries of SBOMs: which stand for the whole, and what is said of a package beside its name."""

import json
from typing import Any

import pytest

from bot.domain.failure import Failure
from bot.domain.packages.package import Distribution, Inventory, Package
from bot.images.sbom.reading import read_sbom

DOCUMENT = "SPDXRef-DOCUMENT"


def read(document: dict[str, Any]) -> Inventory:
    return read_sbom(json.dumps(document).encode(), "sbom.json")


def spdx(*packages: dict[str, Any], relations: tuple[tuple[str, str, str], ...] = (), **values: Any) -> Inventory:
    keys = ("spdxElementId", "relationshipType", "relatedSpdxElement")
    relationships = [dict(zip(keys, each, strict=True)) for each in relations]
    return read({"spdxVersion": "SPDX-2.3", "packages": list(packages), "relationships": relationships} | values)


def entry(name: str, version: str = "1", url: str = "", **values: Any) -> dict[str, Any]:
    references = [{"referenceType": "purl", "referenceLocator": url}] if url else []
    return {"SPDXID": f"SPDXRef-{name}", "name": name, "versionInfo": version, "externalRefs": references} | values


def names(found: Inventory) -> list[str]:
    return [each.name for each in found.packages]


@pytest.mark.parametrize(
    "described",
    [
        (DOCUMENT, "DESCRIBES", "SPDXRef-root"),
        ("SPDXRef-root", "DESCRIBED_BY", DOCUMENT),
    ],
)
@pytest.mark.parametrize(
    "held",
    [
        ("SPDXRef-root", "CONTAINS", "SPDXRef-a"),
        ("SPDXRef-root", "DEPENDS_ON", "SPDXRef-a"),
        ("SPDXRef-a", "CONTAINED_BY", "SPDXRef-root"),
    ],
)
def test_what_a_document_describes_and_holds_packages_is_its_root_in_either_direction(
    described: tuple[str, str, str], held: tuple[str, str, str]
) -> None:
    packages = (entry("root"), entry("a", url="pkg:nuget/a@1"))
    assert names(spdx(*packages, relations=(described, held))) == ["a"]
    assert names(spdx(*packages, relations=(held,))) == ["root", "a"], "it is not described"


@pytest.mark.parametrize("kind", ["CONTAINS", "DEPENDS_ON"])
@pytest.mark.parametrize(
    ("url", "version", "is_package"),
    [
        ("pkg:generic/postgresql@18.1", "", True),
        ("pkg:generic/postgresql", "18.1", True),
        ("pkg:generic/postgresql", "NOASSERTION", False),
        ("pkg:oci/shop@sha256%3Aab?repository_url=contoso.azurecr.io/shop", "1", False),
        ("", "18.1", False),
    ],
)
def test_a_root_with_a_package_url_and_a_version_is_a_package_though_it_holds_others(
    kind: str, url: str, version: str, is_package: bool
) -> None:
    """PostgreSQL and Elasticsearch describe themselves, and contain what they are built of."""
    packages = (entry("postgresql", version, url), entry("openssl", "3.3.2", "pkg:generic/openssl@3.3.2"))
    related = ((DOCUMENT, "DESCRIBES", "SPDXRef-postgresql"), ("SPDXRef-postgresql", kind, "SPDXRef-openssl"))
    assert names(spdx(*packages, relations=related)) == [*(["postgresql"] if is_package else []), "openssl"]


def about(root: dict[str, Any], *components: dict[str, Any]) -> Inventory:
    return read({"bomFormat": "CycloneDX", "metadata": {"component": root}, "components": list(components)})


@pytest.mark.parametrize(
    ("root", "listed"),
    [
        ({"type": "application", "purl": "pkg:generic/elasticsearch@9.1.0"}, ["elasticsearch", "a"]),
        ({"type": "library", "purl": "pkg:generic/elasticsearch", "version": "9.1.0"}, ["elasticsearch", "a"]),
        ({"type": "application", "purl": "pkg:generic/elasticsearch"}, ["a"]),
        ({"type": "application", "version": "9.1.0"}, ["a"]),
        ({"type": "container", "purl": "pkg:generic/elasticsearch@9.1.0"}, ["a"]),
        ({"type": "application", "purl": "pkg:oci/elasticsearch@sha256%3Aab", "version": "9.1.0"}, ["a"]),
    ],
)
def test_what_a_document_of_cyclonedx_is_about_is_a_package_where_it_has_a_package_url_and_a_version(
    root: dict[str, Any], listed: list[str]
) -> None:
    found = about({"name": "elasticsearch", **root}, {"type": "library", "name": "a", "version": "1"})
    assert names(found) == listed


def test_parts_of_what_a_document_of_cyclonedx_is_about_are_packages_too() -> None:
    part = {"type": "library", "name": "lucene", "version": "10.2", "purl": "pkg:maven/org.apache/lucene@10.2"}
    assert names(about({"type": "container", "name": "image", "components": [part]})) == ["lucene"]


@pytest.mark.parametrize(
    "relation",
    [
        ("SPDXRef-other", "DESCRIBES", "SPDXRef-a"),
        ("SPDXRef-a", "DESCRIBED_BY", "SPDXRef-other"),
        (DOCUMENT, "DESCRIBED_BY", "SPDXRef-a"),
        ("SPDXRef-a", "DESCRIBES", DOCUMENT),
        (DOCUMENT, "OTHER", "SPDXRef-a"),
        ("SPDXRef-a", "OTHER", DOCUMENT),
    ],
)
def test_what_something_else_describes_or_is_described_in_another_way_is_no_root(
    relation: tuple[str, str, str],
) -> None:
    assert names(spdx(entry("a"), relations=(relation,))) == ["a"]


@pytest.mark.parametrize(
    "relation",
    [
        ("SPDXRef-root", "CONTAINS", "SPDXRef-file"),
        ("SPDXRef-file", "CONTAINED_BY", "SPDXRef-root"),
        ("SPDXRef-root", "GENERATED_FROM", "SPDXRef-a"),
        ("SPDXRef-a", "CONTAINS", "SPDXRef-root"),
    ],
)
def test_what_a_document_describes_is_a_package_where_it_holds_no_other(relation: tuple[str, str, str]) -> None:
    packages = (entry("root", url="pkg:nuget/root@1"), entry("a", url="pkg:nuget/a@1"))
    found = spdx(*packages, relations=((DOCUMENT, "DESCRIBES", "SPDXRef-root"), relation))
    assert names(found) == ["root", "a"]


def test_what_has_no_package_url_and_is_described_alone_or_without_a_version_is_a_root() -> None:
    assert names(spdx(entry("root"), entry("a"), documentDescribes=["SPDXRef-root"])) == ["a"]
    both = ["SPDXRef-root", "SPDXRef-a"]
    assert names(spdx(entry("root"), entry("a"), documentDescribes=both)) == ["root", "a"]
    assert names(spdx(entry("root", "NONE"), entry("a"), documentDescribes=both)) == ["a"]


def test_what_the_tools_call_the_root_of_a_document_is_it() -> None:
    root = entry("x", url="pkg:nuget/x@1", SPDXID="SPDXRef-DocumentRoot-Image-x")
    assert names(spdx(root, entry("a"), documentDescribes=[root["SPDXID"], "SPDXRef-a"])) == ["a"]


def test_a_purpose_is_told_in_either_case_and_only_a_package_url_is_one() -> None:
    system = entry("ubuntu", "24.04", primaryPackagePurpose="operating-system")
    cpe = {"referenceType": "cpe23Type", "referenceLocator": "pkg:nuget/other@1"}
    found = spdx(system, entry("a", externalRefs=[cpe]))
    assert (found.packages, found.distribution) == ((Package("", "a", "1"),), Distribution("ubuntu", "24.04"))


def test_many_references_of_an_entry_are_looked_through_as_far_as_any_tool_writes_them() -> None:
    references = [{"referenceType": "cpe23Type", "referenceLocator": "cpe:2.3:a"}] * 49
    references.append({"referenceType": "purl", "referenceLocator": "pkg:nuget/a@2"})
    assert spdx(entry("a", externalRefs=references)).packages == (Package("nuget", "a", "2"),)


def cyclonedx(*components: dict[str, Any]) -> Inventory:
    return read({"bomFormat": "CycloneDX", "components": list(components)})


def test_the_source_of_a_package_has_the_epoch_and_release_that_trivy_tells() -> None:
    def source(**properties: str) -> tuple[str | None, str | None]:
        told = [{"name": f"aquasecurity:trivy:{key}", "value": value} for key, value in properties.items()]
        [package] = cyclonedx(
            {"type": "library", "name": "x", "version": "1", "purl": "pkg:deb/debian/x@1", "properties": told}
        ).packages
        return package.source, package.source_version

    assert source(SrcName="y", SrcVersion="2") == ("y", "2")
    assert source(SrcName="y", SrcVersion="2", SrcRelease="3", SrcEpoch="1") == ("y", "1:2-3")
    assert source(SrcVersion="2") == (None, None)


def test_a_group_stands_before_the_name_of_a_component() -> None:
    found = cyclonedx(
        {"type": "library", "group": "@angular", "name": "core", "version": "1"},
        {"type": "library", "group": "", "name": "alone", "version": "1"},
    )
    assert names(found) == ["@angular/core", "alone"]


def test_components_without_end_are_refused() -> None:
    deep: dict[str, Any] = {"type": "library", "name": "x", "version": "1"}
    with pytest.raises(Failure, match="has more than 100000 components"):
        cyclonedx(*[deep] * 100_001)


def test_json_of_another_tool_with_artifacts_is_none_of_syft_and_a_system_without_a_name_is_none() -> None:
    artifact = {"name": "a", "version": "1", "purl": "pkg:deb/ubuntu/a@1?distro=ubuntu-24.04"}
    document = {"artifacts": [artifact], "descriptor": {"name": "syft"}, "distro": {"versionID": "22.04"}}
    assert read(document).distribution == Distribution("ubuntu", "24.04")
    named = read(document | {"distro": {"id": "debian", "versionID": "12"}})
    assert named.distribution == Distribution("debian", "12")
    for other in (document | {"descriptor": {"name": "another"}}, {"descriptor": {"name": "syft"}}):
        with pytest.raises(Failure):
            read(other)
