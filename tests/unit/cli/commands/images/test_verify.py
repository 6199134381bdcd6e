"""`verify` on files: its exit codes, and what it says."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner, Result

from bot.cli.main import app
from bot.domain.failure import Failure
from tests.unit.images.signatures.evidence import EVIDENCE, cases, needs_evidence
from tests.unit.images.signatures.keys import CONTENT, KEY, WHOLE, public
from tests.unit.images.signatures.keys import DIGEST as FILE_DIGEST
from tests.unit.images.signatures.making import DIGEST, IDENTITY, NOW, Draft, chain_of_three, cose
from tests.unit.images.signatures.private_sigstore import AT as MADE
from tests.unit.images.signatures.private_sigstore import IDENTITY as WORKFLOW
from tests.unit.images.signatures.private_sigstore import ISSUER, PrivateSigstore, dsse_bundle, message_bundle

AT = NOW.isoformat()


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["verify", *map(str, arguments)])


def told(*arguments: object) -> tuple[int, Any]:
    result = run(*arguments, "--format", "json")
    return result.exit_code, json.loads(result.output)


@needs_evidence
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("notation")[::7]])
def test_a_recorded_envelope_is_told_in_the_fields_of_its_case(case: dict[str, Any]) -> None:
    folder = EVIDENCE / "notation"
    code, found = told(
        folder / case["file"],
        *("--kind", "notation", "--media-type", case["media_type"], "--trust-dir", folder / case["trust_dir"]),
        *(part for store in case["trust_stores"] for part in ("--trust-store", store)),
        *(part for identity in case["trusted_identities"] for part in ("--identity", identity)),
        *("--timestamp", case["verify_timestamp"], "--at", case["verify_at"]),
    )

    assert {name: found[name].partition(":")[0] for name in case["expected"]} == {
        name: text.partition(":")[0] for name, text in case["expected"].items()
    }
    assert code == (0 if case["expected"]["strict"] == "valid" else 1)
    assert found["revocation"] == "not checked"


@needs_evidence
@pytest.mark.parametrize("case", [pytest.param(case, id=case["id"]) for case in cases("sigstore")[::5]])
def test_a_recorded_bundle_is_one_exit_code(case: dict[str, Any]) -> None:
    folder = EVIDENCE / "sigstore"
    what = ("--artifact", folder / case["artifact"]) if case["artifact"] else ("--digest", case["digest"])
    identity = case["identity"]
    who = ("--identity", identity["san"], "--issuer", identity["issuer"]) if identity else ()
    code, found = told(
        folder / case["bundle"], "--kind", "sigstore", "--trusted-root", folder / case["trusted_root"], *what, *who
    )

    assert (code, found["verdict"]) == (0 if case["expected"] == "valid" else 1, case["expected"])


@pytest.fixture
def envelope(tmp_path: Path) -> list[object]:
    signer = chain_of_three()
    store = tmp_path / "x509" / "ca" / "contoso"
    store.mkdir(parents=True)
    (store / "root.pem").write_bytes(signer.chain[-1].public_bytes(Encoding.PEM))
    (tmp_path / "image.sig").write_bytes(cose(Draft(signer)))
    return [
        tmp_path / "image.sig",
        *("--kind", "notation", "--media-type", "application/cose", "--at", AT),
        *("--trust-dir", tmp_path, "--trust-store", "ca:contoso"),
    ]


def test_an_envelope_for_the_digest_holds(envelope: list[object]) -> None:
    result = run(*envelope, "--digest", DIGEST, "--identity", IDENTITY)

    assert result.exit_code == 0, result.output
    assert "valid" in result.output
    assert "revocation" in result.output
    assert "note:" not in result.output


def test_an_envelope_for_another_digest_does_not_hold(envelope: list[object]) -> None:
    code, found = told(*envelope, "--digest", "sha256:" + "0" * 64)

    assert code == 1
    assert found["subject"].startswith("fail: the signature is for")
    assert found["strict"] == f"invalid: {found['reason']}"


def test_an_artifact_stands_for_its_digests(envelope: list[object], tmp_path: Path) -> None:
    (tmp_path / "manifest").write_bytes(b"an image manifest")

    assert run(*envelope, "--artifact", tmp_path / "manifest").exit_code == 0


def test_an_artifact_that_is_not_what_the_digest_names_is_told(envelope: list[object], tmp_path: Path) -> None:
    (tmp_path / "manifest").write_bytes(b"an image manifest")
    assert run(*envelope, "--digest", DIGEST, "--artifact", tmp_path / "manifest").exit_code == 0
    (tmp_path / "manifest").write_bytes(b"another manifest")
    with pytest.raises(Failure, match="is not what --digest names"):
        CliRunner().invoke(
            app,
            ["verify", *map(str, (*envelope, "--digest", DIGEST, "--artifact", tmp_path / "manifest"))],
            catch_exceptions=False,
        )


def test_what_was_left_open_is_noted(envelope: list[object]) -> None:
    _, found = told(*envelope)

    assert len(found["notes"]) == 2


def test_a_bundle_of_a_private_sigstore_holds_for_its_workflow(tmp_path: Path) -> None:
    sigstore = PrivateSigstore.open()
    (tmp_path / "root.json").write_bytes(sigstore.trusted_root())
    (tmp_path / "bundle").write_text(json.dumps(message_bundle(sigstore, sigstore.certificate(), CONTENT)))
    common = (
        tmp_path / "bundle",
        "--kind",
        "sigstore",
        "--trusted-root",
        tmp_path / "root.json",
        "--digest",
        FILE_DIGEST,
    )

    assert run(*common, "--identity", "x", "--identity", WORKFLOW, "--issuer", ISSUER).exit_code == 0
    assert run(*common, "--identity-regexp", "^https://github.com/contoso/.*$").exit_code == 0
    open_pattern = run(*common, "--identity-regexp", "contoso")
    assert open_pattern.exit_code == 0
    assert "not anchored" in open_pattern.output
    assert run(*common, "--identity", "x").exit_code == 1


def test_a_key_decides_with_one_exit_code(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    (tmp_path / "file.sig").write_bytes(WHOLE)
    (tmp_path / "cosign.pub").write_bytes(public(KEY))
    common = (tmp_path / "file.sig", "--kind", "cosign-key", "--key", tmp_path / "cosign.pub")

    assert run(*common, "--artifact", tmp_path / "file").exit_code == 0
    assert run(*common, "--digest", FILE_DIGEST).exit_code == 0
    assert run(*common, "--artifact", tmp_path / "cosign.pub").exit_code == 1
    assert run(*common, "--digest", "sha512:" + "0" * 128).exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("absent", "--kind", "cosign-key"), "absent cannot be read"),
        (("here", "--kind", "cosign-key", "--digest", "sha256:00"), "no digest"),
        (("here", "--kind", "cosign-key", "--digest", DIGEST), "--key must be given"),
        (("here", "--kind", "cosign-key", "--key", "here"), "--artifact or --digest"),
        (("here", "--kind", "cosign-key", "--key", "here", "--digest", DIGEST), "cannot be read"),
        (("here", "--kind", "cosign-key", "--issuer", "x"), "--issuer is read with --kind sigstore only"),
        (("here", "--kind", "cosign-key", "--identity", "x"), "--identity is not read"),
        (("here", "--kind", "sigstore", "--digest", DIGEST), "--trusted-root must be given"),
        (
            ("here", "--kind", "sigstore", "--trusted-root", "here", "--digest", DIGEST),
            "trusted root cannot be read",
        ),
        (
            ("here", "--kind", "sigstore", "--trusted-root", "here", "--digest", DIGEST, "--identity-regexp", "("),
            "no regular expression",
        ),
        (("here", "--kind", "notation"), "--media-type must be given"),
        (("here", "--kind", "notation", "--media-type", "application/cose"), "--trust-dir and --trust-store"),
        (("here", "--kind", "notation", "--at", "yesterday"), "no moment"),
        (("here", "--kind", "notation", "--at", "2026-11-25T00:00:00"), "with its zone"),
        (
            (
                *("here", "--kind", "notation", "--media-type", "application/cose", "--trust-dir", "."),
                *("--trust-store", "ca:x", "--identity", "somebody"),
            ),
            "no trusted identity",
        ),
    ],
)
def test_bad_input_is_one_line_with_what_to_do(
    arguments: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here").write_text("nothing that anybody signed")

    result = run(*arguments)

    assert isinstance(result.exception, Failure)
    assert says in str(result.exception)


@pytest.mark.parametrize(
    "arguments",
    [(), ("x", "--kind", "other"), ("x", "--kind", "notation", "--timestamp", "x")],
)
def test_a_wrong_call_is_bad_input(arguments: tuple[str, ...]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize(("says", "code"), [("FAILED", 1), ("PASSED", 0), (None, 1)])
def test_a_file_with_a_summary_holds_where_it_passed_and_is_noted_to_be_no_signature(
    says: str | None, code: int, tmp_path: Path
) -> None:
    sigstore = PrivateSigstore.open()
    (tmp_path / "root.json").write_bytes(sigstore.trusted_root())
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {"sha256": FILE_DIGEST.removeprefix("sha256:")}}],
        "predicateType": "https://slsa.dev/verification_summary/v1",
        "predicate": {"verificationResult": says},
    }
    (tmp_path / "bundle").write_text(json.dumps(dsse_bundle(sigstore, sigstore.certificate(), statement)))
    trust = ("--trusted-root", tmp_path / "root.json", "--identity", WORKFLOW, "--issuer", ISSUER)
    found_code, found = told(tmp_path / "bundle", "--kind", "sigstore", "--digest", FILE_DIGEST, *trust)

    assert found_code == code, found
    if code:
        assert found["reason"] == "what is signed is a verification summary that does not say that it passed"
    else:
        assert "what is signed is a verification summary, and no signature of an image" in found["notes"]


def test_a_bundle_that_was_made_after_the_moment_in_question_cannot_be_told(tmp_path: Path) -> None:
    sigstore = PrivateSigstore.open()
    (tmp_path / "root.json").write_bytes(sigstore.trusted_root())
    (tmp_path / "bundle").write_text(json.dumps(message_bundle(sigstore, sigstore.certificate(), CONTENT)))
    trust = ("--trusted-root", tmp_path / "root.json", "--identity", WORKFLOW, "--issuer", ISSUER)
    asked = (tmp_path / "bundle", "--kind", "sigstore", "--digest", FILE_DIGEST, *trust)
    code, found = told(*asked, "--at", (MADE - timedelta(minutes=5)).isoformat())

    assert (code, "which is yet to come" in found["reason"]) == (3, True), found
    assert told(*asked, "--at", MADE.isoformat())[0] == 0
