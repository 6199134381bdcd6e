"""What registries show for the references of a checkout: which are stale, and what they would become."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from bot.commands.progress import Progress
from bot.domain.bases.dotnet import goes_back
from bot.domain.bases.followed_base import Unknown, is_patch_pinned
from bot.domain.bases.observation import Observation
from bot.domain.bounded_gather import bounded_gather
from bot.domain.clock import Clock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.domain.rollouts.pinning import wanted_reference
from bot.fleet.watch.registry.observe import read as read_image
from bot.settings.defaults import REGISTRY
from bot.upstream.feeds.addresses import KINDS
from bot.views.repositories.scan import Freshness, ScannedUsage

if TYPE_CHECKING:
    from bot.clients.http.client import HostRules
    from bot.clients.registry import Registry, RegistryAccess
    from bot.settings import Settings
    from bot.settings.sections.upstream import FeedsSettings

AT_ONCE = 16
"""Requests to registries under way at a time."""
_Asked = TypeVar("_Asked")
_Told = TypeVar("_Told")


async def looked_up(
    scanned: Sequence[ScannedUsage],
    settings: "Settings | None",
    clock: Clock,
    progress: Progress,
    *,
    compares: bool = False,
    why: bool = False,
) -> tuple[Sequence[ScannedUsage], tuple[str, ...]]:
    """The usages with what registries tell of them; with `why` also what feeds tell of the stale ones, and what
    could not be read for that.

    Asks for every base with one HEAD, and for every tag that would be written. Reads an image only where its
    version decides something: with `compares`, for what is to be written, also whether a stale digest holds a newer
    version than its base shows now.
    """
    from bot.clients.http.client import Http
    from bot.clients.registry import Registry, host_rules

    accesses = _accesses(settings)
    feeds = settings.feeds if settings is not None and why else None
    async with Http(clock, host_rules(accesses) | _rules_of(feeds)) as http:
        registry = Registry(http, accesses, clock)
        judged_usages = await _BaseLooks(registry, clock, compares).judged(scanned, progress)
        if not why:
            return judged_usages, ()
        from bot.commands.files.why import told_why

        return await told_why(judged_usages, http, registry, feeds, clock)


def _rules_of(feeds: "FeedsSettings | None") -> "dict[str, HostRules]":
    """Plain HTTP for feeds only where the operator wrote it."""
    if feeds is None:
        return {}
    from bot.clients.http.client import HostRules

    urls = [feed.url for name in KINDS if (feed := getattr(feeds, name)) is not None]
    return {urlsplit(url).netloc: HostRules(insecure=True) for url in urls if url.startswith("http://")}


@dataclass(frozen=True, slots=True)
class _BaseLooks:
    registry: "Registry"
    clock: Clock
    compares: bool

    async def judged(self, scanned: Sequence[ScannedUsage], progress: Progress) -> list[ScannedUsage]:
        by_base: dict[Base, list[ScannedUsage]] = {}
        for item in scanned:
            if item.base is not None:
                by_base.setdefault(item.base, []).append(item)
        pins_sdk = any(item.usage.sdk_pin is not None for item in scanned)
        done = count(1)

        async def look(base: Base) -> Observation | Failure:
            try:
                return await self._observe(base, by_base[base], pins_sdk)
            except Failure as failure:
                return failure
            finally:
                progress(next(done), len(by_base))

        bases = sorted(by_base)
        observations = dict(zip(bases, await bounded_gather(AT_ONCE, bases, look), strict=True))
        judged_usages = [_judged(item, observations) for item in scanned]
        pinned = {
            _Pinned(item.base, digest)
            for item in judged_usages
            if (digest := _left(item)) and item.base is not None
        }
        versions = await _ask_each(sorted(pinned), self._version)
        judged_usages = [_kept_forward(item, versions) for item in judged_usages]
        missing = await _ask_each(sorted({tag for item in judged_usages if (tag := _new_tag(item))}), self._missing)
        return [_confirmed(item, missing) for item in judged_usages]

    async def _observe(self, base: Base, items: Iterable[ScannedUsage], pins_sdk: bool) -> Observation:
        head = await self.registry.head(base)
        if not self._needs_version(base, head.digest, items, pins_sdk):
            return Observation(self.clock.now(), base, head.digest)
        return await self._read(base, head.digest)

    def _needs_version(self, base: Base, digest: str, items: Iterable[ScannedUsage], pins_sdk: bool) -> bool:
        """A patch tag names a version, and global.json the SDK's."""
        if base.is_sdk and pins_sdk:
            return True
        references = [item.usage.reference for item in items]
        is_stale = any(each.digest not in (None, digest) for each in references)
        return any(map(is_patch_pinned, references)) or (self.compares and is_stale)

    async def _read(self, base: Base, digest: str) -> Observation:
        reading = await read_image(self.registry, _NothingKept(), base, digest)
        return reading.observation(base, self.clock.now())

    async def _version(self, pinned: "_Pinned") -> str | Failure | None:
        """The version behind a digest that is pinned.

        One that the registry does not have cannot be built upon, so nothing is lost with it.
        """
        try:
            return (await self._read(pinned.base, pinned.digest)).version
        except Failure as failure:
            return None if failure.trouble is Trouble.MISSING else failure

    async def _missing(self, tag: Base) -> str | None:
        """Tells why a tag is not to be written; None where the registry shows it."""
        try:
            await self.registry.head(tag)
        except Failure as failure:
            return (
                f"the registry was not seen to show {tag}" if failure.trouble is Trouble.MISSING else str(failure)
            )
        return None


