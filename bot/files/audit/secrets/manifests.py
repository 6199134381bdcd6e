"""What ConfigMaps, Secrets and a kustomization's generators hold as literals, with the place of each."""

import base64
import binascii
import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from textwrap import dedent

from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.names import (
    holds_secret,
    is_chosen,
    is_connection,
    is_placeholder,
    is_word,
    names_what_to_put,
    takes_a_password,
    writes_password,
)
from bot.files.audit.secrets.structured import leaves
from bot.files.audit.workloads import helm
from bot.files.audit.workloads.entries import KUSTOMIZATIONS
from bot.files.audit.workloads.helm_rendering import HIDDEN
from bot.files.audit.workloads.helm_values import HIDDEN_VALUE
from bot.files.audit.workloads.objects import objects, word
from bot.files.formats.builds import below
from bot.files.formats.kubernetes.manifests import KIND as MANIFEST
from bot.files.formats.source.nodes import Mapping, Node, Scalar

_NO_SECRET = re.compile(
    r"^(?:.*\.crt|ca\.pem|(?:.*[-_.])?(?:user(?:[-_]?name)?|login|host(?:name)?|port|server|address|database|db(?:name)?"
    r"|name|auth[-_]?source|schema|type|project|url|uri|endpoint|namespace|email|issuer|audience|expir(?:y|ation)|region|bucket|enabled?"
    r"|tenant[-_]?id|client[-_]?id|(?:ssl|tls)[-_]?mode|provider|model|log[-_]?level|environment|protocol|timeout|retention))$",
    re.IGNORECASE,
)
"""Keys of Secrets that tell where, as whom and for how long, and give nothing away."""
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ADDRESS = re.compile(r"(?P<host>[\w-]+(?:\.[\w-]+)*):\d{2,5}|(?!https?:)[a-z][a-z\d+]*://[^@?\s]+", re.IGNORECASE)
"""Where something listens, without a login."""
_SETTINGS = re.compile(r"\.(?:conf|cnf|ini|properties|env)$|^\.env$", re.IGNORECASE)
_SETTING = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z][\w.-]*)\s*=\s*(?P<value>\S.*)")
_SETTING_ITSELF = re.compile(r"\d.*|.*[:/].*|true|false|yes|no|on|off", re.IGNORECASE)
_TEMPLATED = re.compile(r"\{\{(?:(?!\{\{|\}\}).)*+\}\}")
_DIRECTIVE = re.compile(r"\{\{-?\s*(?:if|else|end|with|range|define|block|template|/\*|\$\w+\s*:?=).*?\}\}")
_PUT_IN = "$VALUE"
_LOGINS = frozenset({".dockerconfigjson", ".dockercfg"})
_NOBODY = base64.b64encode(b":").decode()


@dataclass(frozen=True, slots=True)
class ManifestData:
    """The literals of one object, by key, with what stands in the text for each; `is_secret` names its kind."""

    path: str
    subject: str
    is_secret: bool
    node: Node
    entries: tuple[tuple[str, str, Scalar], ...]
    is_encrypted: bool = False
    is_filled_in: bool = False
    """Whether a chart makes all of it of its values, and writes nothing out itself."""
    variables: tuple[tuple[str, str, Scalar], ...] = ()
    files: tuple[tuple[str, str, Scalar], ...] = ()
    """What stands in files of the repository that a generator takes: variables of `envs` and whole texts of
    `files`, each with its key and where the generator names the file."""


def manifest_data(repository: RepositoryTexts) -> list[ManifestData]:
    """All of a repository that are written out in manifests, kustomizations and templates of charts."""
    return repository.kept(_manifest_data)


