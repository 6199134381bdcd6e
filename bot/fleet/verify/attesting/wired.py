"""The stage `attest` in the service: statements of what was proved, beside the images."""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from bot.clients.registry import Registry
from bot.domain.reference import Base
from bot.fleet.stage import Bot, Part, Stage, TickOutcome
from bot.fleet.verify.attesting.attachment import Attachment
from bot.fleet.verify.attesting.rows import attestations
from bot.fleet.verify.attesting.summary import Verifier
from bot.settings import BadSettings, Settings, secret

if TYPE_CHECKING:
    from bot.clients.registry.attaching import Attaching


@dataclass(frozen=True, slots=True)
class Attacher:
    """Registries as attesting knows them."""

    attaching: "Attaching"

    async def attach(self, place: Base, digest: str, envelope: bytes, verifier: str, predicate_type: str) -> None:
        subject = await self.attaching.subject(place, digest)
        await self.attaching.put(place, Attachment(subject, envelope, verifier, predicate_type))


def attesting_of(settings: Settings, registry: Registry) -> tuple[Attacher, Verifier] | None:
    """Opens what signs statements; None where none are wanted; raises `BadSettings` for a key that cannot sign."""
    from bot.fleet.verify.attesting.attachment import entries_of
    from bot.fleet.verify.attesting.summary import NoSigningKey, signing_key
    from bot.fleet.wiring.registries.accesses import push_access

    attest = settings.images.attest
    if attest is None:
        return None
    # oras takes a third of a second to import.
    from bot.clients.registry.attaching import Attaching

    purpose = "images.attest.key_file"
    try:
        key = signing_key(secret(attest.key_file, purpose))
    except NoSigningKey as error:
        raise BadSettings([f"{purpose}: {attest.key_file} {error}"]) from None
    pushes = {host: push_access(host, settings) for host in settings.registries}
    return Attacher(Attaching(registry, pushes, entries_of)), Verifier(attest.verifier, key)


ATTESTING = Part(lambda bot: attesting_of(bot.settings, bot.registry))
"""None where nothing is to be attested."""


async def attest(bot: Bot) -> TickOutcome:
    from bot.fleet.verify.attesting.rows import AttestingStore
    from bot.fleet.verify.attesting.tick import tick

    attesting = bot[ATTESTING]
    if attesting is None:
        return TickOutcome()
    attacher, verifier = attesting
    tally = await tick(bot.stores[AttestingStore], attacher, verifier, bot.loop)
    return TickOutcome({"attached": tally.attached}, list(tally.problems))


STAGE = Stage("attest", attest, timedelta(seconds=30), claims=(attestations,), parts=(ATTESTING,))
