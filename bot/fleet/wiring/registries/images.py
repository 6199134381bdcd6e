"""Registries as the looks at images ask for them, and what observed bases tell of the judged platforms."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from bot.clients.registry import Registry
from bot.domain.bases.image import Head
from bot.domain.bases.observation import PlatformImage
from bot.domain.clock import Clock
from bot.domain.evidence import Strength
from bot.domain.failure import Failure
from bot.domain.images.image import GITHUB, Builder, SeenImage, declared_by, repository_at_address
from bot.domain.images.named_bases import NamedBases
from bot.domain.images.standing import Declaration, Publication
from bot.domain.images.stated import Stated, stated_by_predicate
from bot.domain.reference import Base
from bot.domain.strict_json import read_strict_json
from bot.fleet.stage import Bot, Part
from bot.fleet.verify.images.judging import Observed
from bot.fleet.verify.images.ports import Below, nothing_below
from bot.fleet.verify.images.rows.images import ImagesStore
from bot.fleet.verify.images.unpacking import Allowance, content_of
from bot.fleet.watch.registry.documents import ManifestCache
from bot.fleet.watch.registry.index import MOST_PLATFORMS, ObservedPlatform
from bot.fleet.watch.registry.observe import DigestReading, read
from bot.fleet.watch.registry.rows import WatchStore
from bot.fleet.wiring.grants import forge_host
from bot.fleet.wiring.registries.beside import BESIDE
from bot.fleet.wiring.registries.trusted import trusted_by
from bot.images.provenance.attestations import Attested, attested_in, statements_in
from bot.images.provenance.signed import SignedProvenance, signed_provenance
from bot.images.provenance.slsa import read_provenance
from bot.images.provenance.statement import read_statement
from bot.images.signatures.verdict import Refused, Remembered
from bot.images.standing.declared import BASE_DIGEST, BASE_NAME, of_annotations, of_labels, of_provenance, stages_of
from bot.images.trust.collecting import CUT, LookedOnce, attestations_of
from bot.settings.sections.trust import TrustSettings

SOURCE = "org.opencontainers.image.source"
_TOLD_BY_LABELS = frozenset({BASE_DIGEST, BASE_NAME, SOURCE})
_MOST_BELOW = 4
"""Publications whose labels are read, of those that an image may stand on."""

OBSERVED = Part(lambda bot: Observed(bot.settings.images.judged_platforms()))


@dataclass(frozen=True, slots=True)
class _SignedProvenances:
    """Signed provenance by the digest of a platform; how much was not looked at, where that is so; and the mark
    of whom it was judged by."""

    by_digest: Mapping[str, Sequence[SignedProvenance]] = field(default_factory=dict)
    unseen: str = ""
    judged_by: str | None = None

    def about(self, platform: ObservedPlatform) -> Sequence[SignedProvenance]:
        return self.by_digest.get(platform.digest, ())

    @property
    def until(self) -> datetime | None:
        """The first moment at which some of it may be judged otherwise."""
        return min(
            (each.until for provenances in self.by_digest.values() for each in provenances if each.until),
            default=None,
        )


@dataclass(frozen=True, slots=True)
class RegistryImages:
    """Reads images as bases are read: documents that are kept are not fetched again."""

    registry: Registry
    beside: LookedOnce
    """The same registry, for all that has a digest or lies beside it."""
    cache: ManifestCache
    store: ImagesStore
    clock: Clock
    trust: TrustSettings = field(default_factory=TrustSettings)
    """Who may sign provenance: whom the rule for an image trusts. Of other images nobody is asked for any."""
    forge: str = GITHUB
    """The host whose repositories are the fleet's: what an image names at another is none of these."""
    _remembered: Remembered = field(default_factory=Remembered)
    _read: Allowance = field(default_factory=Allowance)

    async def head(self, base: Base) -> Head:
        return await self.registry.head(base)

    async def tags(self, registry: str, repository: str) -> Sequence[str]:
        return await self.registry.tags(registry, repository)

    def wants_provenance(self, name: str) -> bool:
        rule = self.trust.rule_for(name)
        return rule is not None and rule.trusts_statements

    async def read(
        self, place: Base, digest: str, named_bases: NamedBases, below: Below = nothing_below
    ) -> SeenImage:
        reading = await read(self.beside, self.cache, place, digest)
        platforms = reading.platforms
        images = reading.observation(place, datetime.min).platforms
        inherited, fetched = await self._inherited_labels(place, reading, named_bases.stages, below)
        provenances = await self._provenances(place, reading, named_bases.final)
        signed = await self._signed_provenances(place, reading)
        return SeenImage(
            digest,
            images,
            max(filter(None, (_moment(each.config.created) for each in platforms)), default=None),
            declared_by(
                images,
                [
                    (
                        *_proved_declarations(signed.about(each), named_bases.final),
                        *_declarations_of(each, inherited),
                        *provenances.get(each.digest, ()),
                    )
                    for each in platforms
                ],
            ),
            next((source for each in platforms if (source := _source(each, inherited, self.forge))), None),
            _builder([signed.about(each) for each in platforms]),
            signed.unseen,
            reading.not_judged,
            {**reading.fetched, **fetched},
            signed.judged_by,
            signed.until,
        )

    async def published(self, publication: Publication) -> tuple[PlatformImage | None, Mapping[str, bytes]]:
        base, digest = publication.base, publication.platform_digest
        try:
            reading = await read(self.beside, self.cache, base, digest)
        except Failure as failure:
            if failure.trouble.is_passing:
                raise
            return None, {}
        [platform, *_] = reading.observation(base, publication.at).platforms
        return platform, reading.fetched

    async def unpacked(self, place: Base, layer: str) -> str | None:
        blob = self.registry.blob(place.registry, place.repository, layer)
        return await content_of(layer, blob, self._read, self.clock.now())

    async def _inherited_labels(
        self, place: Base, reading: DigestReading, expected: Collection[Base], below: Below
    ) -> tuple[frozenset[tuple[str, str]], Mapping[str, bytes]]:
        """The labels that an image has from its bases, and the documents that were fetched for that.

        What a base showed when the image was built is asked only about an image with labels that matter and that
        none of its bases has now.
        """
        labels = set(await self._labels_of(expected))
        documents: dict[str, bytes] = {}
        own_labels = {pair for platform in reading.platforms for pair in platform.config.labels.items()} - labels
        if not any(name in _TOLD_BY_LABELS for name, _ in own_labels):
            return frozenset(labels), documents
        images = reading.observation(place, datetime.min).platforms
        publications = {each.platform_digest: each for image in images for each in below(image)}
        for publication in list(publications.values())[:_MOST_BELOW]:
            try:
                earlier = await read(self.beside, self.cache, publication.base, publication.platform_digest)
            except Failure as failure:
                if failure.trouble.is_passing:
                    raise
                continue
            documents |= earlier.fetched
            labels |= {pair for platform in earlier.platforms for pair in platform.config.labels.items()}
        return frozenset(labels), documents

    async def _labels_of(self, bases: Collection[Base]) -> frozenset[tuple[str, str]]:
        """The labels of what bases show now, which an image on them has too. Their documents are kept."""
        labels: set[tuple[str, str]] = set()
        for base, digest in (await self.store.shown_digests(bases)).items():
            reading = await read(self.beside, self.cache, base, digest)
            labels |= {pair for platform in reading.platforms for pair in platform.config.labels.items()}
        return frozenset(labels)

    async def _signed_provenances(self, place: Base, reading: DigestReading) -> _SignedProvenances:
        """The provenance about just this platform, else that about the index."""
        rule = self.trust.rule_for(place.name)
        if rule is None or not rule.trusts_statements:
            return _SignedProvenances()
        trusted, now = trusted_by(self.trust, rule), self.clock.now()
        by_digest: dict[str, tuple[SignedProvenance, ...]] = {}
        cut: list[str] = []
        for digest in dict.fromkeys((reading.digest, *(each.digest for each in reading.platforms))):
            statements = await attestations_of(self.beside, place.registry, place.repository, digest)
            cut += [each.unreadable for each in statements if each.kind == CUT]
            by_digest[digest] = signed_provenance(
                statements,
                trusted,
                digest,
                now,
                self._remembered,
                isolated=self.trust.isolated_builders,
                forge=self.forge,
            )
        of_index = by_digest[reading.digest]
        of_platforms = {each.digest: by_digest[each.digest] for each in reading.platforms}
        nearest = {digest: of_platform or of_index for digest, of_platform in of_platforms.items()}
        return _SignedProvenances(nearest, "; ".join(dict.fromkeys(cut)), trusted.name)

    async def _provenances(
        self, place: Base, reading: DigestReading, expected: Collection[Base]
    ) -> Mapping[str, tuple[Declaration, ...]]:
        """What BuildKit's attestations beside the images say, by the digest that each is about; none is signed."""
        kept_manifests = await self.cache.manifests([reading.digest])
        body = reading.fetched.get(reading.digest) or kept_manifests.get(reading.digest) or b"{}"
        declarations: dict[str, tuple[Declaration, ...]] = {}
        try:
            document = read_strict_json(body)
            attested = attested_in(document) if "manifests" in document else ()
            for statement in attested[:MOST_PLATFORMS]:
                candidates = [
                    await self._declared_in(place, blob, expected)
                    for blob in await self._statements(place, statement)
                ]
                declarations[statement.about] = tuple(
                    declaration for declaration in candidates if declaration is not None
                )
        except Refused:
            return declarations
        return declarations

    async def _statements(self, place: Base, attested: Attested) -> list[str]:
        manifest = read_strict_json(await self.beside.manifest(place.registry, place.repository, attested.digest))
        blobs = statements_in(manifest, attested.about)
        return [blob.digest for blob in blobs if stated_by_predicate(blob.predicate_type) is Stated.PROVENANCE]

    async def _declared_in(self, place: Base, blob: str, expected: Collection[Base]) -> Declaration | None:
        statement = read_statement(await self.beside.config(place.registry, place.repository, blob))
        return of_provenance(read_provenance(statement), expected, is_verified=False)


