"""Chains of X.509 certificates as the Notary Project and RFC 3161 require them, on any path from leaf to root.

Source: "Certificate Requirements" of the Notary Project's signature specification. Only basic constraints, key
usage and extended key usage are honoured, as it says.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from typing import TypeVar

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from bot.images.signatures.certificates import (
    fingerprint,
    is_issued_by,
    is_self_signed,
    is_valid_at,
    name_of,
    signing_algorithm,
)
from bot.images.signatures.verdict import Refused

E = TypeVar("E", bound=x509.ExtensionType)

_LONGEST_PATH = 10
_NOT_FOR_CODE_SIGNING = {
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE: "any purpose",
    ExtendedKeyUsageOID.SERVER_AUTH: "server authentication",
    ExtendedKeyUsageOID.CLIENT_AUTH: "client authentication",
    ExtendedKeyUsageOID.EMAIL_PROTECTION: "email protection",
    ExtendedKeyUsageOID.TIME_STAMPING: "time stamping",
    ExtendedKeyUsageOID.OCSP_SIGNING: "OCSP signing",
}
_FOR_TIMESTAMPS = {ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}


def check_signing_chain(chain: Sequence[x509.Certificate]) -> None:
    """Refuses a chain that may not sign code. Time and trust are checked elsewhere."""
    _check_issuance(chain)
    _check_code_signing_leaf(chain[0])
    for below, certificate in enumerate(chain[1:]):
        check_authority(certificate, below, needs_critical_usage=True)


def check_timestamping_chain(chain: Sequence[x509.Certificate]) -> None:
    """Refuses a chain that may not sign timestamps. Time and trust are checked elsewhere."""
    _check_issuance(chain)
    leaf = chain[0]
    _check_leaf(leaf, needs_critical_usage=False)
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    if purposes is None or list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING] or not purposes.critical:
        raise Refused(f"{name_of(leaf)} may not sign timestamps: its one purpose must be that, and critical")
    for below, certificate in enumerate(chain[1:]):
        check_authority(certificate, below, needs_critical_usage=False)
        allowed = _extension(certificate, x509.ExtendedKeyUsage)
        if allowed is not None and not _FOR_TIMESTAMPS & set(allowed.value):
            raise Refused(f"{name_of(certificate)} may not stand above a signer of timestamps")


def check_authority(certificate: x509.Certificate, below: int, *, needs_critical_usage: bool) -> None:
    """Refuses a certificate that may not issue others, with `below` authorities between it and the leaf."""
    name = name_of(certificate)
    constraints = _extension(certificate, x509.BasicConstraints)
    if constraints is None or not constraints.critical or not constraints.value.ca:
        raise Refused(f"{name} is not marked as a certificate authority")
    if constraints.value.path_length is not None and constraints.value.path_length < below:
        raise Refused(f"{name} allows a chain of {constraints.value.path_length} authorities below it, not {below}")
    if not _usage(certificate, needs_critical=needs_critical_usage).key_cert_sign:
        raise Refused(f"{name} may not sign certificates")


def find_path(
    leaf: x509.Certificate,
    others: Iterable[x509.Certificate],
    roots: Sequence[x509.Certificate],
    moment: datetime,
) -> tuple[x509.Certificate, ...]:
    """The shortest path from the leaf to a trusted root on which every certificate is valid at one moment.

    Refuses where there is none. Cross-signed authorities give several paths; looked at are those of at most ten
    certificates.
    """
    trusted = {fingerprint(root) for root in roots}
    authorities = {fingerprint(one): one for one in (*roots, *others)}
    paths: list[tuple[x509.Certificate, ...]] = [(leaf,)] if is_valid_at(leaf, moment) else []
    if not paths:
        raise Refused(f"{name_of(leaf)} was not valid at {moment:%Y-%m-%dT%H:%M:%SZ}")
    for _ in range(_LONGEST_PATH):
        for path in paths:
            if fingerprint(path[-1]) in trusted:
                return path
        paths = [
            (*path, authority)
            for path in paths[:_LONGEST_PATH]
            for authority in authorities.values()
            if authority.subject == path[-1].issuer
            and authority not in path
            and is_valid_at(authority, moment)
            and is_issued_by(path[-1], authority)
        ]
    raise Refused(f"{name_of(leaf)} does not lead to a trusted root")


def _check_issuance(chain: Sequence[x509.Certificate]) -> None:
    if not chain:
        raise Refused("the certificate chain is empty")
    for certificate, issuer in pairwise(chain):
        if is_self_signed(certificate):
            raise Refused(f"{name_of(certificate)} is self-signed, and yet certificates follow it in the chain")
        if not is_issued_by(certificate, issuer):
            raise Refused(
                f"{name_of(certificate)} is not issued by {name_of(issuer)}, which follows it in the chain"
            )
    if not is_self_signed(chain[-1]):
        raise Refused(f"the chain must end with a self-signed root, and {name_of(chain[-1])} is none")


def _check_code_signing_leaf(leaf: x509.Certificate) -> None:
    _check_leaf(leaf, needs_critical_usage=True)
    purposes = _extension(leaf, x509.ExtendedKeyUsage)
    for purpose in purposes.value if purposes is not None else ():
        if purpose in _NOT_FOR_CODE_SIGNING:
            raise Refused(f"{name_of(leaf)} is meant for {_NOT_FOR_CODE_SIGNING[purpose]}, not for signing code")


def _check_leaf(leaf: x509.Certificate, *, needs_critical_usage: bool) -> None:
    constraints = _extension(leaf, x509.BasicConstraints)
    if constraints is not None and constraints.value.ca:
        raise Refused(f"{name_of(leaf)} is a certificate authority and may not sign itself")
    usage = _usage(leaf, needs_critical=needs_critical_usage)
    others = (
        usage.key_encipherment,
        usage.data_encipherment,
        usage.key_agreement,
        usage.key_cert_sign,
        usage.crl_sign,
        usage.key_agreement and usage.encipher_only,
        usage.key_agreement and usage.decipher_only,
    )
    if not usage.digital_signature or any(others):
        raise Refused(f"the key usage of {name_of(leaf)} must be digital signatures and nothing else")
    signing_algorithm(leaf)


def _usage(certificate: x509.Certificate, *, needs_critical: bool) -> x509.KeyUsage:
    usage = _extension(certificate, x509.KeyUsage)
    if usage is None or (needs_critical and not usage.critical):
        raise Refused(f"{name_of(certificate)} does not say what its key may be used for, as a critical extension")
    return usage.value


def _extension(certificate: x509.Certificate, kind: type[E]) -> x509.Extension[E] | None:
    try:
        return certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None
