import base64
import contextlib
import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from bot.domain.failure import Failure
from bot.domain.packages.package import Distribution, Inventory, Package
from bot.images.sbom.export import as_cyclonedx, as_spdx
from bot.images.sbom.package_url import package_url, read_package_url
from bot.images.sbom.reading import read_sbom, the_sbom
from tests.unit.images.packages.evidence import content
from tests.unit.images.reports import JSON

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def names(inventory: Inventory) -> list[str]:
    return [f"{each.name}@{each.version}" for each in inventory.packages]


def test_the_recorded_spdx_document_lists_its_package_and_not_its_system() -> None:
    found = read_sbom(content("sbom/trivy-ca-certificates.spdx.json"), "sbom")
    assert found.packages == (Package("deb", "ca-certificates", "20230311", "all", "ca-certificates", "20230311"),)
    assert found.distribution == Distribution("debian", "12.9")


def test_the_recorded_cyclonedx_document_lists_its_components_and_not_its_root() -> None:
    found = read_sbom(content("sbom/trivy-cdx.json"), "sbom")
    assert names(found) == ["co.elastic.apm:apm-agent@1.36.0", "co.elastic.apm:apm-agent-cached-lookup-key@1.36.0"]


def test_the_recorded_statement_of_buildkit_is_unwrapped() -> None:
    found = read_sbom(content("intoto/buildkit-sbom-spdx.json"), "sbom")
    assert found.packages == (Package("apk", "busybox", "1.35.0-r17", "aarch64", "busybox", "1.35.0-r17"),)
    assert found.distribution == Distribution("alpine", "3.16.2")


@pytest.mark.parametrize(
    "name",
    [
        "trivy-invalid_spdx.json",
        "scanner-alpine-sbom.partial.json",
        "scanner-alpine-sbom-base.partial.json",
        "scanner-amazonlinux-sbom-base.partial.json",
    ],
)
def test_what_is_no_sbom_is_refused(name: str) -> None:
    with pytest.raises(Failure, match="is no SBOM"):
        read_sbom(content(f"sbom/{name}"), "sbom")


SPDX: dict[str, Any] = {
    "spdxVersion": "SPDX-2.3",
    "packages": [{"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1"}],
}


def encoded(document: object) -> bytes:
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    "wrapped",
    [
        SPDX,
        {"predicateType": "https://spdx.dev/Document", "predicate": SPDX},
        {"predicateType": "https://cosign.sigstore.dev/attestation/v1", "predicate": {"Data": json.dumps(SPDX)}},
        {"predicateType": "https://spdx.dev/Document", "predicate": {"Data": SPDX}},
        {"SPDX": SPDX},
        {"sbom": SPDX},
        {"predicateType": "https://spdx.dev/Document", "predicate": json.dumps(SPDX)},
    ],
)
def test_wrappings_are_taken_off(wrapped: dict[str, Any]) -> None:
    envelope = {
        "payloadType": "application/vnd.in-toto+json",
        "payload": base64.b64encode(encoded(wrapped)).decode(),
    }
    for document in (wrapped, envelope, {"mediaType": "x", "dsseEnvelope": envelope}):
        assert names(read_sbom(encoded(document), "sbom")) == ["a@1"]


def test_an_envelope_may_be_in_the_base64_of_urls() -> None:
    payload = base64.urlsafe_b64encode(json.dumps(SPDX | {"comment": "ÿþ>?"}, ensure_ascii=False).encode()).decode()
    assert {"-", "_"} & set(payload)
    assert names(read_sbom(encoded({"payloadType": "x", "payload": payload}), "sbom")) == ["a@1"]


def test_the_keys_that_rpm_trusts_are_no_packages_though_scanners_list_them() -> None:
    names = ("gpg-pubkey", "vim")
    components = [{"type": "library", "name": name, "purl": f"pkg:rpm/azl/{name}@1-2"} for name in names]
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": components}
    assert [each.name for each in read_sbom(json.dumps(document).encode(), "x").packages] == ["vim"]