def _declarations_of(platform: ObservedPlatform, inherited: Collection[tuple[str, str]]) -> tuple[Declaration, ...]:
    declarations = (of_annotations(platform.manifest.annotations), of_labels(platform.config.labels, inherited))
    return tuple(each for each in declarations if each is not None)


def _proved_declarations(signed: Sequence[SignedProvenance], expected: Collection[Base]) -> tuple[Declaration, ...]:
    proved = [each.provenance for each in signed if each.builder.strength is Strength.PROVED]
    declarations = (of_provenance(each, expected, is_verified=True) for each in proved)
    stages = (stage for each in proved for stage in stages_of(each))
    return (*(each for each in declarations if each is not None), *stages)


def _builder(signed: Sequence[Sequence[SignedProvenance]]) -> Builder | None:
    """Judges who built the whole: of each platform the best that is proved, of those the least. None where signed
    provenance is missing for one, or they were built from several sources."""
    best = [
        max((each.builder for each in provenances), key=lambda each: (each.strength is Strength.PROVED, each.level))
        for provenances in signed
        if provenances
    ]
    if not best or len(best) < len(signed) or len({each.repository for each in best}) > 1:
        return None
    return min(best, key=lambda each: (each.strength is Strength.PROVED, each.level))


def _source(platform: ObservedPlatform, inherited: Collection[tuple[str, str]], forge: str) -> str | None:
    """`owner/name` of the repository that an image names as its source; None where it is no address of one."""
    own_labels = {name: value for name, value in platform.config.labels.items() if (name, value) not in inherited}
    texts: Mapping[str, str] = {**own_labels, **platform.manifest.annotations}
    return repository_at_address(texts.get(SOURCE, ""), forge) or None


def _moment(text: str | None) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is not None else None


def registry_images(bot: Bot) -> RegistryImages:
    """Opens registries for the stages that look at images."""
    stores, settings = bot.stores, bot.settings
    return RegistryImages(
        *(bot.registry, bot[BESIDE], stores[WatchStore], stores[ImagesStore], bot.clock, settings.trust),
        forge_host(settings.github.api_url),
    )


@dataclass(frozen=True, slots=True)
class RegistryBuilds:
    """Reads what digests stand for, whoever has built them."""

    beside: LookedOnce
    cache: ManifestCache

    async def platforms(self, place: Base, digest: str) -> Sequence[PlatformImage]:
        return (await read(self.beside, self.cache, place, digest)).observation(place, datetime.min).platforms


def registry_builds(bot: Bot) -> RegistryBuilds:
    """Opens registries for what runs and is of no image of the fleet."""
    return RegistryBuilds(bot[BESIDE], bot.stores[WatchStore])
