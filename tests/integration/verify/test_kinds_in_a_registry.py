"""Each kind of signature beside an image holds for whom it should, and no more once one bit of it is another."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from typer.testing import CliRunner

from bot.cli.main import app
from bot.domain.images.stated import BUNDLE, NOTATION
from sandbox.images import dotnet_image
from tests.integration.verify.conftest import Kept
from tests.unit.images.signatures.keys import KEY, public, sign
from tests.unit.images.signatures.making import IDENTITY as SUBJECT
from tests.unit.images.signatures.making import NOW, Draft, Timestamper, chain_of_three, cose, jws, needs_openssl
from tests.unit.images.signatures.private_sigstore import (
    IDENTITY,
    ISSUER,
    PrivateSigstore,
    b64,
    dsse_bundle,
    envelope_of,
    message_bundle,
    sig_annotations,
    simple_signing,
)

Layer = tuple[str, bytes, Mapping[str, str]]
V3 = f"{BUNDLE}.v0.3+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
SIGNATURE = "dev.cosignproject.cosign/signature"
SIGNER = chain_of_three()
SIGSTORE = PrivateSigstore.open()


@dataclass(frozen=True)
class Made:
    """One kind of signature: `of` makes it for a digest and the bytes of its manifest. `artifact_type` is empty for
    what stands under a tag."""

    kind: str
    artifact_type: str
    of: Callable[[str, bytes], Layer]


def statement(digest: str) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }


@cache
def workflow() -> Any:
    return SIGSTORE.certificate()


def tagged_with_key(digest: str, _: bytes) -> Layer:
    payload = simple_signing(digest)
    return SIMPLE, payload, {SIGNATURE: b64(sign(KEY, payload))}


def tagged_keyless(digest: str, _: bytes) -> Layer:
    payload = simple_signing(digest)
    return SIMPLE, payload, sig_annotations(SIGSTORE, workflow(), payload)


def bundle(document: dict[str, Any]) -> Layer:
    return V3, json.dumps(document).encode(), {}


KINDS = {
    "notation, COSE": Made(
        "notation", NOTATION, lambda digest, _: ("application/cose", cose(Draft(SIGNER, digest=digest)), {})
    ),
    "notation, JWS": Made(
        "notation", NOTATION, lambda digest, _: ("application/jose+json", jws(Draft(SIGNER, digest=digest)), {})
    ),
    "sigstore, statement": Made(
        "sigstore", V3, lambda digest, _: bundle(dsse_bundle(SIGSTORE, workflow(), statement(digest)))
    ),
    "sigstore, message": Made(
        "sigstore", V3, lambda _, manifest: bundle(message_bundle(SIGSTORE, workflow(), manifest))
    ),
    "sigstore, tag": Made("sigstore", "", tagged_keyless),
    "key, tag": Made("cosign-key", "", tagged_with_key),
    "key, statement": Made(
        "cosign-key",
        V3,
        lambda digest, _: bundle(
            {
                "mediaType": V3,
                "verificationMaterial": {"publicKey": {"hint": ""}},
                "dsseEnvelope": envelope_of(replace(SIGNER, key=KEY), statement(digest)),
            }
        ),
    ),
}


@pytest.fixture(scope="module")
def trust(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[object, ...]]:
    """Whom to trust for each kind, as options."""
    folder = tmp_path_factory.mktemp("trust")
    store = folder / "x509" / "ca" / "contoso"
    store.mkdir(parents=True)
    (store / "root.pem").write_bytes(SIGNER.chain[-1].public_bytes(Encoding.PEM))
    (folder / "root.json").write_bytes(SIGSTORE.trusted_root())
    (folder / "cosign.pub").write_bytes(public(KEY))
    at = ("--at", NOW.isoformat())
    return {
        "notation": ("--trust-dir", folder, "--trust-store", "ca:contoso", "--identity", SUBJECT, *at),
        "sigstore": ("--trusted-root", folder / "root.json", "--identity", IDENTITY, "--issuer", ISSUER),
        "cosign-key": ("--key", folder / "cosign.pub"),
    }


@dataclass
class Shop:
    """Images in repositories of their own."""

    kept: Kept
    pushed: int = 0

    def push(self) -> tuple[str, str, bytes]:
        """A new image: its repository, its digest and its manifest."""
        self.pushed += 1
        repository = f"kinds/{self.pushed}"
        image = dotnet_image("aspnet", "10.0.1", os=str(self.pushed).encode())
        kept = self.kept
        only = replace(image, platforms=("linux/amd64",))
        digest = kept.runner.run(kept.registry.push(repository, "1", only, single=True)).digest
        return repository, digest, kept.registry.stored(digest).read_bytes()

    def put(self, made: Made, repository: str, digest: str, layer: Layer) -> None:
        registry = self.kept.registry
        if made.artifact_type:
            work = registry.attach(repository, digest, made.artifact_type, {}, layer[:2])
        else:
            work = registry.put_beside(repository, digest, "sig", layer)
        self.kept.runner.run(work)

    def verify(self, repository: str, kind: str, *options: object, tag: str = "1") -> tuple[int, Any]:
        return self.kept.verify(f"{self.kept.registry.host}/{repository}:{tag}", kind, *options)


@pytest.fixture(scope="module")
def shop(kept: Kept) -> Shop:
    return Shop(kept)


def flipped(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize("name", KINDS)
def test_a_signature_beside_its_image_holds_until_a_bit_of_what_is_stored_flips(
    name: str, shop: Shop, trust: Mapping[str, tuple[object, ...]]
) -> None:
    made = KINDS[name]
    repository, digest, manifest = shop.push()
    layer = made.of(digest, manifest)
    shop.put(made, repository, digest, layer)

    code, found = shop.verify(repository, made.kind, *trust[made.kind])
    assert (code, found["verdict"], found["digest"]) == (0, "valid", digest), found

    stored = shop.kept.registry.stored(f"sha256:{sha256(layer[1]).hexdigest()}")
    stored.write_bytes(flipped(layer[1]))
    code, found = shop.verify(repository, made.kind, *trust[made.kind])
    assert (code, found["verdict"]) == (1, "invalid"), found
    assert "instead of sha256:" in found["reason"]


@pytest.mark.parametrize("name", KINDS)
def test_a_signature_with_another_bit_is_refused_under_its_own_digest_too(
    name: str, shop: Shop, trust: Mapping[str, tuple[object, ...]]
) -> None:
    made = KINDS[name]
    repository, digest, manifest = shop.push()
    media_type, content, annotations = made.of(digest, manifest)
    shop.put(made, repository, digest, (media_type, flipped(content), annotations))

    code, found = shop.verify(repository, made.kind, *trust[made.kind])
    assert (code, found["verdict"]) == (1, "invalid"), found


@pytest.mark.parametrize("name", KINDS)
def test_a_signature_of_another_image_is_refused(
    name: str, shop: Shop, trust: Mapping[str, tuple[object, ...]]
) -> None:
    made = KINDS[name]
    _, other, manifest = shop.push()
    repository, digest, _ = shop.push()
    shop.put(made, repository, digest, made.of(other, manifest))

    code, found = shop.verify(repository, made.kind, *trust[made.kind])
    assert (code, found["verdict"]) == (1, "invalid"), found


@pytest.mark.parametrize("name", KINDS)
def test_one_that_holds_is_enough_beside_others_that_do_not(
    name: str, shop: Shop, trust: Mapping[str, tuple[object, ...]]
) -> None:
    made = KINDS[name]
    repository, digest, manifest = shop.push()
    good, bad = made.of(digest, manifest), made.of("sha256:" + "0" * 64, b"another manifest")
    if made.artifact_type:
        shop.put(made, repository, digest, bad)
        shop.put(made, repository, digest, good)
    else:
        shop.kept.runner.run(shop.kept.registry.put_beside(repository, digest, "sig", bad, good))

    code, found = shop.verify(repository, made.kind, *trust[made.kind])
    assert (code, found["parts"][0]["signatures"]) == (0, 2), found


def test_each_of_two_keys_that_signed_the_same_payload_is_found(shop: Shop, tmp_path: Path) -> None:
    repository, digest, _ = shop.push()
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    payload = simple_signing(digest)
    layers = [(SIMPLE, payload, {SIGNATURE: b64(sign(key, payload))}) for key in keys]
    shop.kept.runner.run(shop.kept.registry.put_beside(repository, digest, "sig", *layers))
    for number, key in enumerate(keys):
        (tmp_path / f"{number}.pub").write_bytes(public(key))
        assert shop.verify(repository, "cosign-key", "--key", tmp_path / f"{number}.pub")[0] == 0


def test_each_platform_in_an_index_needs_a_signature_of_its_own(
    shop: Shop, trust: Mapping[str, tuple[object, ...]]
) -> None:
    kept = shop.kept
    pushed = kept.runner.run(kept.registry.push("kinds/index", "1", dotnet_image("aspnet", "10.0.1")))
    made = KINDS["notation, COSE"]
    one, other = sorted(pushed.platforms.items())
    for digest in (pushed.digest, one[1]):
        shop.put(made, "kinds/index", digest, made.of(digest, b""))
    code, found = shop.verify("kinds/index", "notation", *trust["notation"])
    assert (code, found["reason"]) == (1, "no signature of this kind is there")
    assert f"this is said of {other[0]} in it, {other[1]}" in found["notes"]
    shop.put(made, "kinds/index", other[1], made.of(other[1], b""))
    assert shop.verify("kinds/index", "notation", *trust["notation"])[0] == 0


@needs_openssl
def test_a_timestamp_by_openssl_lets_a_signature_beside_an_image_outlive_its_certificate(
    shop: Shop, trust: Mapping[str, tuple[object, ...]], tmp_path: Path
) -> None:
    timestamper = Timestamper.open(tmp_path / "authority")
    for kind, name in (("ca", SIGNER.chain[-1]), ("tsa", timestamper.root.certificate)):
        folder = tmp_path / "x509" / kind / "contoso"
        folder.mkdir(parents=True)
        (folder / "root.pem").write_bytes(name.public_bytes(Encoding.PEM))
    repository, digest, _ = shop.push()
    envelope = cose(Draft(SIGNER, digest=digest), timestamper=timestamper)
    shop.put(KINDS["notation, COSE"], repository, digest, ("application/cose", envelope, {}))
    later = ("--at", SIGNER.certificate.not_valid_after_utc.replace(year=2099).isoformat())
    stores = ("--trust-dir", tmp_path, "--trust-store", "ca:contoso")
    assert shop.verify(repository, "notation", *stores, *later)[0] == 1
    assert shop.verify(repository, "notation", *stores, "--trust-store", "tsa:contoso", *later)[0] == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--identity", "x"), "not 'x'"),
        (("--identity", IDENTITY, "--issuer", "https://issuer.example"), "https://issuer.example"),
        (("--identity-regexp", "^https://github.com/mallory/.*$"), "does not match"),
    ],
)
def test_another_identity_or_issuer_is_refused(
    options: tuple[str, ...], told: str, shop: Shop, trust: Mapping[str, tuple[object, ...]]
) -> None:
    made = KINDS["sigstore, statement"]
    repository, digest, manifest = shop.push()
    shop.put(made, repository, digest, made.of(digest, manifest))
    code, found = shop.verify(repository, "sigstore", *trust["sigstore"][:2], *options)
    assert (code, told in found["reason"]) == (1, True), found


def test_an_image_without_a_signature_does_not_hold_and_one_that_is_not_there_is_told(
    shop: Shop, trust: Mapping[str, tuple[object, ...]]
) -> None:
    repository, _, _ = shop.push()
    code, found = shop.verify(repository, "notation", *trust["notation"])
    assert (code, found["reason"]) == (1, "no signature of this kind is there")
    assert found["parts"][0]["signatures"] == 0


def test_a_registry_that_gives_no_answer_leaves_it_open(
    shop: Shop, trust: Mapping[str, tuple[object, ...]], tmp_path: Path, unused_tcp_port: int
) -> None:
    host = f"localhost:{unused_tcp_port}"
    config = tmp_path / "registries.yaml"
    config.write_text(yaml.safe_dump({"registries": {host: {"insecure": True}}, "bases": []}))
    words = ["verify", f"{host}/shop@sha256:{'0' * 64}", "--kind", "cosign-key", *trust["cosign-key"], "-c", config]
    ran = CliRunner().invoke(app, [str(word) for word in words])
    assert (ran.exit_code, "cannot tell: " in ran.stderr) == (3, True)


@pytest.mark.parametrize(
    ("kind", "predicate", "code"),
    [
        ("https://slsa.dev/verification_summary/v1", {"verificationResult": "FAILED"}, 1),
        ("https://slsa.dev/verification_summary/v1", {"verificationResult": "PASSED"}, 1),
        ("https://cosign.sigstore.dev/attestation/vuln/v1", {}, 1),
        ("https://contoso.example/looked-at", {}, 1),
        ("https://slsa.dev/provenance/v1", {}, 0),
    ],
)
def test_of_what_is_stated_of_an_image_only_provenance_is_taken_and_that_is_noted(
    kind: str, predicate: dict[str, str], code: int, shop: Shop, trust: Mapping[str, tuple[object, ...]]
) -> None:
    """Who asks by options may mean GitHub's attestations."""
    repository, digest, _ = shop.push()
    stated = {**statement(digest), "predicateType": kind, "predicate": predicate}
    shop.put(KINDS["sigstore, statement"], repository, digest, bundle(dsse_bundle(SIGSTORE, workflow(), stated)))
    found_code, found = shop.verify(repository, "sigstore", *trust["sigstore"])
    assert found_code == code, found
    noted = "what is signed is provenance, and no signature of an image"
    assert (noted in found["notes"]) is (code == 0)
    assert code == 0 or found["reason"] == "no signature of this kind is there"
