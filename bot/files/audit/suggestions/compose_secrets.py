"""Secrets of a Compose service as files, each from the variable that has given its value until now."""

import re
from collections.abc import Collection, Iterator

from bot.domain.repositories.finding import Fix
from bot.domain.repositories.usage import Edit
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.secrets.environment import secret_brought
from bot.files.audit.secrets.names import is_connection, is_secret_name, takes_a_password
from bot.files.audit.splicing.items import entry_removed, item_removed, word_after
from bot.files.audit.splicing.keys import NotSpliceable, edits_of, merged, with_key
from bot.files.audit.suggestions.secrets_as_files import (
    OF_CONNECTION,
    READS_FILES,
    check_made_here,
    check_names,
    check_one_value,
    check_reads_files,
    is_written_out,
    set_anew,
)
from bot.files.audit.workloads.compose import Service, is_extended_elsewhere, named_values, passed_values, services
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping, Scalar, Sequence, texts_under

_VARIABLE = re.compile(r"\$(?:\{(?P<braced>\w+)\}|(?P<bare>\w+))")
_READ_BY_SHELL = re.compile(r"\$\$\{?(\w+)")
_COMES_IN = "what it is given now must become a secret first"
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_VARIABLE_NAME = re.compile(r"[A-Za-z_]\w*")


def service_secrets_as_files(repository: RepositoryTexts, service: Service, advice: str) -> Fix:
    """Suggests Compose's `secrets` for all variables of a service that take a secret from the environment.

    They are files below /run/secrets then, named as the variables were, which `AddKeyPerFile` reads.
    """
    try:
        root = repository.root(service.path)
        if root is None or len(service.levels) > 1:
            raise NotSpliceable("several services put it together")
        if is_extended_elsewhere(repository, service):
            raise NotSpliceable("a service of another file extends it, which takes no secrets of this file over")
        if not (service.is_built or service.image):
            raise NotSpliceable("another file says which program it runs")
        check_reads_files(repository, service.image if not service.is_built else "")
        if not service.is_built:
            check_made_here(repository, service.image)
        sources_by_name = dict(_find_secret_variables(service))
        check_names(list(sources_by_name), service.image if not service.is_built else "")
        _check_no_script_reads(service, sources_by_name)
        pairs = named_values(service.get("environment"))
        written_out = [name for name, value, _ in pairs if name in sources_by_name and is_written_out(name, value)]
        check_one_value(written_out, lambda name: repository.kept(_values)[service.path, name])
        edits = [
            *_take_variables_out(repository, service.levels[0], sources_by_name),
            *_list_secrets(repository, service.levels[0], sources_by_name),
        ]
        edits += _declare_secrets(repository, root, sources_by_name)
    except NotSpliceable as error:
        return Fix(advice, left_alone=str(error))
    full_advice = f"{advice}; {set_anew(written_out, 'where Compose runs')}" if written_out else advice
    return Fix(f"{full_advice}; {READS_FILES}", suggested=merged(edits))


def _check_no_script_reads(service: Service, names: Collection[str]) -> None:
    """Raises `NotSpliceable` where a shell in the container puts one of the variables into a command: `$$NAME`."""
    nodes = (service.get(key) for key in ("entrypoint", "command", "healthcheck"))
    if any(set(_READ_BY_SHELL.findall(text)) & set(names) for node in nodes for text in texts_under(node)):
        raise NotSpliceable("its own script reads one of them from the environment")


def _find_secret_variables(service: Service) -> Iterator[tuple[str, str]]:
    """The variables that hold secrets, each with that of the environment that it is taken from."""
    for name, value, _ in passed_values(service.get("environment")):
        variable = _VARIABLE.fullmatch(value)
        if variable is not None and is_secret_name(name) and not is_connection(name) and _NAME.fullmatch(name):
            yield name, variable["braced"] or variable["bare"]
        elif is_written_out(name, value) and _VARIABLE_NAME.fullmatch(name):
            yield name, name
        elif secret_brought(name, value) and not value.startswith("/run/secrets/"):
            raise NotSpliceable(OF_CONNECTION if takes_a_password(value) else _COMES_IN)


def _values(repository: RepositoryTexts) -> dict[tuple[str, str], set[str]]:
    """What the services of a file give variables, by its path and their names."""
    values_by_variable: dict[tuple[str, str], set[str]] = {}
    for service in services(repository):
        for name, value, _ in passed_values(service.get("environment")):
            values_by_variable.setdefault((service.path, name), set()).add(value)
    return values_by_variable


def _take_variables_out(repository: RepositoryTexts, own: Mapping, names: dict[str, str]) -> Iterator[Edit]:
    environment = own.get("environment")
    if len(list(named_values(environment))) == len(names):
        yield entry_removed(repository, own, "environment")
    elif isinstance(environment, Mapping):
        for name in names:
            yield entry_removed(repository, environment, name)
    elif isinstance(environment, Sequence):
        for item in environment.items:
            if isinstance(item, Scalar) and item.value.partition("=")[0].strip() in names:
                yield item_removed(repository, item)


def _list_secrets(repository: RepositoryTexts, own: Mapping, names: dict[str, str]) -> tuple[Edit, ...]:
    secrets = own.get("secrets")
    if isinstance(secrets, Sequence) and len(names) == 1:
        return (word_after(repository, secrets, next(iter(names))),)
    if secrets is not None:
        raise NotSpliceable("the service has secrets already")
    return edits_of(with_key(repository, own, "secrets", ["", *(f"  - {name}" for name in names)], ""))


def _declare_secrets(repository: RepositoryTexts, root: Mapping, names: dict[str, str]) -> tuple[Edit, ...]:
    secrets = root.get("secrets")
    declared_names = set(secrets.own) if isinstance(secrets, Mapping) else set()
    for name in declared_names & set(names):
        if isinstance(secrets, Mapping) and word(secrets.mapping(name).get("environment")) != names[name]:
            raise NotSpliceable(f"the file has a secret {name} of another source")
    lines = [
        line
        for name, source in names.items()
        if name not in declared_names
        for line in (f"{name}:", f"  environment: {source}")
    ]
    if not lines:
        return ()
    if isinstance(secrets, Mapping) and secrets.own:
        raise NotSpliceable("the file has other secrets already")
    return edits_of(with_key(repository, root, "secrets", ["", *(f"  {line}" for line in lines)], ""))
