"""The trust settings as what judges digests at their registries."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.domain.bases.image import Index, read_document
from bot.domain.bases.incident import Incident
from bot.domain.clock import Clock
from bot.domain.images.image import Builder, SeenImage
from bot.domain.images.trust import Lack, Trust, TrustMode
from bot.domain.log import log
from bot.domain.reference import Base
from bot.domain.wording.words import duration
from bot.fleet.stage import Part
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.wiring.registries.trusted import trusted_by
from bot.images.signatures.verdict import Remembered
from bot.images.trust.collecting import SignaturesPort, signatures_of
from bot.images.trust.judging import Trusted, judge_trust
from bot.settings import Settings

SUBJECT = "trust:"
_ISOLATED = 3
"""The SLSA build level of a builder that is isolated from its caller."""
_MCR = "mcr.microsoft.com"
_ASK_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class _JudgedDigest:
    """What was told of a digest at one moment, under one mark of who is trusted."""

    trust: Trust
    judged_at: datetime
    mark: str

    def counts(self, now: datetime, mark: str) -> bool:
        """Whether it would be told again: what holds until it ends, anything else for a moment."""
        until = self.trust.until if self.trust.holds else self.judged_at + _ASK_AGAIN
        return self.mark == mark and self.judged_at <= now and (until is None or now < until)


@dataclass(slots=True)
class Trusting:
    """Judges by the first rule that fits a name. What holds is remembered until it ends or others are trusted;
    what does not is asked for again."""

    settings: Settings
    registry: SignaturesPort
    store: WatchStore
    clock: Clock
    _remembered: Remembered = field(default_factory=Remembered)
    _judged: dict[tuple[str, str, bool], _JudgedDigest] = field(default_factory=dict)

    async def trust(self, base: Base, digest: str, *, of_base: bool = False) -> Trust | None:
        """What the signatures of an index and of each image in it show; None where no rule asks for any.

        Of an image of the fleet every entry counts that the operator does not leave out, of a base those that the
        fleet may build on: Microsoft's indexes list Windows beside Linux.

        Raises `Failure` where the registry does not say, or where what is trusted cannot be read.
        """
        rule = self.settings.trust.rule_for(base.name)
        if rule is None:
            return None
        key, trusted, now = (base.name, digest, of_base), trusted_by(self.settings.trust, rule), self.clock.now()
        before = self._judged.get(key)
        if before is not None and before.counts(now, trusted.name):
            return before.trust
        trust = await self._judge(base, digest, trusted, now, of_base=of_base)
        self._judged[key] = _JudgedDigest(trust, now, trusted.name)
        return trust

    async def _judge(self, base: Base, digest: str, trusted: Trusted, now: datetime, *, of_base: bool) -> Trust:
        """Index and images each have signatures of their own; the worst counts, and the first to end."""
        document = read_document(
            await self.registry.manifest(base.registry, base.repository, digest), f"{base}@{digest[:19]}…"
        )
        digests = [digest]
        if isinstance(document, Index):
            entries = document.images() if of_base else document.every_image()
            digests += [entry.digest for entry in entries if self.settings.images.judges(entry.platform)]
        verdicts: list[Trust] = []
        for image_digest in digests:
            signatures = await signatures_of(self.registry, base.registry, base.repository, image_digest)
            verdicts.append(judge_trust(signatures, trusted, image_digest, now, self._remembered))
        worst = next((trust for trust in verdicts if not trust.holds), verdicts[0])
        ends = [trust.until for trust in verdicts if trust.until is not None]
        return replace(worst, until=min(ends, default=None))

    async def doubt(self, base: Base, digest: str, since: datetime) -> str | None:
        """For `act`: why nothing may be built on a digest. What stays unsigned beyond the grace is an incident."""
        rule = self.settings.trust.rule_for(base.name)
        if rule is None:
            return None
        trust = await self.trust(base, digest, of_base=True)
        assert trust is not None, "a rule asks for it"
        subject = f"{SUBJECT}{base}"
        if trust.holds:
            await self._clear_incident(subject)
            return None
        reason = f"{base.short}@{digest[:19]}… is not trusted: {trust.text}"
        grace = self.settings.trust.grace
        is_over = trust.is_there or self.clock.now() - since > grace
        if is_over:
            await self._open_incident(subject, f"{reason}{_advice(base, trust)}")
        if rule.mode is TrustMode.WARN:
            return None
        return reason if is_over else f"{reason}; waited for up to {duration(grace)}"

    def requires(self, name: str) -> bool:
        """Tells whether a rule demands anything of `registry/name`."""
        rule = self.settings.trust.rule_for(name)
        return rule is not None and rule.mode is TrustMode.REQUIRE

    async def lack(self, place: Base, image: SeenImage) -> Lack | None:
        """For `prove`: what an image that was built lacks of what its rule requires; None where it lacks nothing.

        Raises `Failure` where the registry does not say.
        """
        rule = self.settings.trust.rule_for(place.name)
        if rule is None or rule.mode is not TrustMode.REQUIRE:
            return None
        trust = await self.trust(place, image.digest)
        image_text = f"{place.short}@{image.digest[:19]}…"
        if trust is not None and not trust.holds:
            reason = f"built, but {image_text} lacks the signature that trust.rules require: {trust.text}"
            return Lack(f"{reason}; have its build sign what it pushes, as the rule names it", not trust.is_there)
        doubt = builder_doubt(image.builder, rule.slsa_level, image.unseen)
        return None if doubt is None else Lack(f"built, but {image_text}: {doubt}", image.builder is None)

    async def _open_incident(self, subject: str, detail: str) -> None:
        open_incidents = await self.store.open_incidents(subject)
        if not any(each.subject == subject for each in open_incidents):
            log.warning("not trusted", detail=detail)
            await self.store.save_incidents([Incident(subject, self.clock.now(), detail)], ())

    async def _clear_incident(self, subject: str) -> None:
        incidents = [each for each in await self.store.open_incidents(subject) if each.subject == subject]
        if incidents:
            await self.store.save_incidents((), incidents)


def builder_doubt(builder: Builder | None, level: int | None, unseen: str = "") -> str | None:
    """Why an image does not have the SLSA build level that is required, None where it has; cannot tell is not
    valid. `unseen` tells where more is attached than was looked at."""
    if level is None or (builder is not None and builder.supports(level)):
        return None
    requirement = f"SLSA build level {level} is required"
    if builder is None:
        cause = "which cannot be told: it has no provenance that is signed by whom trust.rules name"
        doubt = f"{requirement}, {cause}; attest its build (actions/attest, or the SLSA generator)"
        return f"{doubt}; or look among the rest: {unseen}" if unseen else doubt
    advice = "build it where its caller cannot reach in, and name that under trust.isolated_builders"
    return f"{requirement}, and it is {builder.told}; {advice if level >= _ISOLATED else 'attest its build'}"


def _advice(base: Base, trust: Trust) -> str:
    if not trust.is_there and base.registry != _MCR:
        return f"; not mirrored, perhaps: verify at {_MCR} by the same digest"
    return "; look who published it before anything is built on it"


TRUSTING = Part(lambda bot: Trusting(bot.settings, bot.registry, bot.stores[WatchStore], bot.clock))
