"""Distinguished names as RFC 4514 writes them, and whether one is part of another.

Source: "Trusted identities constraints" of the Notary Project: C, ST and O must be there, `S` is another name of
`ST`, no attribute comes twice, and no relative name holds several.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import permutations

from cryptography import x509
from cryptography.x509.oid import NameOID

from bot.images.signatures.verdict import Refused

_LONGEST = 1024
_MANDATORY = ("C", "ST", "O")
_ALIASES = {"S": "ST"}
_SHORT = {
    NameOID.COMMON_NAME: "CN",
    NameOID.COUNTRY_NAME: "C",
    NameOID.DOMAIN_COMPONENT: "DC",
    NameOID.LOCALITY_NAME: "L",
    NameOID.ORGANIZATION_NAME: "O",
    NameOID.ORGANIZATIONAL_UNIT_NAME: "OU",
    NameOID.POSTAL_CODE: "POSTALCODE",
    NameOID.SERIAL_NUMBER: "SERIALNUMBER",
    NameOID.STATE_OR_PROVINCE_NAME: "ST",
    NameOID.STREET_ADDRESS: "STREET",
    NameOID.USER_ID: "UID",
}
_TYPE = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*|[0-9]+(?:\.[0-9]+)*)\s*=")
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_PREFIX = "x509.subject:"


@dataclass(frozen=True, slots=True)
class TrustedIdentity:
    """A signer that is trusted: any subject with at least these attributes. Without attributes, anybody."""

    attributes: tuple[tuple[str, str], ...] = ()

    @property
    def is_anybody(self) -> bool:
        return not self.attributes

    def covers(self, subject: Mapping[str, str]) -> bool:
        return all(subject.get(name) == value for name, value in self.attributes)

    def __str__(self) -> str:
        return ",".join(f"{name}={value}" for name, value in self.attributes) or "*"


def read_identity(text: str) -> TrustedIdentity:
    """An identity of a trust policy: `*`, or `x509.subject:` and a distinguished name."""
    if text.strip() == "*":
        return TrustedIdentity()
    if not text.startswith(_PREFIX):
        raise Refused(
            f"{text!r} is no trusted identity", advice="write * or x509.subject: CN=…,O=…,ST=…,C=… (RFC 4514)"
        )
    name = read_name(text.removeprefix(_PREFIX))
    missing = [attribute for attribute in _MANDATORY if attribute not in name]
    if missing:
        raise Refused(
            f"the identity {text!r} lacks {' and '.join(missing)}", advice="C, ST (or S) and O must be there"
        )
    return TrustedIdentity(tuple(sorted(name.items())))


def read_identities(texts: Iterable[str]) -> tuple[TrustedIdentity, ...]:
    """The identities of a trust policy; refuses such as overlap, as a signer must be trusted by one only."""
    identities = tuple(read_identity(text) for text in texts)
    for one, other in permutations(identities, 2):
        if one.is_anybody:
            raise Refused("the identity * stands beside others", advice="leave out the others, or the *")
        if set(one.attributes) <= set(other.attributes):
            raise Refused(f"the identity {one} covers {other} as well", advice="leave out one of both")
    return identities


def read_name(text: str) -> dict[str, str]:
    """The attributes of a distinguished name by their types in capitals, `S` as `ST`."""
    if len(text) > _LONGEST:
        raise Refused(f"a distinguished name is longer than {_LONGEST} characters")
    pairs: list[tuple[str, str]] = []
    place = 0
    while True:
        match = _TYPE.match(text, place)
        if match is None:
            raise Refused(f"the distinguished name {text.strip()!r} cannot be read", advice="see RFC 4514")
        value, place = _read_value(text, match.end())
        pairs.append((match[1], value))
        if place >= len(text):
            return _once(pairs)
        if text[place] == "+":
            raise Refused(f"the distinguished name {text.strip()!r} has several attributes in one relative name")
        place += 1


def subject_of(certificate: x509.Certificate) -> dict[str, str]:
    """The attributes of a certificate's subject, as `read_name` gives them."""
    if any(len(list(relative)) != 1 for relative in certificate.subject.rdns):
        raise Refused("the subject has several attributes in one relative name")
    return _once(
        (_SHORT.get(attribute.oid, attribute.oid.dotted_string), attribute.value)
        for attribute in certificate.subject
        if isinstance(attribute.value, str)
    )


def _once(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for kind, value in pairs:
        name = _ALIASES.get(kind.upper(), kind.upper())
        if name in attributes:
            raise Refused(f"the distinguished name has {name} more than once")
        attributes[name] = value
    return attributes


def _read_value(text: str, place: int) -> tuple[str, int]:
    """An attribute's value from here on, and where it ends: at a comma, a plus or the end."""
    while place < len(text) and text[place] == " ":
        place += 1
    if text.startswith("#", place):
        raise Refused("values in hexadecimal (=#…) are not supported in an identity")
    is_quoted = text.startswith('"', place)
    place += is_quoted
    value = bytearray()
    end = 0
    while place < len(text) and (is_quoted or text[place] not in ",+"):
        character = text[place]
        if character == "\\":
            taken, width = _escaped(text, place)
            value += taken
            end = len(value)
            place += width
            continue
        if character == '"' and is_quoted:
            return _decoded(value), _end_of_quoted(text, place + 1)
        if character in '";<>\0' and not is_quoted:
            raise Refused(f"{character!r} must be escaped in a distinguished name", advice="see RFC 4514")
        value += character.encode()
        if character != " " or is_quoted:
            end = len(value)
        place += 1
    if is_quoted:
        raise Refused("a quoted value in a distinguished name does not end")
    return _decoded(value[:end]), place


def _escaped(text: str, place: int) -> tuple[bytes, int]:
    pair = _HEX.match(text, place + 1)
    if pair is not None:
        return bytes.fromhex(pair[0]), 3
    if place + 1 < len(text) and text[place + 1] in ' "#+,;<=>\\':
        return text[place + 1].encode(), 2
    raise Refused("an escape in a distinguished name cannot be read", advice="see RFC 4514")


def _end_of_quoted(text: str, place: int) -> int:
    while place < len(text) and text[place] == " ":
        place += 1
    if place < len(text) and text[place] not in ",+":
        raise Refused("something follows a quoted value in a distinguished name")
    return place


def _decoded(value: bytes | bytearray) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError:
        raise Refused("a value in a distinguished name is not UTF-8") from None
    if not text:
        raise Refused("a value in a distinguished name is empty")
    return text
