"""A Notary Project signature, judged check by check as its trust policy specification orders them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from cryptography import x509

from bot.images.signatures.certificates import fingerprint, is_valid_at, issuer_of, name_of
from bot.images.signatures.notation import cose, jws
from bot.images.signatures.notation.envelope import Envelope, Scheme, TargetArtifact, check_integrity
from bot.images.signatures.notation.names import TrustedIdentity, subject_of
from bot.images.signatures.notation.trust_store import TrustStore
from bot.images.signatures.timestamps import Timestamp, verify_timestamp
from bot.images.signatures.verdict import Checks, Refused, SignatureVerdict, check_not_ahead

KIND = "notation"
_READERS = {cose.MEDIA_TYPE: cose.read_cose, jws.MEDIA_TYPE: jws.read_jws}
MEDIA_TYPES = tuple(_READERS)
_LAST_MOMENT = timedelta(microseconds=1)
"""A certificate is valid in the moment that it names as its end."""


class WhenTimestamped(StrEnum):
    """When a countersignature is asked for, where a store for timestamps is configured."""

    ALWAYS = "always"
    AFTER_CERT_EXPIRY = "afterCertExpiry"


@dataclass(frozen=True, slots=True)
class NotationPolicy:
    """Whom to trust for a Notary Project signature."""

    store: TrustStore
    identities: tuple[TrustedIdentity, ...]
    timestamp: WhenTimestamped = WhenTimestamped.ALWAYS


def verify_notation(
    encoded: bytes, media_type: str, policy: NotationPolicy, moment: datetime, *, digests: Collection[str] = ()
) -> SignatureVerdict:
    """The verdict of an envelope at one moment, and of what it binds where an artifact's digests are given.

    Checks are named as Notation names them; `critical` (every critical header is understood) and `subject` (the
    digest asked about is the one that was signed) are ours. A plugin is never run, so that a signature which asks
    for one is refused. Raises nothing, whatever the bytes are.
    """
    checks = Checks(
        ("integrity", "critical", "authenticity", "expiry", "authenticTimestamp", *["subject"] * bool(digests))
    )
    opened = checks.make("integrity", lambda: _open(encoded, media_type))
    if opened is None:
        return SignatureVerdict(KIND, tuple(checks))
    envelope, target = opened
    signed_at: datetime | None = None
    if checks.make("critical", lambda: _check_critical(envelope)):
        checks.make("authenticity", lambda: _check_authenticity(envelope, policy))
        checks.make("expiry", lambda: _check_expiry(envelope, moment))
        signed_at = checks.make("authenticTimestamp", lambda: _check_time(envelope, policy, moment))
        if digests:
            checks.make("subject", lambda: _check_subject(target.digest, digests))
    return SignatureVerdict(
        KIND,
        tuple(checks),
        signer=name_of(envelope.leaf),
        issuer=issuer_of(envelope.leaf),
        digest=target.digest,
        signed_at=signed_at,
        holds_until=_holds_until(envelope, policy, moment),
    )


def _open(encoded: bytes, media_type: str) -> tuple[Envelope, TargetArtifact]:
    read = _READERS.get(media_type)
    if read is None:
        raise Refused(
            f"an envelope of the type {media_type[:80]!r} is not known", advice=f"known: {', '.join(_READERS)}"
        )
    envelope = read(encoded)
    return envelope, check_integrity(envelope)


def _check_critical(envelope: Envelope) -> bool:
    if envelope.asks_for_plugin:
        raise Refused("the signature asks for a verification plugin, and plugins are never run")
    if envelope.unknown_critical:
        raise Refused(f"the critical header {envelope.unknown_critical[0][:80]!r} is not understood")
    return True


def _check_authenticity(envelope: Envelope, policy: NotationPolicy) -> None:
    is_authority = envelope.scheme is Scheme.SIGNING_AUTHORITY
    trusted = policy.store.signing_authority if is_authority else policy.store.ca
    if not trusted:
        kind = "signingAuthority" if is_authority else "ca"
        raise Refused(
            f"no certificate is trusted under the scheme {envelope.scheme}", advice=f"add a store {kind}:NAME"
        )
    trusted_fingerprints = {fingerprint(one) for one in trusted}
    if not any(fingerprint(one) in trusted_fingerprints for one in envelope.chain):
        raise Refused(
            f"the chain ends at {name_of(envelope.chain[-1])}, and no certificate of it is trusted",
            advice="add its root to the trust store if you mean to trust it",
        )
    if any(identity.is_anybody for identity in policy.identities):
        return
    subject = subject_of(envelope.leaf)
    if not any(identity.covers(subject) for identity in policy.identities):
        raise Refused(f"the signer {name_of(envelope.leaf)} is not among the trusted identities")


def _check_subject(signed: str, digests: Collection[str]) -> None:
    if signed not in digests:
        raise Refused(
            f"the signature is for {signed[:160]}, not for {next(iter(digests))}",
            advice="it belongs to another image or file",
        )


def _check_expiry(envelope: Envelope, moment: datetime) -> None:
    if envelope.expiry is not None and moment >= envelope.expiry:
        raise Refused(
            f"the signature expired on {envelope.expiry:%Y-%m-%dT%H:%M:%SZ}", advice="it must be signed anew"
        )


def _check_time(envelope: Envelope, policy: NotationPolicy, moment: datetime) -> datetime | None:
    """The moment of signing where an authority attests one; refuses a chain that was not valid when it counts, and
    cannot tell of one that is yet to come."""
    if envelope.scheme is Scheme.SIGNING_AUTHORITY:
        _check_validity(envelope.chain, envelope.signing_time)
        check_not_ahead(envelope.signing_time, moment)
        return envelope.signing_time
    if not _asks_for_timestamp(envelope, policy, moment):
        _check_validity(envelope.chain, moment)
        check_not_ahead(envelope.signing_time, moment)
        return None
    if envelope.timestamp is None:
        raise Refused("the signature carries no timestamp", advice="it must be signed with a timestamp authority")
    timestamp = verify_timestamp(envelope.timestamp, envelope.signature, policy.store.tsa)
    check_not_ahead(timestamp.at, moment)
    _check_span(envelope.chain, timestamp)
    return timestamp.at


def _asks_for_timestamp(envelope: Envelope, policy: NotationPolicy, moment: datetime) -> bool:
    if not policy.store.has_tsa:
        return False
    is_expired = any(moment > one.not_valid_after_utc for one in envelope.chain)
    return policy.timestamp is WhenTimestamped.ALWAYS or is_expired


def _check_validity(chain: Sequence[x509.Certificate], moment: datetime) -> None:
    for one in chain:
        if not is_valid_at(one, moment):
            raise Refused(
                f"{name_of(one)} is valid from {one.not_valid_before_utc:%Y-%m-%dT%H:%M:%SZ} to "
                f"{one.not_valid_after_utc:%Y-%m-%dT%H:%M:%SZ}, not at {moment:%Y-%m-%dT%H:%M:%SZ}",
                advice="a timestamp would show that it was valid when it signed; that needs a store tsa:NAME",
            )


def _check_span(chain: Sequence[x509.Certificate], timestamp: Timestamp) -> None:
    for one in chain:
        if not one.not_valid_before_utc <= timestamp.earliest <= timestamp.latest <= one.not_valid_after_utc:
            raise Refused(
                f"the timestamp of {timestamp.at:%Y-%m-%dT%H:%M:%SZ} is not within the validity of {name_of(one)}"
            )


def _holds_until(envelope: Envelope, policy: NotationPolicy, moment: datetime) -> datetime | None:
    """The first moment after `moment` at which the signature expires, or a certificate of it is no longer valid.

    Certificates end nothing where an authority attests that they were valid when they signed.
    """
    ends = [envelope.expiry] if envelope.expiry is not None else []
    is_attested = envelope.scheme is Scheme.SIGNING_AUTHORITY or _asks_for_timestamp(envelope, policy, moment)
    if not is_attested:
        ends += [one.not_valid_after_utc + _LAST_MOMENT for one in envelope.chain]
    return min((end for end in ends if end > moment), default=None)
