"""The bot's statement beside an image in a real registry, as cosign and other writers meet it."""

import asyncio
import base64
import json
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from bot.clients.http.client import Http
from bot.clients.registry import Registry, RegistryAccess, host_rules
from bot.clients.registry.attaching import Attaching
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.verify.attesting.attachment import Attachment, entries_of
from bot.fleet.verify.attesting.summary import PREDICATE, Verifier, signed, summary
from bot.fleet.verify.attesting.wired import Attacher
from bot.images.signatures.cosign.verifying import SignedSubject, verify_with_key
from bot.images.trust.collecting import attestations_of
from sandbox.edges.edge import Surroundings
from sandbox.images import dotnet_image
from sandbox.programs import parts
from sandbox.registry import Registry as Played

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
LATER = datetime(2026, 11, 28, 8, tzinfo=UTC)
COSIGN = "https://sigstore.dev/cosign/sign/v1"


async def at_once(seconds: float) -> None:
    """Lets the others run, as a pause does."""
    await asyncio.sleep(0)


class Rounds:
    """Pauses that end together: each writer that is not done has written by then, as after a pause of seconds."""

    def __init__(self, writers: int) -> None:
        self._writers, self._waiting, self._round = writers, 0, 0
        self._changed = asyncio.Condition()

    async def pause(self, seconds: float) -> None:
        async with self._changed:
            mine = self._round
            self._waiting += 1
            self._end_round()
            await self._changed.wait_for(lambda: self._round > mine)

    async def until_done(self, writing: Awaitable[None]) -> None:
        try:
            await writing
        finally:
            async with self._changed:
                self._writers -= 1
                self._end_round()

    def _end_round(self) -> None:
        if self._waiting >= self._writers:
            self._waiting, self._round = 0, self._round + 1
            self._changed.notify_all()


@pytest.fixture
async def played(tmp_path: Path) -> AsyncIterator[Played]:
    for part in ("docker-registry", "cosign"):
        if not parts.is_there(part):
            pytest.skip(f"{part} is missing: {parts.HOW_TO_GET[part]}")
    found = Played(tmp_path, Surroundings())
    await found.start()
    yield found
    found.stop()


@pytest.fixture
async def http(played: Played) -> AsyncIterator[Http]:
    async with Http(hosts=host_rules([RegistryAccess(played.host, insecure=True)])) as http:
        yield http


@pytest.fixture
async def shop(played: Played) -> tuple[Base, str]:
    """An image and its digest."""
    digest = (await played.push("contoso/shop", "1", dotnet_image("aspnet", "10.0.1"))).digest
    return Base(played.host, "contoso/shop", "1"), digest


def verifier(name: str = "https://freshness.example.com") -> Verifier:
    return Verifier(name, ec.generate_private_key(ec.SECP256R1()))


def attacher(
    played: Played,
    http: Http,
    push: RegistryAccess | None = None,
    pause: Callable[[float], Awaitable[None]] = at_once,
) -> Attacher:
    access = RegistryAccess(played.host, "reader", "r", insecure=True)
    registry = Registry(http, [access], SystemClock())
    pushes = {played.host: push or RegistryAccess(played.host, insecure=True)}
    return Attacher(Attaching(registry, pushes, entries_of, pause=pause))


async def state(to: Attacher, image: tuple[Base, str], who: Verifier, at: datetime = NOW) -> None:
    place, digest = image
    await to.attach(place, digest, signed(summary(place, digest, (), who, at), who), who.id, PREDICATE)


def accepted(image: tuple[Base, str], who: Verifier, folder: Path, *options: str) -> list[dict[str, object]]:
    """The statements of this verifier that cosign finds and accepts."""
    key = folder / "cosign.pub"
    encoding, kind = serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    key.write_bytes(who.key.public_key().public_bytes(encoding, kind))
    place, digest = image
    asked = ["cosign", "verify-attestation", "--key", str(key), "--type", PREDICATE, "--insecure-ignore-tlog"]
    found = subprocess.run(
        [*asked, "--allow-http-registry", *options, f"{place.name}@{digest}"], capture_output=True, check=False
    )
    return [json.loads(line) for line in found.stdout.splitlines()]


async def test_cosign_accepts_the_statement_with_the_key_of_the_bot_and_with_no_other(
    played: Played, http: Http, shop: tuple[Base, str], tmp_path: Path
) -> None:
    bot = verifier()
    await state(attacher(played, http), shop, bot)
    assert len(accepted(shop, bot, tmp_path)) == 1
    assert accepted(shop, verifier(), tmp_path) == []