@pytest.mark.parametrize(("url", "version"), [("pkg:nuget/Json", "13.0.1"), ("pkg:nuget/Json@12.0.0", "12.0.0")])
def test_a_package_url_without_a_version_has_that_of_the_entry(url: str, version: str) -> None:
    reference = {"referenceType": "purl", "referenceLocator": url}
    entry = {"SPDXID": "SPDXRef-a", "name": "Json", "versionInfo": "13.0.1", "externalRefs": [reference]}
    component = {"type": "library", "name": "Json", "version": "13.0.1", "purl": url}
    for document in (
        {"spdxVersion": "SPDX-2.3", "packages": [entry]},
        {"bomFormat": "CycloneDX", "components": [component]},
    ):
        (package,) = read_sbom(json.dumps(document).encode(), "x").packages
        assert (package.type, package.version) == ("nuget", version)


CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"


def element(name: str, **values: object) -> dict[str, Any]:
    kind = {"type": "software_Package", "spdxId": f"urn:{name}", "name": name, "software_packageVersion": "1"}
    return kind | values


def spdx_3(*elements: dict[str, Any], context: object = CONTEXT) -> Inventory:
    return read_sbom(encoded({"@context": context, "@graph": list(elements)}), "x")


def test_elements_within_elements_are_read_as_deep_as_any_sbom_nests_them_and_no_deeper() -> None:
    """Objects of one name are compared as wholes: a megabyte of them, a thousand deep, took a second."""

    def nested(depth: int) -> dict[str, Any]:
        inner = element("inner", software_packageUrl="pkg:deb/debian/inner@1")
        for _ in range(depth):
            inner = element("outer", software_packageUrl="pkg:deb/debian/outer@1", extension=inner)
        return inner

    assert {each.name for each in spdx_3(nested(20)).packages} == {"inner", "outer"}
    with pytest.raises(Failure, match="nests its elements deeper"):
        spdx_3(nested(100))


@pytest.mark.parametrize("context", [CONTEXT, [CONTEXT], [{"x": "y"}, CONTEXT]])
def test_the_packages_of_spdx_3_are_listed_without_the_root(context: object) -> None:
    url = "pkg:deb/debian/openssl@3.0.11-1?arch=amd64&distro=debian-12"
    identifier = {
        "type": "ExternalIdentifier",
        "externalIdentifierType": "packageUrl",
        "identifier": "pkg:nuget/Json",
    }
    found = spdx_3(
        {"type": "SpdxDocument", "spdxId": "urn:document", "rootElement": ["urn:sbom"]},
        {"type": "software_Sbom", "spdxId": "urn:sbom", "rootElement": ["urn:shop"]},
        element("shop", software_packageUrl="pkg:generic/shop", software_packageVersion=""),
        element("debian", software_primaryPurpose="operatingSystem", software_packageVersion="12"),
        element("ghcr.io/contoso/shop", software_primaryPurpose="container"),
        element("openssl", software_packageUrl=url),
        element("Json", externalIdentifier=[identifier]),
        element("readme", type="software_File"),
        {"type": "Relationship", "relationshipType": "contains", "from": "urn:shop", "to": ["urn:openssl"]},
        context=context,
    )
    assert found.packages == (Package("deb", "openssl", "3.0.11-1", "amd64"), Package("nuget", "Json", "1"))
    assert found.distribution == Distribution("debian", "12")


def test_a_root_of_spdx_3_that_is_a_package_itself_is_one() -> None:
    url = {"software_packageUrl": "pkg:nuget/a@1"}
    assert names(spdx_3({"type": "SpdxDocument", "rootElement": ["urn:a"]}, element("a", **url))) == ["a@1"]
    assert names(read_sbom(encoded({"@context": CONTEXT, **element("a")}), "x")) == ["a@1"]


def test_one_value_of_spdx_3_stands_for_a_list_and_an_element_for_its_name() -> None:
    identifier = {"externalIdentifierType": "packageUrl", "identifier": "pkg:nuget/a"}
    holds = {"type": "Relationship", "relationshipType": "contains", "from": element("shop"), "to": "urn:a"}
    described = {"type": "SpdxDocument", "spdxId": "urn:document", "rootElement": "urn:shop"}
    assert spdx_3(described, holds, element("a", externalIdentifier=identifier)).packages == (
        Package("nuget", "a", "1"),
    )
    document = {"@context": CONTEXT, "@graph": described | {"element": [element("b")]}}
    assert names(read_sbom(encoded(document), "x")) == ["b@1"]


PURL = {"externalIdentifierType": "packageUrl", "identifier": "pkg:nuget/a"}


