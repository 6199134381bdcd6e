"""A Sigstore trusted root: which authorities and logs are believed, and in which time."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from bot.domain.failure import Failure, Trouble
from bot.images.signatures.certificates import read_certificate
from bot.images.signatures.cosign.keys import read_key_der
from bot.images.signatures.strictly import from_base64, member, read_object
from bot.images.signatures.verdict import Refused

T = TypeVar("T")

_LARGEST = 4 * 1024 * 1024
_MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot"
_MOST = 100


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when something counts; open where no end is set."""

    start: datetime
    end: datetime | None = None

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment and (self.end is None or moment <= self.end)


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority: its chain with the root last."""

    chain: tuple[x509.Certificate, ...]
    period: Period


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key of a transparency log."""

    key: PublicKeyTypes
    period: Period


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """Who is believed. Logs are found by their id."""

    authorities: tuple[Authority, ...]
    logs: Mapping[bytes, LogKey]
    certificate_logs: Mapping[bytes, LogKey]
    encoded: bytes
    """The document itself, for the library that reads it on its own."""


def read_trusted_root(encoded: bytes, *, where: str = "") -> TrustedRoot:
    """The document `trusted_root.json`. Raises `Failure` where it is none; a key of an unknown kind is left out."""
    try:
        document = read_object(encoded, "the trusted root", limit=_LARGEST)
        if not str(document.get("mediaType", "")).startswith(_MEDIA_TYPE):
            raise Refused(f"its media type is not {_MEDIA_TYPE}")
        return TrustedRoot(
            authorities=tuple(_each(document, "certificateAuthorities", _read_authority)),
            logs=dict(_each(document, "tlogs", _read_log)),
            certificate_logs=dict(_each(document, "ctlogs", _read_log)),
            encoded=encoded,
        )
    except Refused as refused:
        raise Failure(
            Trouble.MALFORMED,
            f"the trusted root cannot be read: {refused.what}",
            where=where,
            advice="give the trusted_root.json of your Sigstore, as its TUF repository has it",
        ) from None


def _each(document: dict[str, Any], name: str, read: Callable[[dict[str, Any]], T | None]) -> Iterator[T]:
    entries = document.get(name, [])
    if not isinstance(entries, list) or len(entries) > _MOST:
        raise Refused(f"{name} is not a list of at most {_MOST}")
    for one in entries:
        value = read(one)
        if value is not None:
            yield value


def _read_authority(authority: dict[str, Any]) -> Authority:
    certificates = member(
        member(authority, "certChain", dict, "an authority"), "certificates", list, "an authority's chain"
    )
    chain = [
        read_certificate(from_base64(member(one, "rawBytes", str, "a certificate"), "a certificate"))
        for one in certificates[:_MOST]
    ]
    if not chain:
        raise Refused("an authority has no certificates")
    return Authority(tuple(chain), _read_period(authority))


def _read_log(log: dict[str, Any]) -> tuple[bytes, LogKey] | None:
    key = member(log, "publicKey", dict, "a log")
    identifier = from_base64(member(member(log, "logId", dict, "a log"), "keyId", str, "a log's id"), "a log's id")
    encoded = from_base64(member(key, "rawBytes", str, "a log's key"), "a log's key")
    try:
        return identifier, LogKey(read_key_der(encoded), _read_period(key))
    except Refused:
        return None


def _read_period(document: dict[str, Any]) -> Period:
    period = member(document, "validFor", dict, "an authority or log")
    end = period.get("end")
    return Period(_read_time(period.get("start")), _read_time(end) if end is not None else None)


def _read_time(text: object) -> datetime:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        moment = None
    if moment is None:
        raise Refused("a time of validity cannot be read")
    return moment.astimezone(UTC) if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