async def test_a_renewed_statement_stands_in_place_of_the_earlier_one(
    played: Played, http: Http, shop: tuple[Base, str]
) -> None:
    bot = verifier()
    for at in (NOW, LATER):
        await state(attacher(played, http), shop, bot, at)
    place, digest = shop
    to = attacher(played, http).attaching
    layers = entries_of(await to.registry.tagged(place.registry, place.repository, tag(digest)), "layers")
    (layer,) = layers
    content = await to.registry.config(place.registry, place.repository, str(layer["digest"]))
    assert "2026-11-28T08:00:00Z" in _payload(content)


async def test_the_statement_refers_to_its_image_once(played: Played, http: Http, shop: tuple[Base, str]) -> None:
    bot = verifier()
    for at in (NOW, LATER):
        await state(attacher(played, http), shop, bot, at)
    place, digest = shop
    registry = attacher(played, http).attaching.registry
    (referrer,) = await registry.referring(place.registry, place.repository, digest)
    manifest = json.loads(await registry.manifest(place.registry, place.repository, referrer))
    assert manifest["subject"]["digest"] == digest


async def test_what_others_have_attached_stays(played: Played, http: Http, shop: tuple[Base, str]) -> None:
    place, digest = shop
    await played.attach(place.repository, digest, "application/vnd.cncf.notary.signature", {}, ("x", b"signature"))
    await state(attacher(played, http), shop, verifier())
    registry = attacher(played, http).attaching.registry
    assert len(await registry.referring(place.registry, place.repository, digest)) == 2


async def test_two_writers_at_once_both_have_their_statement_in_the_end(
    played: Played, http: Http, shop: tuple[Base, str], tmp_path: Path
) -> None:
    one, other = verifier("https://one.example"), verifier("https://other.example")
    rounds = Rounds(writers=2)
    writings = (state(attacher(played, http, pause=rounds.pause), shop, each) for each in (one, other))
    await asyncio.gather(*(rounds.until_done(each) for each in writings))
    assert (len(accepted(shop, one, tmp_path)), len(accepted(shop, other, tmp_path))) == (1, 1)
    place, digest = shop
    registry = attacher(played, http).attaching.registry
    index = await registry.tagged(place.registry, place.repository, digest.replace(":", "-"))
    assert len(entries_of(index, "manifests")) == 2


async def test_credentials_for_reading_are_not_shown_for_writing(
    played: Played, http: Http, shop: tuple[Base, str]
) -> None:
    played.require_login("writer", "w")
    push = RegistryAccess(played.host, "writer", "wrong", insecure=True)
    reader = RegistryAccess(played.host, "writer", "w", insecure=True)
    attaching = Attaching(Registry(http, [reader], SystemClock()), {played.host: push}, entries_of, pause=at_once)
    with pytest.raises(Failure, match="lets nobody write with these credentials") as caught:
        await state(Attacher(attaching), shop, verifier())
    assert caught.value.trouble is Trouble.DENIED
    assert caught.value.advice == f"check push_username and push_password_file of registries.{played.host}"


async def test_credentials_for_writing_let_the_bot_write(
    played: Played, http: Http, shop: tuple[Base, str]
) -> None:
    played.require_login("writer", "w")
    access = RegistryAccess(played.host, "writer", "w", insecure=True)
    attaching = Attaching(Registry(http, [access], SystemClock()), {played.host: access}, entries_of, pause=at_once)
    await state(Attacher(attaching), shop, verifier())
    place, digest = shop
    assert await attaching.registry.tagged(place.registry, place.repository, tag(digest)) is not None


async def test_a_statement_about_an_image_named_by_sha512_is_found_again(
    played: Played, http: Http, shop: tuple[Base, str]
) -> None:
    """The registry of these tests keeps no image under such a digest; what refers to one it does keep."""
    place, _ = shop
    long, bot = f"sha512:{'7' * 128}", verifier()
    subject = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": long, "size": 7}
    to = attacher(played, http).attaching
    for at in (NOW, LATER):
        envelope = signed(summary(place, long, (), bot, at), bot)
        await to.put(place, Attachment(subject, envelope, bot.id, PREDICATE))
    (referrer,) = await to.registry.referring(place.registry, place.repository, long)
    assert json.loads(await to.registry.manifest(place.registry, place.repository, referrer))["subject"] == subject
    (found,) = await attestations_of(to.registry, place.registry, place.repository, long)
    assert verify_with_key(found.encoded, bot.key.public_key(), SignedSubject(found.payload, long)).is_valid
    assert "2026-11-28T08:00:00Z" in _payload(found.payload or b"")


def tag(digest: str) -> str:
    """Where cosign keeps attestations."""
    return f"{digest.replace(':', '-')}.att"


def _payload(envelope: bytes) -> str:
    return base64.b64decode(json.loads(envelope)["payload"]).decode()