@pytest.mark.parametrize(
    "elements",
    [
        [element("a", externalIdentifier="_:url"), {"@id": "_:url", **PURL}],
        [element("a", externalIdentifier=[{"@id": "_:url"}]), {"@id": "_:url", **PURL}],
        [element("a", externalIdentifier={key: [value] for key, value in PURL.items()})],
        [{key: [value] for key, value in element("a", externalIdentifier=PURL).items() if key != "spdxId"}],
        [{"@type": "software_Package", "@id": "urn:a", "name": "a", "externalIdentifier": PURL}],
        [{"spdxId": "urn:a", "software_packageUrl": "pkg:nuget/a"}, element("a")],
        [
            {"type": "SpdxDocument", "rootElement": ["urn:shop"]},
            {"relationshipType": ["contains"], "from": ["urn:shop"], "to": [{"@id": "urn:a"}]},
            element("shop", software_packageUrl="pkg:nuget/shop", software_packageVersion=""),
            element("a", externalIdentifier=PURL),
        ],
        [
            {"type": "SpdxDocument", "rootElement": {"@id": "urn:shop"}},
            {"relationshipType": "dependsOn", "from": {"spdxId": "urn:shop"}, "to": {"spdxId": "urn:a"}},
            element("shop", software_packageUrl="pkg:nuget/shop", software_packageVersion=""),
            element("a", externalIdentifier=PURL),
        ],
    ],
    ids=[
        "by name",
        "by node",
        "lists of one",
        "all lists of one",
        "JSON-LD's words",
        "in parts",
        "related",
        "root",
    ],
)
def test_an_element_of_spdx_3_may_be_written_in_any_way_of_json_ld(elements: list[dict[str, Any]]) -> None:
    found = spdx_3(*elements)
    assert [(each.type, each.name) for each in found.packages] == [("nuget", "a")]
    assert found.problems == ()


def test_two_elements_of_spdx_3_under_one_name_are_two() -> None:
    assert names(spdx_3(element("a"), element("a") | {"name": "b"})) == ["a@1", "b@1"]


@pytest.mark.parametrize("graph", [None, "urn:a", [], [[]]])
def test_spdx_3_without_an_element_is_no_empty_list(graph: object) -> None:
    with pytest.raises(Failure, match="has no elements"):
        read_sbom(encoded({"@context": CONTEXT, "@graph": graph}), "x")


def test_what_a_document_of_spdx_3_describes_by_a_relationship_is_its_root() -> None:
    document = {"type": "SpdxDocument", "spdxId": "urn:document", "rootElement": []}
    describes = {"relationshipType": "describes", "from": "urn:document", "to": ["urn:shop"]}
    holds = {"relationshipType": "dependsOn", "from": "urn:shop", "to": ["urn:a"]}
    assert names(spdx_3(document, describes, holds, element("shop"), element("a"))) == ["a@1"]


@given(JSON)
def test_any_element_of_spdx_3_and_any_artifact_of_syft_is_read_or_refused(value: object) -> None:
    for document in (
        {"@context": CONTEXT, "@graph": value},
        {"@context": CONTEXT, "@graph": [value, {"type": "software_Package", "name": value, "spdxId": value}]},
        {"@context": CONTEXT, "@graph": [{"rootElement": value, "to": value, "from": value}]},
        {"artifacts": [value, {"name": value, "purl": value}], "distro": value, "descriptor": {"name": "syft"}},
    ):
        with contextlib.suppress(Failure):
            read_sbom(encoded(document), "x")


def test_the_json_of_syft_is_read() -> None:
    url = "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3.5?arch=amd64&distro=ubuntu-24.04&upstream=openssl"
    artifacts = [
        {"name": "libssl3t64", "version": "3.0.13-0ubuntu3.5", "type": "deb", "purl": url},
        {"name": "tool", "version": "1", "type": "binary", "purl": ""},
    ]
    document = {
        "artifacts": artifacts,
        "source": {"name": "shop", "version": "1"},
        "distro": {"id": "ubuntu", "versionID": "24.04"},
        "descriptor": {"name": "syft", "version": "1.38.0"},
    }
    found = read_sbom(encoded(document), "x")
    version = "3.0.13-0ubuntu3.5"
    assert found.packages == (
        Package("deb", "libssl3t64", version, "amd64", "openssl", version),
        Package("", "tool", "1"),
    )
    assert found.distribution == Distribution("ubuntu", "24.04")
    with pytest.raises(Failure, match="artifacts that are no list"):
        read_sbom(encoded(document | {"artifacts": {}}), "x")


