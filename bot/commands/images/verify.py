"""One image, judged by the settings: who signed it, who built it, and whether it stands on what its base shows."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.commands.images.registry_image import opened_registries
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.images.answers import (
    ImageAnswer,
    ImageQuestion,
    about_freshness,
    about_gate,
    about_provenance,
    about_signature,
    all_hold,
)
from bot.domain.images.claims import of_tag
from bot.domain.images.image import Builder, ProducedImage
from bot.domain.images.named_bases import NOTHING_NAMED, NamedBases
from bot.domain.images.standing import ImageStanding, behind_since
from bot.domain.images.trust import Trust, TrustMode
from bot.domain.packages.gate import Gated, GateOutcome, worst_gated
from bot.domain.reference import Base, InvalidReference, Reference
from bot.fleet.verify.gating.judging import judge_images
from bot.fleet.verify.gating.rows import GatingStore
from bot.fleet.verify.images.judging import Observed, read_and_judge
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.wiring.gate import gate_options_of
from bot.fleet.wiring.grants import forge_host
from bot.fleet.wiring.registries.beside import VexBeside
from bot.fleet.wiring.registries.images import RegistryImages
from bot.fleet.wiring.registries.trust import Trusting, builder_doubt
from bot.images.trust.collecting import LookedOnce
from bot.images.vex.attached import AttachedVex
from bot.service.opened_stores import opened_stores
from bot.settings import Settings
from bot.settings.sections.trust import TrustRuleSettings
from bot.store.stores import Stores

_HOLDS, _DOES_NOT_HOLD, _CANNOT_TELL = 0, 1, 3
_TOLD = {_HOLDS: "holds", _DOES_NOT_HOLD: "does not hold", _CANNOT_TELL: "cannot tell"}
_EXIT_CODES = {True: _HOLDS, False: _DOES_NOT_HOLD, None: _CANNOT_TELL}
_WORDS = {holds: _TOLD[code] for holds, code in _EXIT_CODES.items()}


@dataclass(frozen=True, slots=True)
class JudgedImage:
    """What was found of one digest, and the answer to each question that is asked of it. `trust` is None where no
    rule asks for a signature."""

    image: Base
    digest: str
    standings: tuple[ImageStanding, ...]
    trust: Trust | None
    answers: tuple[ImageAnswer, ...]
    at: datetime
    builder: Builder | None = None
    vex: tuple[AttachedVex, ...] = ()
    """What the registry keeps beside it, where the gate asks something of it."""

    @property
    def exit_code(self) -> int:
        """0 where all that counts holds, 1 where something does not, 3 where that cannot be told."""
        return _EXIT_CODES[all_hold(self.answers)]

    def lines(self) -> list[str]:
        """Words the verdict, a line for each answer and each platform."""
        lines = [f"{_TOLD[self.exit_code]}: {self.image}@{self.digest}"]
        for answer in self.answers:
            apart = "" if answer.counts else " (told only)"
            lines.append(f"  {answer.question}: {_WORDS[answer.holds]}{apart}: {answer.told}")
        lines += [f"  VEX document, {each}" for each in self.vex]
        return [*lines, *(f"  {each.platform} {_stands(each)}{each.told(self.at)}" for each in self.standings)]

    def as_json(self) -> dict[str, Any]:
        """Gives it as plain JSON values."""
        return {
            "image": str(self.image),
            "digest": self.digest,
            "verdict": _TOLD[self.exit_code],
            "trusted": None if self.trust is None else self.trust.holds,
            "trust": None if self.trust is None else self.trust.text,
            "answers": [
                {"question": answer.question, "holds": answer.holds, "counts": answer.counts, "told": answer.told}
                for answer in self.answers
            ],
            "builder": None if self.builder is None else asdict(self.builder),
            "vex": [
                {
                    "document": vex_document.document,
                    "strength": vex_document.strength.value,
                    "heeded": vex_document.is_heeded,
                    "told": vex_document.told,
                    "statements": len(vex_document.statements),
                    "problem": vex_document.problem or None,
                }
                for vex_document in self.vex
            ],
            "behind_since": behind_since(self.standings),
            "platforms": [
                {
                    "platform": standing.platform,
                    "base": str(standing.base) if standing.base else None,
                    "strength": standing.strength.value,
                    "told": standing.told(self.at),
                }
                for standing in self.standings
            ],
        }


def _stands(standing: ImageStanding) -> str:
    return "" if standing.unjudged else "stands on "


async def judge_image(settings: Settings, name: str, clock: Clock) -> JudgedImage:
    """Asks the registry for the image and its signatures, and the store for what bases have shown.

    Raises `Failure` where either does not answer.
    """
    try:
        reference = Reference.parse(name)
    except InvalidReference as error:
        advice = "write registry/name:tag or registry/name@digest"
        raise Failure(Trouble.MALFORMED, str(error), advice=advice) from None
    place = reference.base
    async with opened_stores(settings, clock) as stores, opened_registries(settings, clock) as registry:
        digest = reference.digest or (await registry.head(place)).digest
        beside, forge = LookedOnce(registry, clock), forge_host(settings.github.api_url)
        images = RegistryImages(
            registry, beside, stores[WatchStore], stores[ImagesStore], clock, settings.trust, forge
        )
        produced = await stores[ImagesStore].images_named(place.registry, place.repository)
        observed = Observed(settings.images.judged_platforms())
        await observed.catch_up(stores[ImagesStore])
        named_bases = await _named_bases(stores[ImagesStore], produced, place.tag)
        look = await read_and_judge(place, digest, named_bases, stores[ImagesStore], images, observed)
        image, standings = look.image, look.standings
        rule = settings.trust.rule_for(place.name)
        trust = await Trusting(settings, beside, stores[WatchStore], clock).trust(place, digest)
        is_required = rule is not None and rule.mode is TrustMode.REQUIRE
        vex = VexBeside(beside, settings.trust, clock)
        answers = (
            about_signature(trust, is_required=is_required),
            about_builder(image.builder, produced, rule, unseen=image.unseen),
            about_freshness(standings),
            about_gate(await _gated(stores, settings, place, digest, produced, vex)),
        )
        is_gated = gate_options_of(settings).rule_for(place.name) is not None
        digests = dict.fromkeys((digest, *(each.digest for each in image.platforms)))
        documents = await vex.documents(place, digests) if is_gated else ()
        return JudgedImage(place, digest, standings, trust, answers, clock.now(), image.builder, tuple(documents))


async def _gated(
    stores: Stores, settings: Settings, place: Base, digest: str, produced: Sequence[ProducedImage], vex: VexBeside
) -> Gated | None:
    """What the gate says of that digest, which is something only of what the service has seen."""
    options = gate_options_of(settings)
    matched = options.rule_for(place.name)
    if matched is None:
        return None
    images = [image for image in produced if image.digest == digest]
    if not images:
        gap = "the service has not seen this digest as an image of the fleet"
        return Gated(matched.rule.mode, GateOutcome.UNKNOWN, gaps=(gap,))
    judged = await judge_images(stores[GatingStore], images, options, vex.clock.now(), adopts=True, vex=vex)
    return worst_gated([each.gated for each in judged.values() if each.gated is not None])


def about_builder(
    builder: Builder | None, produced: Sequence[ProducedImage], rule: TrustRuleSettings | None, *, unseen: str = ""
) -> ImageAnswer:
    """The answer about provenance; a level that the rule requires and that is not proved does not hold."""
    is_required = rule is not None and rule.mode is TrustMode.REQUIRE
    producers = {each.repository for each in produced}
    answer = about_provenance(builder, producers, is_required=is_required, unseen=unseen)
    lacking = builder_doubt(builder, rule.slsa_level if rule is not None else None, unseen)
    if lacking is None or answer.holds is False:
        return answer
    return ImageAnswer(ImageQuestion.PROVENANCE, None if builder is None else False, lacking, counts=is_required)


async def _named_bases(store: ImagesStore, produced: Sequence[ProducedImage], tag: str) -> NamedBases:
    """The bases that the files of its repository name; none where it is not known which repository that is."""
    if len({each.repository_id for each in produced}) != 1:
        return NOTHING_NAMED
    image = of_tag(tag, {each.claim.tag.text: each for each in produced})
    return await store.named_bases(image) if image is not None else NOTHING_NAMED
