"""Whom to accept as signer: small policies that compose into larger ones."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.failure import Failure, Trouble
from bot.images.signatures.cosign.fulcio import Signer
from bot.images.signatures.verdict import Refused


class SignerPolicy(Protocol):
    """Decides about a signer that is proved already."""

    def check(self, signer: Signer) -> None:
        """Raises `Refused` for a signer that is not accepted."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know of whatever this policy accepts."""


@dataclass(frozen=True, slots=True)
class Anybody:
    """Accepts every signer. A signature then proves only that somebody signed."""

    @property
    def notes(self) -> tuple[str, ...]:
        return ("any identity is accepted: this proves that somebody signed, not who",)

    def check(self, signer: Signer) -> None:
        return


@dataclass(frozen=True, slots=True)
class SignedBy:
    """Accepts one identity, letter by letter."""

    identity: str

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def check(self, signer: Signer) -> None:
        if self.identity not in signer.identities:
            raise Refused(f"the signer is {str(signer)[:200]!r}, not {self.identity!r}")


@dataclass(frozen=True, slots=True)
class SignedByMatching:
    """Accepts identities in which a regular expression is found, as cosign does."""

    pattern: re.Pattern[str]

    @property
    def notes(self) -> tuple[str, ...]:
        if is_anchored(self.pattern.pattern):
            return ()
        return (
            f"the pattern {self.pattern.pattern!r} is not anchored: it also accepts identities around it; use ^…$",
        )

    def check(self, signer: Signer) -> None:
        if not any(self.pattern.search(identity) for identity in signer.identities):
            raise Refused(f"the signer {str(signer)[:200]!r} does not match {self.pattern.pattern!r}")


@dataclass(frozen=True, slots=True)
class VouchedForBy:
    """Accepts signers whose identity one OpenID Connect issuer vouched for."""

    issuer: str

    @property
    def notes(self) -> tuple[str, ...]:
        return ()

    def check(self, signer: Signer) -> None:
        if signer.issuer != self.issuer:
            raise Refused(f"the identity is vouched for by {signer.issuer[:200]!r}, not by {self.issuer!r}")


@dataclass(frozen=True, slots=True)
class AllOf:
    """Accepts what every one of its policies accepts; nothing where it has none."""

    policies: tuple[SignerPolicy, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note for policy in self.policies for note in policy.notes)

    def check(self, signer: Signer) -> None:
        if not self.policies:
            raise Refused("no identity is accepted")
        for policy in self.policies:
            policy.check(signer)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Accepts what at least one of its policies accepts; nothing where it has none."""

    policies: tuple[SignerPolicy, ...]

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note for policy in self.policies for note in policy.notes)

    def check(self, signer: Signer) -> None:
        reasons = []
        for policy in self.policies:
            try:
                policy.check(signer)
            except Refused as refused:
                reasons.append(refused.what)
            else:
                return
        raise Refused("; ".join(reasons) or "no identity is accepted")


def accepting(identities: Sequence[str], patterns: Sequence[str], issuer: str | None) -> SignerPolicy:
    """Accepts any of these identities or patterns, vouched for by the issuer. Raises `Failure` for a bad one."""
    signers: list[SignerPolicy] = [SignedBy(identity) for identity in identities]
    signers += [SignedByMatching(_compiled(pattern)) for pattern in patterns]
    who = AnyOf(tuple(signers)) if signers else Anybody()
    return AllOf((who, VouchedForBy(issuer))) if issuer else who


def is_anchored(pattern: str) -> bool:
    """Whether a pattern can match a whole identity only: anchored at both ends, and no alternative beside that."""
    is_open = not re.match(r"(\(\?[a-z]+\))?(\^|\\A)", pattern)
    is_closed = re.search(r"(?<!\\)(\\\\)*(\$|\\Z)$", pattern) is not None
    return not is_open and is_closed and "|" not in _outside_groups(pattern)


def _outside_groups(pattern: str) -> str:
    """Gives the pattern without what stands in groups, classes and escapes."""
    characters: list[str] = []
    depth = 0
    is_class = False
    is_escaped = False
    for character in pattern:
        if is_escaped:
            is_escaped = False
        elif character == "\\":
            is_escaped = True
        elif is_class:
            is_class = character != "]"
        elif character == "[":
            is_class = True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif depth == 0:
            characters.append(character)
    return "".join(characters)


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as error:
        raise Failure(
            Trouble.MALFORMED,
            f"the pattern {pattern[:200]!r} is no regular expression: {error}",
            advice="write it as ^…$ and escape its dots",
        ) from None