def _manifest_data(repository: RepositoryTexts) -> list[ManifestData]:
    folders = tuple(f"{each.folder}/" if each.folder else "" for each in helm.charts(repository))
    data: list[ManifestData] = []
    for path in repository.paths:
        if not path.endswith((".yaml", ".yml")) and path.rpartition("/")[2] not in KUSTOMIZATIONS:
            continue
        text = repository.text(path)
        is_named = "ConfigMap" in text or "Secret" in text or "Generator" in text
        if not is_named or repository.kind(path) != MANIFEST or not repository.scope.is_judged(path):
            continue
        if folders and path.startswith(folders):
            continue
        if path.rpartition("/")[2] in KUSTOMIZATIONS:
            data += _of_generators(repository, path)
        else:
            data += (each for item in objects(repository.documents(path)) for each in _of_object(path, item))
    data += (each for chart in helm.charts(repository) for each in _of_chart(repository, chart))
    return data


def _of_chart(repository: RepositoryTexts, chart: helm.HelmChart) -> Iterator[ManifestData]:
    """What templates write out themselves; what they make of values is not looked at."""
    for path, manifest in chart.objects:
        for data in _of_object(path, manifest):
            entries = tuple(_written_in(repository, path, data))
            is_named_by_values = HIDDEN in data.subject or HIDDEN_VALUE in data.subject
            kind = data.subject.partition("/")[0]
            subject = f"{kind} of chart {chart.name}" if is_named_by_values else data.subject
            yield replace(data, entries=entries, subject=subject, is_filled_in=not entries)


def _written_in(repository: RepositoryTexts, path: str, data: ManifestData) -> Iterator[tuple[str, str, Scalar]]:
    """What a template writes out itself: of a text of a ConfigMap that it fills in, the lines that stand there."""
    for key, value, node in data.entries:
        place = repository.place(node)
        lines = [repository.lines(path).of(number) for number in range(place.start, place.end + 1)]
        if place.path != path:
            continue
        if not any("{{" in line and not writes_password(line) for line in lines):
            yield key, value, node
        elif len(lines) > 2 and not data.is_secret:
            written = (_TEMPLATED.sub(_PUT_IN, line) for line in lines if not _DIRECTIVE.fullmatch(line.strip()))
            yield key, dedent("".join(_without_key(key, list(written)))), node


def _without_key(key: str, lines: list[str]) -> list[str]:
    """The lines of a text without the one that its key stands in."""
    return lines[1:] if lines and lines[0].lstrip(" \"'").startswith(key) else lines


def _of_object(path: str, manifest: Mapping) -> Iterator[ManifestData]:
    kind = word(manifest.get("kind"))
    if kind not in {"ConfigMap", "Secret"} or (word(manifest.get("apiVersion")) or "") != "v1":
        return
    name = word(manifest.mapping("metadata").get("name")) or "?"
    entries = [
        (key.value, _decoded(value.value) if kind == "Secret" and group == "data" else value.value, value)
        for group in ("data", "stringData")
        for key, value in manifest.mapping(group).entries()
        if isinstance(value, Scalar) and not value.is_null
    ]
    is_encrypted = manifest.get("sops") is not None
    first = manifest.own.get("kind")
    node = first[1] if first is not None else manifest
    yield ManifestData(path, f"{kind}/{name}", kind == "Secret", node, tuple(entries), is_encrypted)


def _of_generators(repository: RepositoryTexts, path: str) -> Iterator[ManifestData]:
    root = repository.root(path)
    for key, kind in (("secretGenerator", "Secret"), ("configMapGenerator", "ConfigMap")):
        for item in root.sequence(key) if root is not None else ():
            if not isinstance(item, Mapping):
                continue
            literals = [each for each in item.sequence("literals") if isinstance(each, Scalar)]
            parts = [(each.value.partition("="), each) for each in literals]
            entries = tuple((name, value.strip("\"'"), node) for (name, _, value), node in parts)
            subject = f"{kind}/{word(item.get('name')) or posixpath.basename(path)}"
            data = ManifestData(path, subject, kind == "Secret", item, entries)
            variables = tuple(_variables_taken(repository, path, item))
            yield replace(data, variables=variables, files=tuple(_files_taken(repository, path, item)))


