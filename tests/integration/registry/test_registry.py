"""Against CNCF Distribution, with skopeo as a second opinion."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator
from datetime import date

import pytest

from bot.clients.http.client import Http
from bot.clients.registry import Registry as RegistryClient
from bot.clients.registry import RegistryAccess, host_rules
from bot.domain.bases.image import (
    DOCKER_LIST,
    OCI_INDEX,
    OCI_MANIFEST,
    Index,
    digest_of,
    read_config,
    read_document,
)
from bot.domain.bases.lifecycle import END_OF_LIFE, LIFECYCLE
from bot.domain.clock import SystemClock
from bot.domain.failure import Failure, Trouble
from bot.domain.reference import Base
from bot.fleet.wiring.adapters import LifecycleMarks
from sandbox.edges.edge import Surroundings
from sandbox.images import DOCKER, OCI, MediaTypes, dotnet_image
from sandbox.programs import parts
from sandbox.registry import Registry

REPOSITORY = "dotnet/aspnet"


async def skopeo(*arguments: str) -> bytes:
    if shutil.which("skopeo") is None:
        pytest.skip(f"skopeo is missing: {parts.HOW_TO_GET['skopeo']}")
    process = await asyncio.create_subprocess_exec(
        "skopeo", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await process.communicate()
    assert process.returncode == 0, errors.decode()
    return output


@pytest.fixture
async def members_only(registry: Registry) -> AsyncIterator[RegistryClient]:
    """A client with the password of a registry that wants one."""
    assert registry.edge is not None
    registry.edge.require_login("user", "secret")
    accesses = [RegistryAccess(registry.host, "user", "secret", insecure=True)]
    async with Http(hosts=host_rules(accesses)) as http:
        yield RegistryClient(http, accesses, SystemClock())


@pytest.mark.parametrize(("types", "media_type"), [(OCI, OCI_INDEX), (DOCKER, DOCKER_LIST)])
async def test_a_tags_digest_is_the_one_that_skopeo_sees(
    registry: Registry, client: RegistryClient, types: MediaTypes, media_type: str
) -> None:
    pushed = await registry.push(REPOSITORY, "10.0", dotnet_image("aspnet", "10.0.0", media_types=types))
    head = await client.head(Base(registry.host, REPOSITORY, "10.0"))
    raw = await skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{pushed.reference}")
    assert head.digest == pushed.digest == digest_of(raw)
    assert head.media_type == media_type


async def test_documents_are_the_bytes_that_skopeo_sees(registry: Registry, client: RegistryClient) -> None:
    pushed = await registry.push(REPOSITORY, "10.0", dotnet_image("aspnet", "10.0.0"))
    body = await client.manifest(registry.host, REPOSITORY, pushed.digest)
    assert body == await skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{pushed.reference}")
    index = read_document(body, "here")
    assert isinstance(index, Index)
    assert {image.platform: image.digest for image in index.images()} == pushed.platforms


async def test_a_config_is_the_one_that_skopeo_sees(registry: Registry, client: RegistryClient) -> None:
    image = dotnet_image("runtime", "10.0.0", platforms=("linux/arm64",))
    pushed = await registry.push("dotnet/runtime", "10.0", image, single=True)
    head = await client.head(Base(registry.host, "dotnet/runtime", "10.0"))
    assert head.media_type == OCI_MANIFEST
    manifest = read_document(await client.manifest(registry.host, "dotnet/runtime", head.digest), "here")
    assert not isinstance(manifest, Index)
    body = await client.config(registry.host, "dotnet/runtime", manifest.config.digest)
    seen = await skopeo("inspect", "--config", "--raw", "--tls-verify=false", f"docker://{pushed.reference}")
    assert json.loads(body) == json.loads(seen)
    config = read_config(body, "here")
    assert (config.platform, config.env) == ("linux/arm64", {"DOTNET_VERSION": "10.0.0"})


async def test_what_is_not_there_is_missing(registry: Registry, client: RegistryClient) -> None:
    with pytest.raises(Failure) as caught:
        await client.head(Base(registry.host, REPOSITORY, "10.0"))
    assert caught.value.trouble is Trouble.MISSING
    assert str(caught.value) == f"{registry.host}/{REPOSITORY}:10.0: is not there (404); check the name"


async def test_a_token_is_fetched_for_a_repository_and_used_for_all_of_its_tags(
    registry: Registry, members_only: RegistryClient, surroundings: Surroundings
) -> None:
    bases = [Base(registry.host, REPOSITORY, f"{number}.0") for number in range(8)]
    for base in bases:
        await registry.push(REPOSITORY, base.tag, dotnet_image("aspnet", "10.0.0"))
    await asyncio.gather(*(members_only.head(base) for base in bases))
    await asyncio.gather(*(members_only.head(base) for base in bases))
    assert len(surroundings.traffic.requests(path="^/token$")) == 1
    assert len(surroundings.traffic.requests(method="HEAD", status=200)) == 16


async def test_without_a_password_a_registry_that_wants_one_is_denied(
    registry: Registry, client: RegistryClient, members_only: RegistryClient
) -> None:
    with pytest.raises(Failure) as caught:
        await client.head(Base(registry.host, REPOSITORY, "10.0"))
    assert caught.value.trouble is Trouble.DENIED


@pytest.mark.parametrize(
    ("status", "trouble"), [(503, Trouble.UNREACHABLE), (429, Trouble.THROTTLED), (403, Trouble.DENIED)]
)
async def test_a_registry_in_trouble_is_not_one_without_the_tag(
    registry: Registry, client: RegistryClient, surroundings: Surroundings, status: int, trouble: Trouble
) -> None:
    await registry.push(REPOSITORY, "10.0", dotnet_image("aspnet", "10.0.0"))
    surroundings.faults.add("HEAD", "/manifests/", status=status, headers={"retry-after": "3600"})
    with pytest.raises(Failure) as caught:
        await client.head(Base(registry.host, REPOSITORY, "10.0"))
    assert caught.value.trouble is trouble
    assert (await client.head(Base(registry.host, REPOSITORY, "10.0"))).digest


async def test_a_broken_connection_is_got_over(
    registry: Registry, client: RegistryClient, surroundings: Surroundings
) -> None:
    pushed = await registry.push(REPOSITORY, "10.0", dotnet_image("aspnet", "10.0.0"))
    surroundings.faults.add("HEAD", "/manifests/", drop=True)
    assert (await client.head(Base(registry.host, REPOSITORY, "10.0"))).digest == pushed.digest


async def attached(registry: Registry, *ends: str, kind: str = LIFECYCLE) -> str:
    """The digest of an image to which artifacts with these dates are attached."""
    pushed = await registry.push(REPOSITORY, "10.0", dotnet_image("aspnet", "10.0.0"))
    for number, end in enumerate(ends):
        created = f"2026-01-01T00:00:{number:02}Z"
        annotations = {END_OF_LIFE: end, "org.opencontainers.image.created": created}
        await registry.attach(REPOSITORY, pushed.digest, kind, annotations)
    return pushed.digest


@pytest.mark.parametrize("has_api", [True, False])
async def test_referrers_come_from_the_api_and_from_the_fallback_tag(
    registry: Registry, client: RegistryClient, surroundings: Surroundings, has_api: bool
) -> None:
    digest = await attached(registry, "2026-11-10")
    await registry.attach(REPOSITORY, digest, "application/other", {})
    assert registry.edge is not None
    if has_api:
        registry.edge.serve_referrers()
    assert len(await client.referring(registry.host, REPOSITORY, digest)) == 2
    assert len(surroundings.traffic.requests()) == 2


@pytest.mark.parametrize("has_api", [True, False])
async def test_what_nothing_refers_to_has_no_referrers(
    registry: Registry, client: RegistryClient, has_api: bool
) -> None:
    digest = await attached(registry)
    assert registry.edge is not None
    if has_api:
        registry.edge.serve_referrers()
    assert await client.referring(registry.host, REPOSITORY, digest) == ()


async def test_referrers_of_several_pages_are_all_found(registry: Registry, client: RegistryClient) -> None:
    digest = await attached(registry, *(f"2026-11-{day:02}" for day in range(10, 15)))
    assert registry.edge is not None
    registry.edge.serve_referrers(page=2)
    assert len(await client.referring(registry.host, REPOSITORY, digest)) == 5


@pytest.mark.parametrize("has_api", [True, False])
async def test_what_is_listed_as_a_signature_comes_before_all_else_that_refers_to_an_image(
    registry: Registry, client: RegistryClient, has_api: bool
) -> None:
    """Whoever reads only so many of them would miss it behind a year of reports."""
    digest = await attached(registry, "2026-11-10")
    signature = await registry.attach(REPOSITORY, digest, "application/vnd.cncf.notary.signature", {})
    assert registry.edge is not None
    if has_api:
        registry.edge.serve_referrers()
    first, second = await client.referring(registry.host, REPOSITORY, digest)
    assert first == signature != second


async def test_referrers_are_shown_to_who_has_the_password(
    registry: Registry, members_only: RegistryClient
) -> None:
    digest = await attached(registry, "2026-11-10")
    assert len(await members_only.referring(registry.host, REPOSITORY, digest)) == 1


async def test_the_mark_of_a_withdrawn_image_is_read_from_the_registry(
    registry: Registry, client: RegistryClient
) -> None:
    digest = await attached(registry, "2026-11-10", "2026-12-01")
    base = Base(registry.host, REPOSITORY, "10.0")
    assert await LifecycleMarks(client).end_of_life(base, digest) == date(2026, 12, 1)