def envelope(statement: object) -> bytes:
    payload = base64.b64encode(encoded(statement)).decode()
    return encoded({"payloadType": "application/vnd.in-toto+json", "payload": payload, "signatures": []})


SIGNED = envelope({"predicateType": "https://spdx.dev/Document", "predicate": SPDX})
PROVENANCE = envelope({"predicateType": "https://slsa.dev/provenance/v1", "predicate": {"buildDefinition": {}}})
NOTE = envelope({"predicateType": "https://cosign.sigstore.dev/attestation/v1", "predicate": {"Data": "a note"}})


def test_sboms_of_several_platforms_are_said_to_be_that_and_how_one_is_written() -> None:
    document = {"linux/amd64": {"SPDX": SPDX}, "linux/arm64": {"SPDX": SPDX | {"packages": []}}}
    with pytest.raises(Failure, match="holds an SBOM for each of linux/amd64, linux/arm64") as raised:
        read_sbom(encoded(document), "x")
    assert raised.value.advice == "write the one that is meant: --format '{{json (index .SBOM \"linux/amd64\")}}'"
    with pytest.raises(Failure, match="is no SBOM"):
        read_sbom(encoded({"linux/amd64": {}, "linux/arm64": "SPDX"}), "x")


@pytest.mark.parametrize(
    "lines", [(PROVENANCE, SIGNED), (SIGNED, NOTE, PROVENANCE), (SIGNED, b"", SIGNED, b""), (NOTE, encoded(SPDX))]
)
def test_of_several_attestations_a_line_each_the_sbom_is_read(lines: tuple[bytes, ...]) -> None:
    text = b"\n".join(lines)
    assert names(read_sbom(text, "x")) == ["a@1"]
    assert the_sbom(text, "x") in (SIGNED, encoded(SPDX))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ((PROVENANCE, NOTE), "a line each, and none is an SBOM"),
        (
            (SIGNED, envelope({"predicateType": "x", "predicate": SPDX | {"packages": []}})),
            "holds 2 SBOMs, a line each",
        ),
        ((SIGNED, b"{", SIGNED), "x, line 2: is not valid JSON"),
        ((SIGNED, *[b"{}"] * 1000), "holds more than 1000 JSON documents, a line each"),
    ],
)
def test_several_lines_of_which_none_is_the_one_sbom_are_refused(lines: tuple[bytes, ...], told: str) -> None:
    with pytest.raises(Failure) as raised:
        read_sbom(b"\n".join(lines), "x")
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("text", "advice"), [(b"", "make it anew"), (gzip.compress(b"{}", mtime=0), "unpack it first")]
)
def test_what_can_be_mended_is_said_with_how(text: bytes, advice: str) -> None:
    with pytest.raises(Failure) as raised:
        read_sbom(text, "x")
    assert raised.value.advice == advice


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# made by hand\nSPDXVersion: SPDX-2.3\nDataLicense: CC0-1.0\n", "is SPDX as tag-value or YAML"),
        ("SPDXID: SPDXRef-DOCUMENT\nspdxVersion: SPDX-2.2\n", "is SPDX as tag-value or YAML"),
        ('\ufeff<?xml version="1.0"?>\n<bom xmlns="http://cyclonedx.org/schema/bom/1.5"/>', "is XML"),
        ("<rdf:RDF/>", "is XML"),
    ],
)
def test_an_sbom_that_is_no_json_is_said_to_be_one(text: str, told: str) -> None:
    with pytest.raises(Failure, match=f"{told}, which is not read") as raised:
        read_sbom(text.encode(), "x")
    assert "JSON" in raised.value.advice


def test_a_text_within_an_attestation_is_said_to_be_no_json() -> None:
    """`cosign attest --type spdx` takes a file of any form as a text."""
    statement = {"predicateType": "https://spdx.dev/Document", "predicate": "SPDXVersion: SPDX-2.3\n"}
    with pytest.raises(Failure, match="is SPDX as tag-value or YAML"):
        read_sbom(encoded(statement), "sbom")


def test_half_a_character_within_an_attestation_is_no_crash() -> None:
    with pytest.raises(Failure, match="is not valid JSON"):
        read_sbom(b'{"predicateType": "x", "predicate": {"Data": "{\\ud800"}}', "sbom")


def test_an_attestation_of_something_else_is_no_sbom() -> None:
    statement = {"predicateType": "https://slsa.dev/provenance/v1", "predicate": {"buildDefinition": {}}}
    with pytest.raises(Failure, match="is no SBOM"):
        read_sbom(encoded(statement), "sbom")


