"""Whose signatures bases and images must have."""

import re
from datetime import timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from bot.domain.images.trust import TrustMode
from bot.settings.section import Section
from bot.settings.values.numbers import WholeNumber
from bot.settings.values.texts import Name, said
from bot.settings.values.times import Duration

StoreName = Annotated[str, Field(pattern=r"^(ca|signingAuthority|tsa):[A-Za-z0-9_.-]+$", examples=["ca:contoso"])]


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text[:80]!r} is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, Field(min_length=1, max_length=1024), AfterValidator(said), AfterValidator(_pattern)]


class NotationSettings(Section):
    """Signatures of the Notary Project."""

    trust_dir: Path = Field(description="Folder with the roots, in x509/TYPE/NAME/ below it.")
    stores: list[StoreName] = Field(min_length=1, description="The stores that count, TYPE:NAME each.")
    identities: list[Name] = Field(min_length=1, description="x509.subject: and what its name must hold, or *.")


class KeylessSettings(Section):
    """Signatures of cosign without a key, in Sigstore bundles or in the older layout."""

    trusted_root: Path = Field(description="The trusted_root.json of the authorities and logs to believe.")
    issuer: Name = Field(description="Who must vouch for the signer.")
    identities: list[Name] = Field([], description="Signers, letter by letter.")
    identity_regexps: list[Pattern] = Field([], description="Signers as regular expressions; use ^…$.")

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.identities and not self.identity_regexps:
            raise ValueError("name whom to accept: identities or identity_regexps")
        return self


class TrustRuleSettings(Section):
    """Who must have signed what fits `match`. One valid signature of the kinds set is enough, no attestation."""

    match: list[Name] = Field(min_length=1, description="Globs over registry/name of bases and images.")
    mode: TrustMode = Field(TrustMode.REQUIRE, description="off, warn or require.")
    notation: NotationSettings | None = Field(None, description="A signature of the Notary Project.")
    keyless: KeylessSettings | None = Field(None, description="A keyless signature of cosign.")
    key: Path | None = Field(None, description="File with the public key of a signature of cosign.")
    slsa_level: WholeNumber | None = Field(
        None,
        ge=1,
        le=3,
        description="SLSA build level that provenance signed by keyless or key must prove of own images.",
    )

    @model_validator(mode="after")
    def _kind(self) -> Self:
        if self.mode is not TrustMode.OFF and not (self.notation or self.keyless or self.key):
            raise ValueError("say which signature counts: notation, keyless or key")
        if self.slsa_level is not None and not self.trusts_statements:
            raise ValueError("slsa_level needs keyless or key: who may sign provenance")
        return self

    @property
    def trusts_statements(self) -> bool:
        """Whether somebody is named who may sign more than the image itself, such as its provenance."""
        return self.keyless is not None or self.key is not None


class TrustSettings(Section):
    """Trust before acting. Revocation is not checked."""

    rules: list[TrustRuleSettings] = Field([], max_length=100, description="The first that matches counts.")
    grace: Duration = Field(
        timedelta(hours=1), description="How long a new digest may lack its signature before that is an incident."
    )

    isolated_builders: list[Pattern] = Field(
        [],
        max_length=100,
        description="Reusable workflows, as regular expressions over the whole of https://…/NAME.yml@REF, whose "
        "callers cannot reach into the build: SLSA build level 3.",
    )

    def rule_for(self, name: str) -> TrustRuleSettings | None:
        """The rule for `registry/name`, None where none says anything about it."""
        rule = next((rule for rule in self.rules if any(fnmatchcase(name, glob) for glob in rule.match)), None)
        return None if rule is None or rule.mode is TrustMode.OFF else rule