def _variables_taken(repository: RepositoryTexts, path: str, item: Mapping) -> Iterator[tuple[str, str, Scalar]]:
    for node in (*item.sequence("envs"), item.get("env")):
        for line in _text_taken(repository, path, word(node) or "").splitlines():
            name, equals, value = line.strip().partition("=")
            if equals and not name.startswith("#") and isinstance(node, Scalar):
                yield name.removeprefix("export ").strip(), value.strip().strip("\"'"), node


def _files_taken(repository: RepositoryTexts, path: str, item: Mapping) -> Iterator[tuple[str, str, Scalar]]:
    for node in item.sequence("files"):
        name, equals, file = (word(node) or "").partition("=")
        text = _text_taken(repository, path, file if equals else name)
        if text and isinstance(node, Scalar):
            yield posixpath.basename(name), text, node


def _text_taken(repository: RepositoryTexts, path: str, name: str) -> str:
    """The text of a file that a kustomization names; empty where it is none of this repository."""
    target = below(posixpath.dirname(path), name) if name else None
    return repository.text(target) if target is not None and target in repository else ""


def _decoded(text: str) -> str:
    """What stands in the `data` of a Secret; the text itself where that is no Base64."""
    try:
        return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return text


def _is_address(key: str, text: str) -> bool:
    """Whether a literal is only where something listens; what may be a login (`shop:6379`) is none."""
    match = _ADDRESS.fullmatch(text)
    return match is not None and ("." in (match["host"] or ".") or is_connection(key))


def _is_empty_login(text: str) -> bool:
    """Whether what the kubelet logs in to registries with names neither a user nor a password."""
    try:
        login = json.loads(text)
    except (ValueError, RecursionError):
        return False
    registries = login.get("auths", login) if isinstance(login, dict) else None
    entries = list(registries.values()) if isinstance(registries, dict) else []
    return bool(entries) and all(
        isinstance(entry, dict) and not any(str(value).strip() not in {"", _NOBODY} for value in entry.values())
        for entry in entries
    )


def _is_secret_setting(line: str) -> bool:
    """Whether a line of a file of settings (`default_pass = hunter2`) writes a secret out."""
    match = _SETTING.fullmatch(line.strip())
    value = match["value"].strip("\"'") if match is not None else ""
    if match is None or not value or value.startswith(("$", "{", "%")) or is_placeholder(value):
        return False
    return holds_secret(match["name"].replace(".", "_"), value)


def is_written_out(data: ManifestData, key: str, value: str) -> bool:
    """Whether a literal gives away what nobody else should read; of a Secret's JSON or YAML, any that is in it."""
    within = leaves(value) if data.is_secret and key not in _LOGINS else []
    if within:
        is_encrypted = any(text.startswith("ENC[") for _, text in within)
        return not is_encrypted and any(_is_written_out(data, name, text) for name, text in within)
    return _is_written_out(data, key, value)


def _is_written_out(data: ManifestData, key: str, value: str) -> bool:
    text = value.strip()
    if not text or text.startswith(("$", "ENC[", "ref+", "vault:")):
        return False
    if (is_placeholder(text) and not is_chosen(key, text)) or takes_a_password(text):
        return False
    if names_what_to_put(key, text) or (key in _LOGINS and _is_empty_login(text)):
        return False
    if not data.is_secret:
        is_set = _SETTINGS.search(key) is not None and any(map(_is_secret_setting, text.splitlines()))
        return is_set or holds_secret(key, text)
    return holds_secret(key, text) or not (_gives_nothing_away(key, text) or is_word(text))


def may_be_secret(data: ManifestData, key: str, value: str) -> bool:
    """Whether a Secret holds a word under a key that tells of none: a setting, or a secret that people chose."""
    text = value.strip()
    is_open = data.is_secret and is_word(text) and _SETTING_ITSELF.fullmatch(text) is None
    is_open = is_open and not (is_placeholder(text) or text.startswith("$") or _gives_nothing_away(key, text))
    return is_open and not is_written_out(data, key, value) and not names_what_to_put(key, text)


def _gives_nothing_away(key: str, text: str) -> bool:
    return _NO_SECRET.match(_CAMEL.sub("_", key)) is not None or _is_address(key, text)