@dataclass(frozen=True, slots=True, order=True)
class _Pinned:
    """A digest that a reference to a base pins, and that the base has left."""

    base: Base
    digest: str


async def _ask_each(questions: Sequence[_Asked], ask: Callable[[_Asked], Awaitable[_Told]]) -> dict[_Asked, _Told]:
    return dict(zip(questions, await bounded_gather(AT_ONCE, questions, ask), strict=True))


class _NothingKept:
    """A scan starts with nothing and keeps nothing."""

    async def manifests(self, digests: Iterable[str]) -> Mapping[str, bytes]:
        return {}


def _accesses(settings: "Settings | None") -> "Sequence[RegistryAccess]":
    from bot.clients.registry import RegistryAccess

    if settings is None:
        return [RegistryAccess(REGISTRY)]
    from bot.fleet.wiring.registries.accesses import accesses_of_caller

    return accesses_of_caller(settings)


def _judged(item: ScannedUsage, observations: Mapping[Base, Observation | Failure]) -> ScannedUsage:
    usage, base = item.usage, item.base
    if base is None:
        return item
    now = observations[base]
    if isinstance(now, Failure) or now.digest is None:
        return replace(item, note=str(now) if isinstance(now, Failure) else "")
    target = wanted_reference(usage.reference, base, now.digest, now.version)
    if isinstance(target, Unknown):
        return replace(item, note=target.reason)
    if target != usage.reference:
        return replace(item, freshness=Freshness.STALE, becomes=target, version=now.version, shown=now.digest)
    if usage.is_pinned or target.tag != base.tag:
        return replace(item, freshness=Freshness.FRESH, version=now.version)
    if usage.marker is not None:
        fresh = usage.marker == now.digest
        return replace(item, freshness=Freshness.FRESH if fresh else Freshness.STALE, note="by its marker line")
    return replace(item, freshness=Freshness.FLOATING, version=now.version)


def _left(item: ScannedUsage) -> str | None:
    """The digest that a stale usage pins, where its version is to be compared with what its base shows now."""
    old, new = item.usage.reference, item.becomes
    return old.digest if new is not None and old.digest != new.digest and item.version is not None else None


def _kept_forward(item: ScannedUsage, versions: Mapping[_Pinned, str | Failure | None]) -> ScannedUsage:
    """The usage as it was judged; unknown where what it pins is newer than what its base shows, or may be."""
    digest = _left(item)
    if digest is None or item.base is None:
        return item
    pinned_version = versions[_Pinned(item.base, digest)]
    if isinstance(pinned_version, Failure):
        return _unknown(item, str(pinned_version))
    if goes_back(pinned_version, item.version):
        return _unknown(
            item, f"{item.usage.reference} holds {pinned_version}, and its base shows the older {item.version}"
        )
    return item


def _new_tag(item: ScannedUsage) -> Base | None:
    """Gives the tag that would be written in the place of another."""
    return item.becomes.base if item.becomes is not None and item.becomes.tag != item.usage.reference.tag else None


def _confirmed(item: ScannedUsage, missing: Mapping[Base, str | None]) -> ScannedUsage:
    """The usage as it was judged; unknown where it would become a tag that its registry does not show."""
    tag = _new_tag(item)
    reason = missing[tag] if tag is not None else None
    return item if reason is None else _unknown(item, reason)


def _unknown(item: ScannedUsage, why: str) -> ScannedUsage:
    return replace(item, freshness=Freshness.UNKNOWN, becomes=None, note=why, version=None)
