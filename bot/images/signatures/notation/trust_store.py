"""Trust stores laid out like Notation's: `x509/TYPE/NAME/`, with certificates in PEM or DER."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography import x509

from bot.domain.failure import Failure, Trouble
from bot.images.signatures.certificates import is_self_signed, name_of, read_certificate, read_pem
from bot.images.signatures.der import Parts
from bot.images.signatures.verdict import Refused

_LARGEST = 1024 * 1024
_MOST_FILES = 1000
_NAME = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)
_PEM = b"-----BEGIN "


class StoreType(StrEnum):
    """What the certificates of a store are trusted for."""

    CA = "ca"
    SIGNING_AUTHORITY = "signingAuthority"
    TSA = "tsa"


@dataclass(frozen=True, slots=True)
class TrustStore:
    """The certificates that are trusted, by what for. `has_tsa` tells an empty list from none configured."""

    ca: tuple[x509.Certificate, ...] = ()
    signing_authority: tuple[x509.Certificate, ...] = ()
    tsa: tuple[x509.Certificate, ...] = ()
    has_tsa: bool = False


def load_stores(directory: Path, names: Sequence[str]) -> TrustStore:
    """Reads the stores `TYPE:NAME` from below a directory. Raises `Failure` for one that is not there or not good.

    Links to files are followed, as mounted secrets consist of them.
    """
    certificates: dict[StoreType, list[x509.Certificate]] = {kind: [] for kind in StoreType}
    types: set[StoreType] = set()
    for store_name in dict.fromkeys(names):
        kind, name = _split(store_name)
        types.add(kind)
        folder = directory / "x509" / kind / name
        try:
            files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
            contents = [(str(path), _content(path)) for path in files[: _MOST_FILES + 1]]
        except OSError as error:
            raise _bad(
                f"the trust store {store_name} cannot be read: {error.strerror or error}",
                str(folder),
                "put its certificates there, one or more a file, as PEM or DER",
            ) from None
        certificates[kind].extend(read_store(kind, contents, place=str(folder)))
    return TrustStore(
        ca=tuple(certificates[StoreType.CA]),
        signing_authority=tuple(certificates[StoreType.SIGNING_AUTHORITY]),
        tsa=tuple(certificates[StoreType.TSA]),
        has_tsa=StoreType.TSA in types,
    )


def read_store(kind: StoreType, files: Iterable[tuple[str, bytes]], *, place: str) -> list[x509.Certificate]:
    """The certificates of one store: authorities or self-signed ones, and for timestamps roots only."""
    certificates: list[x509.Certificate] = []
    for file, content in files:
        try:
            read = _read(content)
        except Refused as refused:
            raise _bad(refused.what, file, "the store must hold certificates only, as PEM or DER") from None
        for certificate in read:
            is_root = is_self_signed(certificate)
            if kind is StoreType.TSA and not (is_root and _is_authority(certificate)):
                raise _bad(
                    f"{name_of(certificate)} is not a root authority",
                    file,
                    "a store for timestamps holds roots only",
                )
            if not is_root and not _is_authority(certificate):
                raise _bad(
                    f"{name_of(certificate)} is neither an authority nor self-signed",
                    file,
                    "trust the certificate that issued it and name the signer as identity",
                )
        certificates.extend(read)
    if not certificates or len(certificates) > _MOST_FILES:
        raise _bad("the trust store holds no certificates, or too many", place, "put its root certificates there")
    return certificates


def _split(store_name: str) -> tuple[StoreType, str]:
    kind, _, name = store_name.partition(":")
    if kind not in list(StoreType) or not _NAME.fullmatch(name) or not name.strip("."):
        raise _bad(f"{store_name!r} is no trust store", "", "write ca:NAME, signingAuthority:NAME or tsa:NAME")
    return StoreType(kind), name


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_LARGEST + 1)


def _read(content: bytes) -> tuple[x509.Certificate, ...]:
    if _PEM in content:
        return read_pem(content)
    return tuple(read_certificate(one.encoded) for one in Parts(content).rest())


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _bad(fault: str, place: str, advice: str) -> Failure:
    return Failure(Trouble.MALFORMED, fault, where=place, advice=advice)
