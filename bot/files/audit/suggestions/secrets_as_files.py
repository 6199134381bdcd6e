"""Secrets of a container's environment as files: one folder for each Secret, a file for each key.

The files are named as the variables were, so that .NET's `AddKeyPerFile` gives a program the same keys.
"""

import re
from collections.abc import Callable, Collection, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass, field

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit
from bot.files.audit.delivery.made_here import is_made_here, names_made_here
from bot.files.audit.delivery.pushing import repository_of
from bot.files.audit.images.by_name import is_dotnet
from bot.files.audit.images.stock import stock_image
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.environment import secret_brought
from bot.files.audit.secrets.names import holds_secret, is_connection, is_secret_name, takes_a_password
from bot.files.audit.splicing.items import item_removed, key_removed, with_items
from bot.files.audit.splicing.keys import NotSpliceable, merged
from bot.files.audit.workloads.judging import PUT_TOGETHER
from bot.files.audit.workloads.kept import why_kept
from bot.files.audit.workloads.kubernetes import Container, containers, is_as_written
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping, Node, scalars_under, texts_under

FOLDER = "/run/secrets"
_IS_NAME_OF_VOLUME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
READS_FILES = "have the program read files first (in .NET by AddKeyPerFile)"
OF_CONNECTION = "a connection takes a password: all of it must become one secret first"
_COMES_IN = "for what it is given now a Secret must be made first"
_IS_KEY = re.compile(r"[\w.-]+", re.ASCII)
_READ_FROM_ENVIRONMENT = re.compile(
    r"AWS_\w+|AZURE_CLIENT_SECRET|GITHUB_TOKEN|OTEL_\w+|PG\w*PASSWORD|PGADMIN_\w+|POSTGRES(?:QL)?_\w+|(?:MSSQL_)?SA_PASSWORD"
    r"|(?:DD|ORACLE|MYSQL|MARIADB|MONGO_INITDB|RABBITMQ_DEFAULT|ELASTIC|GF|KC|MINIO)_\w+|ASPNETCORE_\w+"
    r"|KEYCLOAK_(?:ADMIN|USER|PASSWORD|DATABASE|MANAGEMENT|\w+STORE)\w*"
)
"""Variables that servers, tools and libraries of others, and .NET's host, document to read from the environment."""
_OF_OPENSHIFT = "OpenShift deploys it, and may put values in"
_WHICH_FILES = "whether it takes files (`…_FILE`), and under which names"
_TELLING = 5
"""Letters of a name from which on it is no accident that another one begins with them."""
_PREFIXED = re.compile(r"[A-Z][A-Za-z0-9]*[a-z0-9]_(?=[A-Z][a-z])")
"""What `AddEnvironmentVariables("Shop_")` takes off the names of variables, and `AddKeyPerFile` off none."""
_RUN_IN_IT = ("command", "args", "livenessProbe", "readinessProbe", "startupProbe", "lifecycle")
_READ_BY_SHELL = re.compile(r"(?:\$\{?|\$env:|%)(\w+)")
_Position = tuple[int, int]
"""Where a scalar stands: the identity of the text that it is of, and the place in it."""
_USED = re.compile(r"(?<!\$)\$\(([^()\s]+)\)")
"""A variable in a command or in the value of another one, as the kubelet puts it in."""


@dataclass(slots=True)
class _Selection:
    """What is taken out of the environment, and the files of each Secret with their keys; None for all of them."""

    entries: list[Mapping] = field(default_factory=list)
    written_out: list[str] = field(default_factory=list)
    secrets: dict[str, dict[str, str] | None] = field(default_factory=dict)


def secrets_as_files(repository: RepositoryTexts, container: Container, advice: str) -> Fix:
    """Suggests to mount all Secrets that come into the environment; the program must read files then."""
    if not is_as_written(repository, container.pod) or container.hidden:
        is_of_openshift = container.pod.constrained and container.hidden == container.pod.constrained
        return Fix(advice, left_alone=_OF_OPENSHIFT if is_of_openshift else PUT_TOGETHER)
    if why := why_kept(container.pod):
        return Fix(advice, left_alone=why)
    try:
        check_reads_files(repository, container.image)
        check_made_here(repository, container.image)
        selection = _select_secrets(container)
        check_names([name for files in selection.secrets.values() for name in files or ()], container.image)
        values = repository.kept(_values)
        check_one_value(selection.written_out, lambda name: values[id(container.pod), name])
        _check_no_other_use(container, selection)
        _check_volumes(container, selection)
        _check_given_alike(repository, container)
        edits = list(_take_entries_out(repository, container, selection))
        names = list(selection.secrets)
        mounts = [line for name in names for line in _mount(name)]
        volumes = [line for name in names for line in _volume(name, selection.secrets[name])]
        edits += with_items(repository, container.own, "volumeMounts", mounts)
        edits += with_items(repository, container.pod.spec, "volumes", volumes)
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    if selection.written_out:
        advice += f"; {set_anew(selection.written_out, f'in the Secret {container.pod.name}-secrets')}"
    return Fix(f"{advice}; {READS_FILES}", suggested=merged(edits))


