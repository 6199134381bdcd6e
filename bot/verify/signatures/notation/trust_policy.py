"""Notation's own trust policy document: whom to trust for which repositories.

Source: "Trust policy" of the Notary Project. Vendors publish such documents, as Microsoft does for the .NET images.
"""

import re
from dataclasses import dataclass
from typing import Any

from bot.domain.failure import Failure, Trouble
from bot.verify.signatures.notation.names import TrustedIdentity, read_identities
from bot.verify.signatures.notation.verifying import WhenTimestamped
from bot.verify.signatures.strictly import member, read_object
from bot.verify.signatures.verdict import Refused

_LARGEST = 1024 * 1024
_VERSION = "1.0"
_LEVELS = frozenset({"strict", "permissive", "audit", "skip"})
_STORE = re.compile(r"(ca|signingAuthority|tsa):[A-Za-z0-9_.-]+", re.ASCII)
_EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class TrustStatement:
    """What holds for the repositories in its scope."""

    name: str
    scopes: tuple[str, ...]
    """Repositories with their registry, or `*` alone."""
    level: str
    stores: tuple[str, ...]
    identities: tuple[TrustedIdentity, ...]
    timestamp: WhenTimestamped


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """All statements of a document; a repository is in the scope of one at most."""

    statements: tuple[TrustStatement, ...]

    def applying_to(self, repository: str) -> TrustStatement | None:
        """The statement that names the repository, else the one for all; nothing where neither is there."""
        named = (statement for statement in self.statements if repository in statement.scopes)
        everywhere = (statement for statement in self.statements if _EVERYWHERE in statement.scopes)
        return next(named, None) or next(everywhere, None)


def read_trust_policy(text: bytes, *, where: str = "") -> TrustPolicy:
    """The document `trustpolicy.json`. Raises `Failure` for one that Notation would not take either."""
    try:
        document = read_object(text, "the trust policy", limit=_LARGEST)
        if document.get("version") != _VERSION:
            raise Refused(f"its version is not {_VERSION}")
        statements = tuple(
            _read_statement(one) for one in member(document, "trustPolicies", list, "the trust policy")
        )
        _check_scopes(statements)
    except Refused as refused:
        raise Failure(
            Trouble.MALFORMED,
            f"the trust policy cannot be used: {refused.what}",
            where=where,
            advice=refused.advice or "see the Notary Project's trust policy specification",
        ) from None
    return TrustPolicy(statements)


def _read_statement(found: Any) -> TrustStatement:
    name = member(found, "name", str, "a statement")
    verification = member(found, "signatureVerification", dict, f"the statement {name!r}")
    level = member(verification, "level", str, f"the statement {name!r}")
    if level not in _LEVELS:
        raise Refused(f"the level {level[:40]!r} is not known", advice=f"known: {', '.join(sorted(_LEVELS))}")
    timestamp = verification.get("verifyTimestamp", WhenTimestamped.ALWAYS)
    if timestamp not in list(WhenTimestamped):
        raise Refused(f"verifyTimestamp of {name!r} must be always or afterCertExpiry")
    needs_trust = level != "skip"
    stores = _texts(found, "trustStores", name, is_needed=needs_trust)
    for store in stores:
        if not _STORE.fullmatch(store):
            raise Refused(
                f"{store[:80]!r} is no trust store", advice="write ca:NAME, signingAuthority:NAME or tsa:NAME"
            )
    return TrustStatement(
        name=name,
        scopes=_texts(found, "registryScopes", name, is_needed=True),
        level=level,
        stores=stores,
        identities=read_identities(_texts(found, "trustedIdentities", name, is_needed=needs_trust)),
        timestamp=WhenTimestamped(timestamp),
    )


def _texts(found: dict[str, Any], name: str, statement: str, *, is_needed: bool) -> tuple[str, ...]:
    listed = found.get(name, [])
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise Refused(f"{name} of {statement!r} is not a list of texts")
    if is_needed and not listed:
        raise Refused(f"{name} of {statement!r} is empty")
    return tuple(listed)


def _check_scopes(statements: tuple[TrustStatement, ...]) -> None:
    names = [statement.name for statement in statements]
    scopes = [scope for statement in statements for scope in statement.scopes]
    if not statements:
        raise Refused("it has no statements")
    for what, listed in (("statement", names), ("scope", scopes)):
        twice = next((one for one in listed if listed.count(one) > 1), None)
        if twice is not None:
            raise Refused(f"the {what} {twice!r} is there more than once")
    for statement in statements:
        if _EVERYWHERE in statement.scopes and len(statement.scopes) > 1:
            raise Refused(f"the scope of {statement.name!r} is * and more")
