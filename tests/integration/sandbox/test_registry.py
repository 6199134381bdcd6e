"""Images in the registry, with skopeo and the oras command line as witnesses that know nothing of our code."""

import hashlib
import json
import subprocess
from typing import Any

import httpx
import pytest

from sandbox import images
from sandbox.edges.edge import PATIENCE
from sandbox.images import dotnet_image, on_top
from sandbox.programs import parts
from sandbox.world import World


def run(*command: str) -> bytes:
    if not parts.is_there(command[0]):
        pytest.skip(f"{command[0]} is missing: {parts.HOW_TO_GET[command[0]]}")
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def inspect(reference: str, architecture: str, *, config: bool = False) -> dict[str, Any]:
    options = ["--config"] if config else []
    found: dict[str, Any] = json.loads(
        run(
            "skopeo", f"--override-arch={architecture}", "--override-os=linux",
            "inspect", "--tls-verify=false", *options, f"docker://{reference}",
        )
    )  # fmt: skip
    return found


def digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


async def test_skopeo_sees_the_index_that_the_registry_named(shared_world: World) -> None:
    pushed = await shared_world.registry.push("dotnet/aspnet", "8.0-index", dotnet_image("aspnet", "8.0.22"))
    raw = run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{pushed.reference}")
    assert digest(raw) == pushed.digest
    entries = {
        "/".join((entry["platform"]["os"], entry["platform"]["architecture"])): entry["digest"]
        for entry in json.loads(raw)["manifests"]
    }
    assert entries == dict(pushed.platforms)
    assert set(entries) == {"linux/amd64", "linux/arm64"}


async def test_oras_resolves_the_same_digest(shared_world: World) -> None:
    pushed = await shared_world.registry.push("dotnet/runtime", "8.0-oras", dotnet_image("runtime", "8.0.22"))
    assert run("oras", "resolve", "--plain-http", pushed.reference).decode().strip() == pushed.digest


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("runtime", ["DOTNET_VERSION=8.0.22"]),
        ("aspnet", ["DOTNET_VERSION=8.0.22", "ASPNET_VERSION=8.0.22"]),
        ("sdk", ["DOTNET_SDK_VERSION=8.0.22"]),
    ],
)
async def test_each_family_declares_its_version_as_microsoft_does(
    shared_world: World, family: str, expected: list[str]
) -> None:
    pushed = await shared_world.registry.push(f"dotnet/{family}", "8.0-env", dotnet_image(family, "8.0.22"))
    assert inspect(pushed.reference, "arm64")["Env"] == expected


async def test_runtime_deps_declare_no_version(shared_world: World) -> None:
    pushed = await shared_world.registry.push("dotnet/runtime-deps", "8.0-env", dotnet_image("runtime-deps", None))
    assert not inspect(pushed.reference, "amd64")["Env"]


async def test_an_os_update_is_another_lowest_layer(shared_world: World) -> None:
    push = shared_world.registry.push
    before = await push("dotnet/aspnet", "8.0-os", dotnet_image("aspnet", "8.0.22", os=b"noble 1"))
    lower, upper = inspect(before.reference, "amd64")["Layers"]
    after = await push("dotnet/aspnet", "8.0-os", dotnet_image("aspnet", "8.0.22", os=b"noble 2"))
    moved_lower, same_upper = inspect(after.reference, "amd64")["Layers"]
    assert moved_lower != lower
    assert same_upper == upper


async def test_equal_input_gives_equal_digests(shared_world: World) -> None:
    image = dotnet_image("sdk", "9.0.308")
    first = await shared_world.registry.push("dotnet/sdk", "9.0-once", image)
    second = await shared_world.registry.push("dotnet/sdk", "9.0-twice", image)
    assert first.digest == second.digest


async def test_a_single_manifest_needs_no_index(shared_world: World) -> None:
    image = dotnet_image("runtime", "8.0.22", platforms=("linux/amd64",))
    pushed = await shared_world.registry.push("dotnet/runtime", "8.0-amd64", image, single=True)
    raw = json.loads(run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{pushed.reference}"))
    assert raw["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert pushed.platforms == {"linux/amd64": pushed.digest}


async def test_dockers_manifest_lists_stay_what_they_are(shared_world: World) -> None:
    image = dotnet_image("runtime", "8.0.22", media_types=images.DOCKER)
    pushed = await shared_world.registry.push("dotnet/runtime", "8.0-docker", image)
    raw = run("skopeo", "inspect", "--raw", "--tls-verify=false", f"docker://{pushed.reference}")
    assert json.loads(raw)["mediaType"] == images.DOCKER.index
    assert digest(raw) == pushed.digest


async def test_an_application_stands_on_the_layers_of_its_base(shared_world: World) -> None:
    base_image = dotnet_image("aspnet", "8.0.22")
    base = await shared_world.registry.push("dotnet/aspnet", "8.0-base", base_image)
    labels = {"org.opencontainers.image.base.digest": base.digest}
    application = await shared_world.registry.push("apps/shop", "1", on_top(base_image, b"shop", labels))
    below = inspect(base.reference, "amd64")["Layers"]
    seen = inspect(application.reference, "amd64")
    assert seen["Layers"][: len(below)] == below
    assert len(seen["Layers"]) == len(below) + 1
    assert seen["Labels"] == labels


async def test_requests_are_counted_and_pushes_of_the_world_are_not(world: World) -> None:
    pushed = await world.registry.push("dotnet/aspnet", "8.0", dotnet_image("aspnet", "8.0.22"))
    assert world.traffic.requests("registry") == []
    async with httpx.AsyncClient(base_url=f"http://{world.registry.host}", timeout=PATIENCE) as client:
        answer = await client.head(
            "/v2/dotnet/aspnet/manifests/8.0", headers={"accept": images.OCI.index, "if-none-match": '"x"'}
        )
    assert answer.headers["docker-content-digest"] == pushed.digest
    [asked] = world.traffic.requests("registry", "HEAD", r"/manifests/8\.0$")
    assert (asked.status, asked.conditional) == (200, True)


async def test_a_registry_with_a_login_wants_a_token_and_gives_it_for_the_password(world: World) -> None:
    pushed = await world.registry.push("dotnet/aspnet", "8.0", dotnet_image("aspnet", "8.0.22"))
    world.registry.require_login("reader", "secret")
    anonymous = await _head(world, {})
    assert anonymous.status_code == 401
    assert 'scope="repository:dotnet/aspnet:pull"' in anonymous.headers["www-authenticate"]
    got = run(
        "skopeo", "inspect", "--raw", "--tls-verify=false", "--creds=reader:secret", f"docker://{pushed.reference}"
    )
    assert digest(got) == pushed.digest


async def _head(world: World, headers: dict[str, str]) -> httpx.Response:
    async with httpx.AsyncClient(base_url=f"http://{world.registry.host}", timeout=PATIENCE) as client:
        return await client.head("/v2/dotnet/aspnet/manifests/8.0", headers=headers)
