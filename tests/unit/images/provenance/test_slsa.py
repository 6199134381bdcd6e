"""Statements and provenance as recorded, and what they say of base images."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.images.stated import PROVENANCE_V0_2 as V0_2
from bot.domain.images.stated import PROVENANCE_V1 as V1
from bot.images.provenance.slsa import Material, read_base, read_provenance
from bot.images.provenance.statement import Statement, read_dsse, read_statement, statement_in
from bot.images.signatures.verdict import Refused
from tests.conftest import NO_SHARED_DATA, SHARED

FOLDER = SHARED / "evidence" / "intoto"
DSSE = " (DSSE payload)"

needs_evidence = pytest.mark.skipif(
    not FOLDER.is_dir(),
    reason=NO_SHARED_DATA,
)
RECORDED = json.loads((FOLDER / "expected.json").read_text()) if FOLDER.is_dir() else {}


@needs_evidence
@pytest.mark.parametrize("name", [name for name, one in RECORDED.items() if one["_type"]])
def test_a_recorded_statement_says_what_was_read_in_it_by_eye(name: str) -> None:
    expected = RECORDED[name]
    statement = read_statement(recorded(name))

    assert statement.predicate_type == expected["predicateType"]
    assert [dict(digest.split(":") for digest in one.digests) for one in statement.subjects] == expected["subjects"]
    if "slsa.dev" in statement.predicate_type:
        check_dependencies(read_provenance(statement), expected["dependencies"])
    else:
        with pytest.raises(Refused, match="not provenance"):
            read_provenance(statement)


@needs_evidence
def test_a_recorded_predicate_says_what_was_read_in_it_by_eye() -> None:
    predicate = json.loads((FOLDER / "slsa_predicate_v0_2.json").read_bytes())
    provenance = read_provenance(Statement(V0_2, (), predicate))

    check_dependencies(provenance, RECORDED["slsa_predicate_v0_2.json"]["dependencies"])
    assert provenance.builder.endswith("generator_generic_slsa3.yml@refs/tags/v2.0.0")


def recorded(name: str) -> bytes:
    content = (FOLDER / name.removesuffix(DSSE)).read_bytes()
    return base64.b64decode(json.loads(content)["dsseEnvelope"]["payload"]) if name.endswith(DSSE) else content


def check_dependencies(provenance: Any, expected: list[Any]) -> None:
    assert [one.uri for one in provenance.materials] == [one["uri"] for one in expected]
    for material, wanted in zip(provenance.materials, expected, strict=True):
        assert material.digests == {f"{name}:{value}" for name, value in wanted["digest"].items()}
        base = read_base(material)
        found = None if base is None else (base.image, base.tag, base.platform)
        assert found == ((wanted["image"], wanted["tag"], wanted["platform"]) if "image" in wanted else None)


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (
            "pkg:docker/mcr.microsoft.com/dotnet/aspnet@8.0-noble?platform=linux%2Farm64",
            ("mcr.microsoft.com/dotnet/aspnet", "8.0-noble", "linux/arm64", {"sha256:ab"}),
        ),
        (
            "pkg:docker/mcr.microsoft.com/dotnet/aspnet?digest=sha256%3Acd&platform=linux%2Famd64",
            ("mcr.microsoft.com/dotnet/aspnet", "", "linux/amd64", {"sha256:ab", "sha256:cd"}),
        ),
        ("pkg:docker/localhost:5000/base@1", ("localhost:5000/base", "1", "", {"sha256:ab"})),
        ("pkg:docker/base@sha256%3Acd", ("base", "", "", {"sha256:ab", "sha256:cd"})),
        ("pkg:oci/base@sha256%3Acd?tag=1.2", ("base", "1.2", "", {"sha256:ab", "sha256:cd"})),
        ("git+https://github.com/contoso/app@refs/heads/main", None),
        ("https://example.com/file.tar", None),
        ("pkg:npm/left-pad@1.0.0", None),
        ("pkg:docker/<registry>/<image>@<tag>", ("<registry>/<image>", "<tag>", "", {"sha256:ab"})),
        ("", None),
    ],
)
def test_a_material_is_an_image_where_its_package_url_says_so(uri: str, expected: tuple[Any, ...] | None) -> None:
    base = read_base(Material(uri, frozenset({"sha256:ab"})))

    assert (None if base is None else (base.image, base.tag, base.platform, set(base.digests))) == expected


def test_github_names_its_source_by_the_workflow() -> None:
    uri = "git+https://github.com/contoso/app@refs/heads/main"
    workflow = {"ref": "refs/heads/main", "repository": "https://github.com/contoso/app"}
    definition = {
        "externalParameters": {"workflow": workflow},
        "resolvedDependencies": [{"uri": uri, "digest": {"gitCommit": "abc"}}],
    }
    provenance = read_provenance(Statement(V1, (), {"buildDefinition": definition}))

    assert provenance.source == Material(uri, frozenset({"gitCommit:abc"}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{}",
        b'{"_type": "https://in-toto.io/Statement/v9", "subject": [], "predicateType": "x"}',
        b'{"_type": "https://in-toto.io/Statement/v1", "predicateType": "x"}',
        b'{"_type": "https://in-toto.io/Statement/v1", "subject": [{"name": "x"}], "predicateType": "x"}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_statement_is_refused(content: bytes) -> None:
    with pytest.raises(Refused):
        read_statement(content)


def test_an_envelope_of_another_payload_holds_no_statement() -> None:
    envelope = read_dsse({"payloadType": "text/plain", "payload": "e30=", "signatures": [{"sig": "AA=="}]})

    with pytest.raises(Refused, match="not an in-toto statement"):
        statement_in(envelope)


def test_what_is_signed_in_an_envelope_binds_the_type_and_both_lengths() -> None:
    payload = base64.b64encode(b"hello world").decode()
    envelope = read_dsse(
        {"payloadType": "http://example.com/HelloWorld", "payload": payload, "signatures": [{"sig": "AA=="}]}
    )

    assert envelope.signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=20)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(
            st.sampled_from(
                [
                    "_type", "subject", "predicateType", "predicate", "digest", "sha256", "name", "builder", "id",
                    "buildDefinition", "runDetails", "materials", "invocation", "configSource",
                    "externalParameters", "resolvedDependencies", "uri", "workflow", "metadata",
                ]
            ),
            inner,
            max_size=6,
        ),
    ),
    max_leaves=25,
)  # fmt: skip


@given(predicate=JSON)
def test_whatever_a_predicate_holds_it_is_read_or_refused(predicate: Any) -> None:
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": "ab"}}],
        "predicate": predicate,
    }
    for kind in ("https://slsa.dev/provenance/v0.2", "https://slsa.dev/provenance/v1"):
        with suppress(Refused):
            _ = read_provenance(read_statement(json.dumps({**statement, "predicateType": kind}).encode())).bases


@given(document=JSON)
def test_whatever_a_document_holds_a_statement_is_read_or_refused(document: Any) -> None:
    with suppress(Refused):
        read_statement(json.dumps(document).encode())
