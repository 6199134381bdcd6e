"""Signatures of cosign, judged check by check: with a key, or keyless."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from bot.domain.images.stated import Stated, stated_by_payload, stated_by_predicate
from bot.images.provenance.statement import DsseEnvelope, statement_in
from bot.images.signatures.certificates import public_key
from bot.images.signatures.cosign.bundle import CosignSignature
from bot.images.signatures.cosign.fulcio import Signer, check_certificate, signer_of
from bot.images.signatures.cosign.keys import Content, check_signature, key_id
from bot.images.signatures.cosign.log import check_body, check_promise
from bot.images.signatures.cosign.policy import SignerPolicy
from bot.images.signatures.cosign.signature_file import (
    is_payload,
    read_signature_file,
    signatures_in,
)
from bot.images.signatures.cosign.trusted_root import TrustedRoot
from bot.images.signatures.strictly import member, read_object
from bot.images.signatures.verdict import Checks, Refused, SignatureVerdict, Undecided

KEYED = "cosign-key"
KEYLESS = "sigstore"

_LARGEST_PAYLOAD = 1024 * 1024
_ALGORITHMS = ("sha256", "sha384", "sha512")


@dataclass(frozen=True)
class SignedSubject:
    """What a signature is asked to be for: a file, a digest, or a digest that the file (a payload) names.

    Without slots, so that a large file is hashed once.
    """

    artifact: bytes | None = None
    digest: str = ""

    @cached_property
    def content(self) -> Content:
        """What a signature that is not over an envelope must be over."""
        if self.artifact is not None:
            return Content.of(self.artifact)
        algorithm, _, value = self.digest.partition(":")
        if algorithm != "sha256" or len(value) != 64:
            raise Undecided("a signature over a file can be judged by its SHA-256 only", advice="use --artifact")
        return Content(bytes.fromhex(value))

    @property
    def is_one_thing(self) -> bool:
        """Whether the file, where both are given, is what the digest names."""
        if self.artifact is None or not self.digest:
            return True
        algorithm, _, value = self.digest.partition(":")
        return algorithm in _ALGORITHMS and hashlib.new(algorithm, self.artifact).hexdigest() == value

    @cached_property
    def names(self) -> frozenset[str]:
        """The digests of which a statement must name one: the one asked for, or those of the file."""
        if self.digest or self.artifact is None:
            return frozenset({self.digest})
        return frozenset(f"{name}:{hashlib.new(name, self.artifact).hexdigest()}" for name in _ALGORITHMS)

    @property
    def wanted(self) -> str:
        """The digest that must be bound."""
        return self.digest or (self.content.digest if self.artifact is not None else "")


def verify_with_key(encoded: bytes, key: PublicKeyTypes, subject: SignedSubject) -> SignatureVerdict:
    """The verdict of a signature that one key must have made. Raises nothing, whatever the bytes are.

    The key alone decides; a log entry that came along is not looked at, and the verdict says so. Of several
    signatures of one payload one that holds is enough.
    """
    return _one_that_holds(encoded, subject, lambda one: _verify_with_key(one, key, subject))


def _one_that_holds(
    encoded: bytes, subject: SignedSubject, judge: Callable[[bytes], SignatureVerdict]
) -> SignatureVerdict:
    made = [judge(one) for one in signatures_in(encoded, subject.artifact)]
    return next((verdict for verdict in made if verdict.is_valid), made[0])


def _verify_with_key(encoded: bytes, key: PublicKeyTypes, subject: SignedSubject) -> SignatureVerdict:
    checks = Checks(("bundle", "signature", "subject"))
    file = checks.make("bundle", lambda: read_signature_file(encoded, subject.artifact))
    if file is None:
        return SignatureVerdict(KEYED, tuple(checks))
    if checks.make("signature", lambda: _check_made(file, key, subject)):
        checks.make("subject", lambda: _check_subject(file.envelope, file, subject))
    notes = ("the key alone decides: no log entry and no time of signing were looked at",)
    return SignatureVerdict(
        KEYED, tuple(checks), signer=f"key sha256:{key_id(key).hex()}", digest=subject.wanted, notes=notes
    )


def verify_keyless(
    encoded: bytes, root: TrustedRoot, policy: SignerPolicy, subject: SignedSubject
) -> SignatureVerdict:
    """The verdict of a keyless signature: certificate, log, signer and what is bound. Raises nothing.

    Bundles go through the `sigstore` library. What it does not read (the `.sig` layout, bundles with a promise
    only) is judged here by the same steps. Certificates are judged at the time that a log or an authority attests,
    so that the present moment decides nothing. Of several signatures of one payload one that holds is enough.
    """
    return _one_that_holds(encoded, subject, lambda one: _verify_keyless(one, root, policy, subject))


def _verify_keyless(
    encoded: bytes, root: TrustedRoot, policy: SignerPolicy, subject: SignedSubject
) -> SignatureVerdict:
    checks = Checks(("bundle", "signature"))
    opened = checks.make("bundle", lambda: _open(encoded, subject))
    if opened is None:
        return SignatureVerdict(KEYLESS, tuple(checks))
    file, leaf = opened
    if file.bundle is not None:
        return _verify_by_library(file, file.bundle, root, policy, subject)
    return _verify_by_promise(file, leaf, root, policy, subject)


def _open(encoded: bytes, subject: SignedSubject) -> tuple[CosignSignature, x509.Certificate]:
    file = read_signature_file(encoded, subject.artifact)
    if file.certificate is None:
        raise Refused("the signature carries no certificate", advice="a key signed it; use --kind cosign-key")
    if file.envelope is not None and len(file.envelope.signatures) != 1:
        raise Refused("the envelope must have exactly one signature")
    return file, file.certificate


def _verify_by_promise(
    file: CosignSignature, leaf: x509.Certificate, root: TrustedRoot, policy: SignerPolicy, subject: SignedSubject
) -> SignatureVerdict:
    checks = Checks(("bundle", "log", "certificate", "signature", "identity", "subject"))
    checks.make("bundle", lambda: None)
    signed_at = checks.make("log", lambda: _check_logged(file, leaf, root, subject))
    signer = None
    if signed_at is not None:
        checks.make("certificate", lambda: check_certificate(leaf, file.others, root, signed_at))
        checks.make("signature", lambda: _check_made(file, public_key(leaf), subject))
        signer = checks.make("identity", lambda: _check_signer(leaf, policy))
        checks.make("subject", lambda: _check_subject(file.envelope, file, subject))
    notes = (*policy.notes, "the log promises to hold the entry; that it does was not proved to us")
    return _keyless(checks, signer or _read_signer(leaf), subject, signed_at, notes)


def _verify_by_library(
    file: CosignSignature, bundle: bytes, root: TrustedRoot, policy: SignerPolicy, subject: SignedSubject
) -> SignatureVerdict:
    from bot.images.signatures.cosign.library import verify_bundle

    checks = Checks(("bundle", "signature", "identity", "subject"))
    checks.make("bundle", lambda: None)
    proved = checks.make(
        "signature", lambda: verify_bundle(file, bundle, root, subject.content if file.envelope is None else None)
    )
    if proved is None:
        return _keyless(checks, None, subject, None, policy.notes)
    signer = checks.make("identity", lambda: _check_signer(proved.certificate, policy))
    checks.make("subject", lambda: _check_subject(proved.payload, file, subject))
    return _keyless(checks, signer or _read_signer(proved.certificate), subject, proved.at, policy.notes)


def _keyless(
    checks: Checks,
    signer: Signer | None,
    subject: SignedSubject,
    signed_at: datetime | None,
    notes: tuple[str, ...],
) -> SignatureVerdict:
    return SignatureVerdict(
        KEYLESS,
        tuple(checks),
        signer=str(signer) if signer is not None else "",
        issuer=signer.issuer if signer is not None else "",
        facts=tuple(sorted(signer.extensions.items())) if signer is not None else (),
        digest=subject.wanted,
        signed_at=signed_at,
        notes=notes,
    )


def _read_signer(leaf: x509.Certificate) -> Signer | None:
    """Whom the certificate names, to be told beside a verdict that does not hold."""
    try:
        return signer_of(leaf)
    except Refused:
        return None


def _check_logged(
    file: CosignSignature, leaf: x509.Certificate, root: TrustedRoot, subject: SignedSubject
) -> datetime:
    if file.entry is None:
        raise Refused("no log entry came with the signature, so that nothing attests when it was made")
    logged_at = check_promise(file.entry, root.logs)
    check_body(file.entry.body, file.signature, file.envelope or subject.content, leaf)
    if file.proved is not None or file.timestamps:
        from bot.images.signatures.cosign.library import check_beside_promise

        check_beside_promise(file, leaf, root)
    return logged_at


def _check_made(file: CosignSignature, key: PublicKeyTypes, subject: SignedSubject) -> bool:
    if file.envelope is None:
        check_signature(key, file.signature, subject.content)
        return True
    signed = Content.of(file.envelope.signed)
    last: Refused | None = None
    for signature in file.envelope.signatures:
        try:
            check_signature(key, signature, signed)
        except Refused as refused:
            last = refused
        else:
            return True
    raise last or Refused("the envelope has no signature")


def _check_signer(leaf: x509.Certificate, policy: SignerPolicy) -> Signer:
    signer = signer_of(leaf)
    policy.check(signer)
    return signer


def _check_subject(envelope: DsseEnvelope | None, file: CosignSignature, subject: SignedSubject) -> None:
    """Refuses a signature that holds, and is for something else."""
    if envelope is not None:
        if not is_payload(subject.artifact) and not subject.is_one_thing:
            raise Refused(
                f"the file is not what {subject.digest} names", advice="give the file or the digest alone"
            )
        statement = statement_in(envelope)
        if not any(statement.is_about(name) for name in subject.names):
            raise Refused(
                f"the signed statement is not about {subject.wanted}", advice="it belongs to another artifact"
            )
        stated = stated_by_predicate(statement.predicate_type)
        if stated is not None and stated_by_predicate(statement.predicate_type, statement.predicate) is None:
            raise Refused(f"what is signed is {stated} that does not say that it passed")
        return
    content = subject.content
    if file.message_digest is not None:
        algorithm, digest = file.message_digest
        if content.hashed(algorithm) not in (None, digest):
            raise Refused("the bundle says that another file was signed")
    if subject.artifact is not None and subject.digest not in ("", content.digest):
        image_digest = signed_image(subject.artifact)
        if image_digest != subject.digest:
            raise Refused(
                f"the signature is for {image_digest}, not for {subject.digest}",
                advice="it belongs to another image",
            )


def signed_image(payload: bytes) -> str:
    """The digest that a payload of the `.sig` layout binds (the "simple signing" document)."""
    document = read_object(payload, "the signed payload", limit=_LARGEST_PAYLOAD)
    critical = member(document, "critical", dict, "the signed payload")
    if stated_by_payload(critical.get("type")) is not Stated.SIGNATURE:
        raise Refused("the signed payload is not one for an image")
    image = member(critical, "image", dict, "the signed payload")
    digest: str = member(image, "docker-manifest-digest", str, "the signed payload")
    return digest[:200]