def spdx(*packages: dict[str, Any], relationships: list[tuple[str, str, str]] | None = None) -> Inventory:
    keys = ("spdxElementId", "relationshipType", "relatedSpdxElement")
    related = [dict(zip(keys, each, strict=True)) for each in relationships or []]
    return read_sbom(encoded({"spdxVersion": "SPDX-2.3", "packages": packages, "relationships": related}), "sbom")


def test_the_element_that_a_document_describes_and_that_holds_others_is_no_package() -> None:
    found = spdx(
        {"SPDXID": "SPDXRef-root", "name": "image"},
        {"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1"},
        relationships=[
            ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-root"),
            ("SPDXRef-root", "CONTAINS", "SPDXRef-a"),
            ("SPDXRef-a", "CONTAINS", "SPDXRef-file"),
        ],
    )
    assert names(found) == ["a@1"]


def test_a_single_package_that_a_document_describes_is_one() -> None:
    found = spdx(
        {
            "SPDXID": "SPDXRef-a",
            "name": "a",
            "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:nuget/a@1.0.0"}],
        },
        {"SPDXID": "SPDXRef-b", "name": "b", "versionInfo": "NOASSERTION"},
        {"SPDXID": "SPDXRef-folder", "name": "/some/folder"},
        relationships=[
            ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-a"),
            ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-folder"),
        ],
    )
    assert names(found) == ["a@1.0.0", "b@"]


def test_of_several_that_a_document_describes_those_with_a_version_are_packages() -> None:
    found = spdx(
        {"SPDXID": "SPDXRef-a", "name": "a", "versionInfo": "1"},
        {"SPDXID": "SPDXRef-b", "name": "b", "versionInfo": "2"},
        {"SPDXID": "SPDXRef-c", "name": "c", "versionInfo": "NOASSERTION"},
        relationships=[("SPDXRef-DOCUMENT", "DESCRIBES", f"SPDXRef-{name}") for name in "abc"],
    )
    assert names(found) == ["a@1", "b@2"]


def test_a_package_that_a_document_describes_with_its_files_is_one() -> None:
    reference = {"referenceType": "purl", "referenceLocator": "pkg:nuget/a@1.0.0"}
    found = spdx(
        {"SPDXID": "SPDXRef-a", "name": "a", "externalRefs": [reference]},
        relationships=[
            ("SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-a"),
            ("SPDXRef-a", "CONTAINS", "SPDXRef-File-1"),
        ],
    )
    assert names(found) == ["a@1.0.0"]


def test_where_spdx_had_no_purposes_identifiers_tell_what_is_no_package() -> None:
    """SPDX 2.2 as Trivy wrote it: the system, the image and lock files stand beside the packages."""
    found = spdx(
        {"SPDXID": "SPDXRef-ContainerImage-1", "name": "image"},
        {"SPDXID": "SPDXRef-OperatingSystem-2", "name": "alpine", "versionInfo": "3.16.0"},
        {"SPDXID": "SPDXRef-Application-3", "name": "node-pkg", "sourceInfo": "Node.js"},
        {"SPDXID": "SPDXRef-Application-4", "name": "app", "versionInfo": "1"},
        {"SPDXID": "SPDXRef-Package-5", "name": "musl", "versionInfo": "1.2.3-r0"},
    )
    assert names(found) == ["app@1", "musl@1.2.3-r0"]
    assert found.distribution == Distribution("alpine", "3.16.0")


@pytest.mark.parametrize("purpose", ["CONTAINER", "OPERATING-SYSTEM", "OPERATING_SYSTEM", "FILE"])
def test_what_stands_for_an_image_or_a_system_is_no_package(purpose: str) -> None:
    assert names(spdx({"SPDXID": "SPDXRef-x", "name": "x", "primaryPackagePurpose": purpose})) == []