def is_written_out(name: str, value: str) -> bool:
    """Whether a value is that of a secret as a whole, and no connection or address with one in it."""
    return is_secret_name(name) and holds_secret(name, value) and "$" not in value and "://" not in value


def set_anew(names: Items[str], location: str) -> str:
    """What must be done about secrets that were written out before a patch can be taken."""
    return f"set {', '.join(names[:5])} {location} first, to another value: this one stands in the history"


def check_one_value(names: Items[str], values: Callable[[str], Collection[str]]) -> None:
    """Raises `NotSpliceable` where programs that would share a secret are given several values for it."""
    for name in names:
        if len(values(name)) > 1:
            raise NotSpliceable(
                f"{name} has another value beside it, and one secret of that name would be for both"
            )


def check_reads_files(repository: RepositoryTexts, image: str) -> None:
    """Raises `NotSpliceable` for stock images and those without an owner, such as `postgres`, whose programs read
    the environment, unless this repository makes them."""
    name = repository_of(image).removeprefix("docker.io/").removeprefix("library/")
    is_stock = stock_image(image) is not None
    if not name:
        return
    if "$" in name and not is_made_here(repository, image):
        raise NotSpliceable(f"which image {name[:80]} is, and so {_WHICH_FILES}")
    if is_stock:
        raise NotSpliceable(f"those who make {name.rpartition('/')[2]} say {_WHICH_FILES}")
    if "/" not in name and name not in names_made_here(repository):
        raise NotSpliceable(f"what makes {name} is not seen here, and so {_WHICH_FILES}")


def check_made_here(repository: RepositoryTexts, image: str) -> None:
    """Raises `NotSpliceable` for an image of others that is none of .NET's: it may read no files."""
    name = repository_of(image).rpartition("/")[2]
    if name and not (is_made_here(repository, image) or is_dotnet(image)):
        raise NotSpliceable(f"what makes {name} is not seen here, and so {_WHICH_FILES}")


def check_names(names: Items[str], image: str) -> None:
    """Raises `NotSpliceable` for a variable that programs of others read, which would look into no file for it: by
    its name, or since it begins as the image is called."""
    words = set(re.split(r"[/._-]", repository_of(image).lower()))
    for name in names:
        begins = name.lower().split("_")[0]
        is_called_so = "__" not in name and any(_is_begun_by(each, begins) for each in words)
        if _READ_FROM_ENVIRONMENT.fullmatch(name) or is_called_so:
            raise NotSpliceable(f"a program or library of others may read {name} from the environment")
        if (prefix := _PREFIXED.match(name)) is not None:
            raise NotSpliceable(f"the program may take {prefix.group()} off {name}, which it would not of a file")


def _is_begun_by(word_of_image: str, begins: str) -> bool:
    """Whether a word of an image's name is another one, or begins so: `ARANGO_…` is of `arangodb`."""
    return word_of_image == begins or (len(begins) >= _TELLING and word_of_image.startswith(begins))


def _select_secrets(container: Container) -> _Selection:
    selection = _Selection()
    for entry in container.own.sequence("env"):
        if not isinstance(entry, Mapping):
            continue
        name, reference = word(entry.get("name")) or "", entry.mapping("valueFrom").mapping("secretKeyRef")
        if entry.mapping("valueFrom").get("secretKeyRef") is not None:
            secret, key = word(reference.get("name")), word(reference.get("key"))
            if not secret or not key or not name:
                raise NotSpliceable("which Secret it is stands in no one place")
            _check_is_there(reference)
            files = selection.secrets.setdefault(secret, {})
            if files is not None:
                files[name] = key
            selection.entries.append(entry)
        elif is_written_out(name, value := word(entry.get("value")) or "") and _IS_KEY.fullmatch(name):
            files = selection.secrets.setdefault(f"{container.pod.name}-secrets", {})
            if files is not None:
                files[name] = name
            selection.written_out.append(name)
            selection.entries.append(entry)
        elif comes_from_config_map(entry):
            raise NotSpliceable("what a ConfigMap holds must become a Secret first")
        elif secret_brought(name, value) and not _USED.search(value):
            raise NotSpliceable(OF_CONNECTION if takes_a_password(value) else _COMES_IN)
    for entry in container.own.sequence("envFrom"):
        if isinstance(entry, Mapping) and entry.get("secretRef") is not None:
            secret = word(entry.mapping("secretRef").get("name"))
            if not secret or entry.get("prefix") is not None or secret in selection.secrets:
                raise NotSpliceable("which Secret it is stands in no one place")
            _check_is_there(entry.mapping("secretRef"))
            selection.secrets[secret] = None
            selection.entries.append(entry)
    return selection


