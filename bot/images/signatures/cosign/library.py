"""Sigstore bundles through the `sigstore` library. Importing it takes a third of a second: import this late."""

import json
import logging
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509 import Certificate
from rfc3161_client import decode_timestamp_response
from sigstore._internal.trust import KeyringPurpose
from sigstore.errors import Error
from sigstore.hashes import Hashed
from sigstore.models import Bundle
from sigstore.models import TrustedRoot as LibraryRoot
from sigstore.verify import Verifier
from sigstore_models.common.v1 import HashAlgorithm
from sigstore_models.trustroot.v1 import TrustedRoot as RootDocument

from bot.images.provenance.statement import DsseEnvelope
from bot.images.signatures.certificates import public_key
from bot.images.signatures.cosign.bundle import CosignSignature
from bot.images.signatures.cosign.keys import Content, check_signature
from bot.images.signatures.cosign.log import check_body
from bot.images.signatures.cosign.trusted_root import TrustedRoot
from bot.images.signatures.verdict import Refused

logging.getLogger("sigstore").setLevel(logging.ERROR)


class _Later:
    """Leaves the signer to our own policy, whose answer is a check of its own."""

    def verify(self, cert: Certificate) -> None:
        return


@dataclass(frozen=True, slots=True)
class Proved:
    """What a bundle proves: whose certificate signed, when, and what an envelope holds."""

    certificate: Certificate
    at: datetime
    payload: DsseEnvelope | None


def verify_bundle(file: CosignSignature, bundle: bytes, root: TrustedRoot, content: Content | None) -> Proved:
    """What a bundle, read as `file`, proves; refuses one whose certificate, log, time or signature does not hold.

    Without content the bundle's DSSE envelope is judged. Whether the signer is accepted, and what an envelope is
    about, the caller checks.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the parser warns of names in certificates that others accept in silence
        return _verify(file, bundle, root, content)


def _verify(file: CosignSignature, encoded: bytes, root: TrustedRoot, content: Content | None) -> Proved:
    try:
        bundle = Bundle.from_json(encoded)
    except Exception as error:  # pydantic, base64 and X.509 errors come through as they are
        raise Refused(f"the bundle cannot be read: {_line(error)}") from None
    try:
        verifier = _verifier(root.encoded)
        envelope = None
        if not _is_for_library(bundle.signing_certificate):
            envelope = _verify_by_other_key(verifier, bundle, file, content)
        elif content is None:
            kind, payload = verifier.verify_dsse(bundle, _Later())
            envelope = DsseEnvelope(kind, payload, ())
        else:
            hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=content.sha256)
            verifier.verify_artifact(hashed, bundle, _Later())
        return Proved(bundle.signing_certificate, _time_of(verifier, bundle), envelope)
    except Refused:
        raise
    except (
        Exception
    ) as error:  # also what the library meets unprepared, such as a name that no certificate may have
        raise Refused(f"the bundle does not hold: {_line(error)}") from None


def _is_for_library(certificate: Certificate) -> bool:
    """Whether the library verifies signatures by this key: it takes each for one by P-256 and SHA-256."""
    key = public_key(certificate)
    return isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name == "secp256r1"


def _verify_by_other_key(
    verifier: Verifier, bundle: Bundle, file: CosignSignature, content: Content | None
) -> DsseEnvelope | None:
    """The library's checks of certificate, log and times; our own of the signature and of what the log took."""
    verifier._verify_common_signing_cert(bundle, _Later())
    envelope = file.envelope
    if content is None and envelope is None:
        raise Refused("the bundle carries neither a signature over a file nor an envelope")
    signed = content if content is not None else envelope
    assert signed is not None, "one of both is there"
    over = signed if isinstance(signed, Content) else Content.of(signed.signed)
    check_body(bundle.log_entry._inner.canonicalized_body, file.signature, signed, bundle.signing_certificate)
    check_signature(public_key(bundle.signing_certificate), file.signature, over)
    return envelope if content is None else None


def check_beside_promise(file: CosignSignature, leaf: Certificate, root: TrustedRoot) -> None:
    """Refuses what came along with the log's promise and does not hold: the proof that the log has the entry, and
    timestamps, each of which must be of a believed authority and from the days of the certificate."""
    try:
        verifier = _verifier(root.encoded)
        if file.proved is not None:
            entry = Bundle.from_json(file.proved).log_entry
            entry._verify(verifier._trusted_root.rekor_keyring(KeyringPurpose.VERIFY))
        for token in file.timestamps:
            timestamp = verifier._verify_signed_timestamp(decode_timestamp_response(token), file.signature)
            if timestamp is None:
                raise Refused(
                    "a timestamp of the bundle is by no authority of the trusted root, or over something else"
                )
            if not leaf.not_valid_before_utc <= timestamp.time <= leaf.not_valid_after_utc:
                raise Refused(
                    f"the certificate was not valid at the timestamp, {timestamp.time:%Y-%m-%dT%H:%M:%SZ}"
                )
    except Refused:
        raise
    except Exception as error:  # pydantic, base64, X.509 and timestamp errors come through as they are
        raise Refused(f"the bundle does not hold: {_line(error)}") from None


@lru_cache(maxsize=8)
def _verifier(encoded: bytes) -> Verifier:
    return Verifier(trusted_root=LibraryRoot(RootDocument.from_json(_completed(encoded))))


def _completed(encoded: bytes) -> bytes:
    """The root with what the library insists on and nobody reads: the names and addresses of authorities.

    The period of an authority for timestamps ends a microsecond later: its end is part of it (Sigstore's
    `TimeRange` is closed), and the library takes it for the first moment that no longer counts.
    """
    document = json.loads(encoded)
    for member_name in ("certificateAuthorities", "timestampAuthorities"):
        for authority in document.get(member_name, []):
            subject = authority.get("subject")
            names = subject if isinstance(subject, dict) else {}
            authority["subject"] = {"organization": "", "commonName": "", **names}
            authority.setdefault("uri", "")
    for authority in document.get("timestampAuthorities", []):
        period = authority.get("validFor", {})
        if period.get("end") is not None:
            end = datetime.fromisoformat(period["end"]) + timedelta(microseconds=1)
            period["end"] = end.isoformat().replace("+00:00", "Z")
    return json.dumps(document).encode()


def _time_of(verifier: Verifier, bundle: Bundle) -> datetime:
    """Gives the earliest time that was attested, as the library itself establishes it."""
    times: list[Any] = verifier._establish_time(bundle)
    earliest: datetime = min(timestamp.time for timestamp in times)
    return earliest.astimezone(UTC)


def _line(error: Exception) -> str:
    lines = str(error).splitlines()
    text = lines[0][:200] if lines else type(error).__name__
    return text if isinstance(error, Error) else f"{type(error).__name__}: {text}"