@pytest.mark.parametrize(
    ("url", "package"),
    [
        (
            "pkg:deb/ubuntu/libssl3t64@3.0.13-0ubuntu3.5?arch=amd64&distro=ubuntu-24.04&upstream=openssl",
            Package("deb", "libssl3t64", "3.0.13-0ubuntu3.5", "amd64", "openssl", "3.0.13-0ubuntu3.5"),
        ),
        (
            "pkg:deb/debian/zlib1g@1%3A1.3.dfsg-3?upstream=zlib%401%3A1.3",
            Package("deb", "zlib1g", "1:1.3.dfsg-3", None, "zlib", "1:1.3"),
        ),
        (
            "pkg:rpm/azurelinux/vim@9.0-1.azl3?arch=x86_64&epoch=2&upstream=vim-9.0-1.azl3.src.rpm",
            Package("rpm", "vim", "2:9.0-1.azl3", "x86_64", "vim", "9.0-1.azl3"),
        ),
        (
            "pkg:deb/debian/bsdutils@2.41.5-0+deb13u1?arch=amd64&epoch=1",
            Package("deb", "bsdutils", "1:2.41.5-0+deb13u1", "amd64"),
        ),
        ("pkg:rpm/redhat/bash@4.2-3?epoch=0", Package("rpm", "bash", "4.2-3")),
        ("pkg:alpine/busybox@1.35.0-r17", Package("apk", "busybox", "1.35.0-r17")),
        ("pkg:nuget/Newtonsoft.Json@13.0.1", Package("nuget", "Newtonsoft.Json", "13.0.1")),
        ("pkg:npm/%40angular/core@1.0.0", Package("npm", "@angular/core", "1.0.0")),
        ("pkg:oci/image@sha256:0?repository_url=x", None),
        ("pkg:docker/<registry>/<image>", None),
        ("nonsense", None),
        ("pkg:deb/" + "a" * 3000, None),
    ],
)
def test_a_package_url_becomes_a_package(url: str, package: Package | None) -> None:
    told = read_package_url(url, "@angular/core" if "npm" in url else "")
    assert (None if told is None else told[0]) == package


@pytest.mark.parametrize(
    ("distro", "distribution"),
    [
        ("alpine-3.16.0", Distribution("alpine", "3.16.0")),
        ("3.16.0", Distribution("alpine", "3.16.0")),
        ("edge", Distribution("edge", "")),
        ("", None),
    ],
)
def test_a_version_alone_is_that_of_the_distribution_that_the_namespace_names(
    distro: str, distribution: Distribution | None
) -> None:
    told = read_package_url(f"pkg:apk/alpine/musl@1.2.3-r0?distro={distro}", "musl")
    assert told is not None
    assert told[1] == distribution


def test_the_properties_of_trivy_name_the_source() -> None:
    component = {
        "type": "library",
        "name": "libssl3",
        "version": "3.0.11-1~deb12u2",
        "purl": "pkg:deb/debian/libssl3@3.0.11-1~deb12u2?arch=amd64&distro=debian-12",
        "properties": [
            {"name": "aquasecurity:trivy:SrcName", "value": "openssl"},
            {"name": "aquasecurity:trivy:SrcVersion", "value": "3.0.11"},
            {"name": "aquasecurity:trivy:SrcRelease", "value": "1~deb12u2"},
        ],
    }
    (package,) = read_sbom(encoded({"bomFormat": "CycloneDX", "components": [component]}), "sbom").packages
    assert (package.source, package.source_version) == ("openssl", "3.0.11-1~deb12u2")


def test_a_package_of_maven_has_the_name_that_it_has_in_spdx() -> None:
    url = "pkg:maven/org.codehaus.mojo/child-project@1.0"
    component = {"type": "library", "group": "org.codehaus.mojo", "name": "child-project", "purl": url}
    (package,) = read_sbom(encoded({"bomFormat": "CycloneDX", "components": [component]}), "sbom").packages
    assert package.name == "org.codehaus.mojo:child-project"
    assert package_url(package, None) == url


def test_nested_components_count_and_files_systems_and_lock_files_do_not() -> None:
    inner = {"type": "library", "name": "inner", "version": "1"}
    components = [
        {"type": "library", "group": "org", "name": "outer", "version": "2", "components": [inner]},
        {"type": "operating-system", "name": "alpine", "version": "3.22"},
        {"type": "file", "name": "/bin/sh"},
        {"type": "application", "name": "app.deps.json"},
        {"type": "library", "name": "named"},
    ]
    found = read_sbom(encoded({"bomFormat": "CycloneDX", "components": components}), "sbom")
    assert names(found) == ["org/outer@2", "inner@1", "named@"]
    assert found.distribution == Distribution("alpine", "3.22")


def test_an_entry_without_a_name_is_a_problem_and_hinders_no_other() -> None:
    found = spdx({"SPDXID": "SPDXRef-x"}, {"SPDXID": "SPDXRef-y", "name": "y", "versionInfo": "1"})
    assert names(found) == ["y@1"]
    assert len(found.problems) == 1


