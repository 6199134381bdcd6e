"""Small images shaped like Microsoft's .NET images, pushed with oras; equal input gives equal digests."""

import gzip
import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import oras.provider

PLATFORMS = ("linux/amd64", "linux/arm64")
CREATED = "2025-11-11T18:00:00Z"

VERSION_VARIABLES = {
    "runtime-deps": (),
    "runtime": ("DOTNET_VERSION",),
    "aspnet": ("DOTNET_VERSION", "ASPNET_VERSION"),
    "sdk": ("DOTNET_SDK_VERSION",),
}
"""Which environment variables an image of each family declares its version in, as Microsoft's do."""


@dataclass(frozen=True, slots=True)
class MediaTypes:
    """The media types of the documents of one image format."""

    index: str
    manifest: str
    config: str
    layer: str


OCI = MediaTypes(
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.config.v1+json",
    "application/vnd.oci.image.layer.v1.tar+gzip",
)
DOCKER = MediaTypes(
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.container.image.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
)


Layer = bytes | Mapping[str, bytes]
"""The content of one file, or files by their paths."""


@dataclass(frozen=True, slots=True)
class Image:
    """What an image is made of, for all its platforms; `layers` come bottom first."""

    layers: tuple[Layer, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = PLATFORMS
    created: str = CREATED
    media_types: MediaTypes = OCI


@dataclass(frozen=True, slots=True)
class Pushed:
    """As the registry answered: the digest that the tag now has, and each platform's own."""

    reference: str
    digest: str
    platforms: Mapping[str, str]


def dotnet_image(
    family: str,
    version: str | None,
    *,
    os: bytes = b"noble 1",
    upper: bytes = b"",
    platforms: tuple[str, ...] = PLATFORMS,
    created: str = CREATED,
    media_types: MediaTypes = OCI,
) -> Image:
    """An image of `family` (a key of `VERSION_VARIABLES`): another `os` is an OS update, another `upper` a
    rebuild of the layers above it.

    The number at the end of `os` is the last of the version of its one library, `libssl3t64`.
    """
    environment = dict.fromkeys(VERSION_VARIABLES[family], version or "")
    above = {"content": f"{family} {version or ''} ".encode() + upper, **_framework(version)}
    layers = [{"content": os, **_ubuntu(os)}, above]
    return Image(tuple(layers), environment, {}, platforms, created, media_types)


def _ubuntu(os: bytes) -> dict[str, bytes]:
    number = os.rpartition(b" ")[2].decode()
    version = f"3.0.13-0ubuntu3.{number if number.isdigit() else 0}"
    status = (
        f"Package: libssl3t64\nStatus: install ok installed\nArchitecture: amd64\nSource: openssl\n"
        f"Version: {version}\n\nPackage: base-files\nStatus: install ok installed\nArchitecture: amd64\n"
        "Version: 13ubuntu10\n\n"
    )
    return {
        "etc/os-release": b'ID=ubuntu\nVERSION_ID="24.04"\n',
        "var/lib/dpkg/status": status.encode(),
    }


def _framework(version: str | None) -> dict[str, bytes]:
    folder = f"usr/share/dotnet/shared/Microsoft.NETCore.App/{version}"
    return {} if version is None else {f"{folder}/Microsoft.NETCore.App.deps.json": b'{"libraries": {}}'}


def on_top(base: Image, application: Layer, labels: Mapping[str, str] | None = None) -> Image:
    """An application's image: the layers of `base`, one of its own above them."""
    return replace(base, layers=(*base.layers, application), labels={**base.labels, **(labels or {})})


def push(host: str, repository: str, tag: str, image: Image, *, single: bool = False) -> Pushed:
    """Pushes an index with one manifest per platform; with `single`, the one platform's manifest itself."""
    with _Target(host, repository) as target:
        manifests = [(platform, *_push_platform(target, image, platform)) for platform in image.platforms]
        digests = {platform: digest for platform, _, digest in manifests}
        if single:
            [(_, manifest, _)] = manifests
            digest = target.put_manifest(tag, manifest, image.media_types.manifest)
        else:
            index = _index(image, manifests)
            digest = target.put_manifest(tag, index, image.media_types.index)
    return Pushed(f"{host}/{repository}:{tag}", digest, digests)


_EMPTY = ("application/vnd.oci.empty.v1+json", b"{}")


def attach(
    host: str,
    repository: str,
    subject: str,
    artifact_type: str,
    annotations: Mapping[str, str],
    content: tuple[str, bytes] = _EMPTY,
) -> str:
    """Pushes an artifact that refers to `subject`, and lists it under the fallback tag as a client must where the
    registry has no referrers API; answers its digest. `content` is its one layer, media type and bytes."""
    with _Target(host, repository) as target:
        for blob in {_EMPTY[1], content[1]}:
            target.put_blob(blob)
        described = {"artifactType": artifact_type, "annotations": dict(annotations)}
        of = {"mediaType": OCI.index, "digest": subject, "size": 1}
        parts = {"config": _descriptor(*_EMPTY), "layers": [_descriptor(*content)]}
        shape = {"schemaVersion": 2, "mediaType": OCI.manifest, **parts}
        manifest = _json({**shape, **described, "subject": of})
        digest = target.put_manifest(_digest(manifest), manifest, OCI.manifest)
        listed = [*target.fallback(subject), {**_descriptor(OCI.manifest, manifest), **described}]
        index = _json({"schemaVersion": 2, "mediaType": OCI.index, "manifests": listed})
        target.put_manifest(fallback_tag(subject), index, OCI.index)
    return digest


def put_beside(
    host: str, repository: str, subject: str, suffix: str, *layers: tuple[str, bytes, Mapping[str, str]]
) -> str:
    """Pushes what cosign keeps under a tag made of the subject's digest and a suffix, `sig` or `att`; answers its
    digest. Each layer is a media type, its bytes, and its annotations."""
    with _Target(host, repository) as target:
        for content in (_EMPTY[1], *(content for _, content, _ in layers)):
            target.put_blob(content)
        listed = [{**_descriptor(kind, content), "annotations": dict(said)} for kind, content, said in layers]
        shape = {"schemaVersion": 2, "mediaType": OCI.manifest, "config": _descriptor(*_EMPTY), "layers": listed}
        return target.put_manifest(f"{fallback_tag(subject)}.{suffix}", _json(shape), OCI.manifest)


def fallback_tag(subject: str) -> str:
    """Where clients list what refers to a digest: OCI distribution 1.1 cuts the longer digests off."""
    algorithm, _, encoded = subject.partition(":")
    return f"{algorithm[:32]}-{encoded[:64]}"


def _index(image: Image, manifests: list[tuple[str, bytes, str]]) -> bytes:
    entries = []
    for platform, manifest, digest in manifests:
        described = {"mediaType": image.media_types.manifest, "digest": digest, "size": len(manifest)}
        entries.append({**described, "platform": _platform(platform)})
    return _json({"schemaVersion": 2, "mediaType": image.media_types.index, "manifests": entries})


def _push_platform(target: "_Target", image: Image, platform: str) -> tuple[bytes, str]:
    tars = [_tar(platform, layer) for layer in image.layers]
    packed = [gzip.compress(tar, mtime=0) for tar in tars]
    config = _json(
        {
            **_platform(platform),
            "created": image.created,
            "config": {
                "Env": [f"{name}={value}" for name, value in image.environment.items()],
                "Labels": dict(image.labels),
            },
            "rootfs": {"type": "layers", "diff_ids": [_digest(tar) for tar in tars]},
            "history": [{"created": image.created, "created_by": "sandbox"} for _ in tars],
        }
    )
    for blob in (config, *packed):
        target.put_blob(blob)
    manifest = _json(
        {
            "schemaVersion": 2,
            "mediaType": image.media_types.manifest,
            "config": _descriptor(image.media_types.config, config),
            "layers": [_descriptor(image.media_types.layer, layer) for layer in packed],
        }
    )
    return manifest, target.put_manifest(_digest(manifest), manifest, image.media_types.manifest)


class _Target:
    """One repository of a registry on loopback, through oras."""

    def __init__(self, host: str, repository: str) -> None:
        self._registry = oras.provider.Registry(hostname=host, insecure=True)
        self._container = self._registry.get_container(f"{host}/{repository}")
        self._manifests = f"http://{host}/v2/{repository}/manifests"
        self._scratch = tempfile.TemporaryDirectory(prefix="freshness-image-")

    def __enter__(self) -> "_Target":
        return self

    def __exit__(self, *_: object) -> None:
        self._registry.session.close()
        self._scratch.cleanup()

    def put_blob(self, content: bytes) -> None:
        path = Path(self._scratch.name, "blob")
        path.write_bytes(content)
        answer = self._registry.upload_blob(
            str(path), self._container, {"digest": _digest(content), "size": len(content)}
        )
        answer.raise_for_status()

    def fallback(self, subject: str) -> list[dict[str, Any]]:
        """What the fallback tag of a digest lists."""
        answer = self._registry.do_request(
            f"{self._manifests}/{fallback_tag(subject)}", "GET", headers={"Accept": OCI.index}
        )
        listed: list[dict[str, Any]] = answer.json()["manifests"] if answer.status_code == 200 else []
        return listed

    def put_manifest(self, name: str, content: bytes, media_type: str) -> str:
        """Answers the digest that the registry gave it."""
        answer = self._registry.do_request(
            f"{self._manifests}/{name}", "PUT", data=content, headers={"Content-Type": media_type}
        )
        answer.raise_for_status()
        digest: str = answer.headers["Docker-Content-Digest"]
        return digest


def _platform(name: str) -> dict[str, str]:
    os, architecture, *variant = name.split("/")
    return {"os": os, "architecture": architecture, **({"variant": variant[0]} if variant else {})}


def _descriptor(media_type: str, content: bytes) -> dict[str, Any]:
    return {"mediaType": media_type, "digest": _digest(content), "size": len(content)}


def _digest(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _json(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode()


def _tar(platform: str, layer: Layer) -> bytes:
    files = {"content": layer} if isinstance(layer, bytes) else layer
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            whole = f"{platform}\n".encode() + content if name == "content" else content
            entry = tarfile.TarInfo(name)
            entry.size = len(whole)
            archive.addfile(entry, io.BytesIO(whole))
    return buffer.getvalue()