def variables_put_in(value: str) -> list[str]:
    """The variables that the kubelet puts into a value."""
    return _USED.findall(value)


def is_put_in(value: str) -> bool:
    return _USED.search(value) is not None


def comes_from_config_map(entry: Mapping) -> bool:
    """Whether a variable with the name of a secret, which need not be a connection, gets it from a ConfigMap."""
    name = word(entry.get("name")) or ""
    is_taken = entry.mapping("valueFrom").get("configMapKeyRef") is not None
    return is_taken and is_secret_name(name) and not is_connection(name)


def _values(repository: RepositoryTexts) -> dict[tuple[int, str], set[str]]:
    """What the containers of a pod give variables, by its identity and their names."""
    values_by_variable: dict[tuple[int, str], set[str]] = {}
    for container in containers(repository):
        for entry in container.own.sequence("env"):
            if isinstance(entry, Mapping) and (value := word(entry.get("value"))):
                values_by_variable.setdefault((id(container.pod), word(entry.get("name")) or ""), set()).add(value)
    return values_by_variable


def _check_is_there(reference: Mapping) -> None:
    """Raises `NotSpliceable` where a container starts without the Secret: it would wait for a volume of it."""
    if word(reference.get("optional")) == "true":
        raise NotSpliceable("one of its Secrets is optional")


def _check_no_other_use(container: Container, selection: _Selection) -> None:
    """Raises `NotSpliceable` where a command or another variable is put together with one that would be gone."""
    env = container.own.sequence("env")
    other_entries = [each for each in env if not any(each is entry for entry in selection.entries)]
    own = {word(each.get("name")) for each in other_entries if isinstance(each, Mapping)}
    for node in (*other_entries, container.own.get("command"), container.own.get("args")):
        if any(set(_USED.findall(text)) - own for text in texts_under(node)):
            raise NotSpliceable("a command or another variable of it names one of them")
    names = {name for files in selection.secrets.values() for name in files or ()}
    for key in _RUN_IN_IT:
        for text in texts_under(container.own.get(key)):
            read = set(_READ_BY_SHELL.findall(text))
            if read & names or (None in selection.secrets.values() and any(map(is_secret_name, read - own))):
                raise NotSpliceable("its own script reads one of them from the environment")


def _check_volumes(container: Container, selection: _Selection) -> None:
    """Raises `NotSpliceable` where the pod has volumes of these names, or cannot have them."""
    there = {word(each.get("name")) for each in container.pod.spec.sequence("volumes") if isinstance(each, Mapping)}
    for name in selection.secrets:
        if name in there:
            raise NotSpliceable(f"the pod has a volume {name} already")
        if not _IS_NAME_OF_VOLUME.fullmatch(name):
            raise NotSpliceable(f"{name} cannot be the name of a volume")


def _check_given_alike(repository: RepositoryTexts, container: Container) -> None:
    """Raises `NotSpliceable` where a kustomization changes the environment of what is written for a container.

    There the Secrets need not be, and what is taken out of the environment may be what it changes.
    """
    taken, environment = repository.kept(_taken_by_kustomizations), _environment(container)
    others = dict.fromkeys(other for position in _positions(container.own) for other in taken.get(position, ()))
    if other := next((each for each in others if _environment(each) != environment), None):
        raise NotSpliceable(f"{other.pod.variant[:80]} takes it too, and gives it another environment")


def _taken_by_kustomizations(repository: RepositoryTexts) -> dict[_Position, list[Container]]:
    """The containers that kustomizations and charts make, by where the parts of them are written."""
    taken: dict[_Position, list[Container]] = {}
    for container in containers(repository):
        for position in _positions(container.own) if container.pod.variant else ():
            taken.setdefault(position, []).append(container)
    return taken


def _environment(container: Container) -> set[_Position]:
    return {*_positions(container.own.get("env")), *_positions(container.own.get("envFrom"))}


def _positions(node: Node | None) -> dict[_Position, None]:
    return dict.fromkeys((id(each.source), each.start) for each in scalars_under(node))


def _take_entries_out(repository: RepositoryTexts, container: Container, selection: _Selection) -> Iterator[Edit]:
    for key in ("env", "envFrom"):
        entries = container.own.sequence(key)
        taken = [entry for entry in selection.entries if any(entry is each for each in entries)]
        if taken and len(taken) == len(entries):
            yield key_removed(repository, container.own, key)
        else:
            for entry in taken:
                yield item_removed(repository, entry)


def _mount(secret: str) -> list[str]:
    return [f"- name: {secret}", f"  mountPath: {FOLDER}/{secret}", "  readOnly: true"]


def _volume(secret: str, files: dict[str, str] | None) -> list[str]:
    lines = [f"- name: {secret}", "  secret:", f"    secretName: {secret}"]
    if files:
        lines.append("    items:")
        for file, key in files.items():
            lines += [f"      - key: {key}", f"        path: {file}"]
    return lines