def test_components_nested_without_end_are_refused_or_read() -> None:
    deep = b'{"bomFormat":"CycloneDX","components":' + b'[{"components":' * 20_000 + b"[]" + b"}]" * 20_000 + b"}"
    with pytest.raises(Failure, match="is not valid JSON"):
        read_sbom(deep, "sbom")


@given(JSON)
def test_any_document_is_read_or_refused(value: object) -> None:
    for document in (
        {"spdxVersion": "SPDX-2.3", "packages": value, "relationships": value},
        {"spdxVersion": "SPDX-2.3", "packages": [value, {"name": value, "externalRefs": value}]},
        {"bomFormat": "CycloneDX", "components": [value, {"name": value, "purl": value, "components": value}]},
        {"predicateType": "x", "predicate": value},
    ):
        with contextlib.suppress(Failure):
            read_sbom(encoded(document), "sbom")


INVENTORY = Inventory(
    (
        Package("apk", "musl", "1.2.5-r0", "x86_64", "musl", "1.2.5-r0"),
        Package("deb", "libssl3t64", "3.0.13-0ubuntu3.5", "amd64", "openssl", "3.0.13-0ubuntu3.5"),
        Package("deb", "zlib1g", "1:1.3+dfsg-3~1", "amd64", "zlib", "1:1.3+dfsg-3"),
        Package("nuget", "Newtonsoft.Json", "13.0.1"),
        Package("rpm", "vim", "2:9.0-1.azl3", "x86_64", "vim-common", "9.0-1.azl3"),
    ),
    Distribution("ubuntu", "24.04"),
)


@pytest.mark.parametrize("write", [as_spdx, as_cyclonedx])
def test_what_is_written_is_read_as_it_was(write: Any) -> None:
    found = read_sbom(encoded(write(INVENTORY, "image", AT, "1.0")), "sbom")
    assert [(each.type, each.name, each.version, each.architecture) for each in found.packages] == [
        (each.type, each.name, each.version, each.architecture) for each in INVENTORY.packages
    ]
    assert found.distribution == INVENTORY.distribution
    by_source = {each.name: (each.source, each.source_version) for each in found.packages}
    assert by_source["libssl3t64"] == ("openssl", "3.0.13-0ubuntu3.5")
    assert by_source["zlib1g"] == ("zlib", "1:1.3+dfsg-3")
    assert by_source["vim"] == ("vim-common", "9.0-1.azl3")


@pytest.mark.parametrize("write", [as_spdx, as_cyclonedx])
def test_the_same_inventory_gives_the_same_document(write: Any) -> None:
    assert write(INVENTORY, "image", AT, "1.0") == write(INVENTORY, "image", AT, "1.0")
    assert write(INVENTORY, "image", AT, "1.0") != write(INVENTORY, "other", AT, "1.0")


def test_a_list_that_is_not_complete_says_so() -> None:
    partial = Inventory(INVENTORY.packages, None, ("layer x: is cut short",))
    assert "layer x: is cut short" in as_spdx(partial, "image", AT, "1")["creationInfo"]["comment"]
    assert as_cyclonedx(partial, "image", AT, "1")["compositions"][0]["aggregate"] == "incomplete"
    assert as_cyclonedx(INVENTORY, "image", AT, "1")["compositions"][0]["aggregate"] == "complete"


def test_a_list_on_which_nothing_was_found_does_not_say_that_it_is_complete() -> None:
    assert as_cyclonedx(Inventory(), "image", AT, "1")["compositions"][0]["aggregate"] == "unknown"


@pytest.mark.parametrize("write", [as_spdx, as_cyclonedx])
def test_a_list_that_was_not_complete_when_it_was_written_is_not_when_it_is_read(write: Any) -> None:
    package = Package("deb", "a", "1")
    problems = ("Packages: is not read", "a: \x00 \ud800 is none")
    written = json.dumps(write(Inventory((package,), None, problems), "x", AT, "1")).encode()
    found = read_sbom(written, "f")
    assert (found.packages, len(found.problems)) == ((package,), 2)
    assert found.problems[0] == "f: says of itself that it is not complete: Packages: is not read"
    assert all(problem.isprintable() for problem in found.problems)


def test_what_others_say_in_a_comment_is_no_problem() -> None:
    document = as_spdx(Inventory((Package("deb", "a", "1"),)), "x", AT, "1")
    document["creationInfo"]["comment"] = "Made on a Monday"
    document["metadata"] = {"properties": [{"name": "aquasecurity:trivy:SchemaVersion", "value": "2"}, None]}
    assert read_sbom(json.dumps(document).encode(), "f").problems == ()


def test_a_runtime_pack_is_written_under_the_name_that_it_is_published_under() -> None:
    package = Package("nuget", "runtimepack.Microsoft.NETCore.App.Runtime.linux-x64", "8.0.0")
    assert package_url(package, None) == "pkg:nuget/Microsoft.NETCore.App.Runtime.linux-x64@8.0.0"


def test_a_name_alone_has_no_package_url() -> None:
    assert package_url(Package("", "something", "1"), None) is None


@pytest.mark.parametrize("url", ["nonsense", "pkg:deb", "pkg:deb/" + "a" * 3000])
def test_a_package_whose_url_cannot_be_read_is_listed_by_its_name(url: str) -> None:
    """It is in the image all the same; only what stands for an image is none."""
    reference = {"referenceType": "purl", "referenceLocator": url}
    entry = {"SPDXID": "SPDXRef-x", "name": "x", "versionInfo": "1", "externalRefs": [reference]}
    component = {"type": "library", "name": "x", "version": "1", "purl": url}
    image = {"type": "library", "name": "image", "version": "1", "purl": "pkg:oci/image@sha256:0"}
    document = {"bomFormat": "CycloneDX", "components": [component, image]}

    assert names(spdx(entry)) == ["x@1"]
    assert names(read_sbom(encoded(document), "sbom")) == ["x@1"]


def test_an_application_whose_version_nobody_asserts_is_no_package_in_either_form() -> None:
    """A file that lists others, such as a lock file."""
    entry = {"SPDXID": "SPDXRef-x", "name": "app.deps.json", "primaryPackagePurpose": "APPLICATION"}
    other = {"SPDXID": "SPDXRef-y", "name": "y", "versionInfo": "1"}
    component = {"type": "application", "name": "app.deps.json"}
    document = {"bomFormat": "CycloneDX", "components": [component]}

    assert names(spdx(entry, other)) == names(spdx(entry | {"versionInfo": "NOASSERTION"}, other)) == ["y@1"]
    assert names(read_sbom(encoded(document), "sbom")) == []


@pytest.mark.parametrize(
    "kind", ["cryptographic-asset", "machine-learning-model", "firmware", "device-driver", "data"]
)
def test_components_that_are_no_software_of_the_image_are_no_packages(kind: str) -> None:
    document = {"bomFormat": "CycloneDX", "components": [{"type": kind, "name": "x", "version": "1"}]}
    assert names(read_sbom(encoded(document), "sbom")) == []


def test_a_type_longer_than_any_is_a_problem_and_hinders_no_other() -> None:
    found = spdx(
        {"name": "a", "externalRefs": [{"referenceType": "purl", "referenceLocator": f"pkg:{'x' * 300}/a@1"}]},
        {"name": "b", "versionInfo": "2"},
    )
    assert names(found) == ["b@2"]
    assert len(found.problems) == 1


@pytest.mark.parametrize(("name", "version"), [("debian", "1" * 65), ("deb\ud800", "12"), ("debian", "12\0")])
def test_a_distribution_of_an_impossible_name_is_none(name: str, version: str) -> None:
    system = {"name": name, "versionInfo": version, "primaryPackagePurpose": "OPERATING-SYSTEM"}
    assert spdx(system, {"name": "b", "versionInfo": "2"}).distribution is None


@pytest.mark.parametrize(
    "document",
    [
        {"spdxVersion": "SPDX-2.3", "packages": {"a": 1}},
        {"bomFormat": "CycloneDX", "components": "openssl"},
    ],
)
def test_a_list_of_another_shape_is_refused_and_no_empty_one(document: dict[str, Any]) -> None:
    with pytest.raises(Failure, match="that are no list"):
        read_sbom(encoded(document), "sbom")


@pytest.mark.parametrize("kind", ["https://slsa.dev/verification_summary/v1", "https://openvex.dev/ns"])
def test_a_statement_that_states_something_else_is_no_sbom_whatever_it_holds(kind: str) -> None:
    predicate = {"bomFormat": "CycloneDX", "components": []}
    with pytest.raises(Failure, match="is no SBOM"):
        read_sbom(json.dumps({"predicateType": kind, "predicate": predicate}).encode(), "statement.json")
