"""Secrets reach a program as files, not in its environment or among its arguments.

What: containers take no `secretKeyRef`, no `envFrom` of a Secret, and no literal called as secrets are; no option
such as `--password` is given one; in Compose no variable; no command that deploys, also by SSH, gives one. Files
are fine: of Secrets, the CSI secret store, projected volumes, vault-agent, and `secrets` of Compose.

Example that fails::

    env: [{name: DB_PASSWORD, valueFrom: {secretKeyRef: {name: db, key: password}}}]

Fix: mount the Secret as a volume and read it with `AddKeyPerFile`, or a key vault with a managed identity.

Exceptions: names such as `PASSWORD_FILE` tell of a file. Values are never shown.
"""

import re
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Names

from bot.domain.repositories.finding import FindingSeverity
from bot.files.audit.delivery.deliveries import deliveries
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.rule import Rule
from bot.files.audit.secrets.arguments import (
    container_arguments,
    container_checks,
    service_arguments,
    service_checks,
)
from bot.files.audit.secrets.deploys import variables_of_deploy, variables_of_started
from bot.files.audit.secrets.env_files import variables_of_files
from bot.files.audit.secrets.environment import is_put_in_later, may_bring_secret, secret_brought
from bot.files.audit.secrets.manifests import manifest_data
from bot.files.audit.secrets.names import (
    holds_secret,
    is_connection,
    is_secret_name,
    keyed_by_secret,
    takes_a_password,
)
from bot.files.audit.secrets.pipeline_variables import exported_over_ssh, written_out
from bot.files.audit.suggestions.compose_secrets import service_secrets_as_files
from bot.files.audit.suggestions.secrets_as_files import (
    comes_from_config_map,
    is_put_in,
    secrets_as_files,
    variables_put_in,
)
from bot.files.audit.verdict import Verdict, fails, holds, unknown
from bot.files.audit.workflows.flattening import pipelines
from bot.files.audit.workflows.model import TESTS_ONLY, PipelineStep
from bot.files.audit.workloads.compose import Service, passed_values
from bot.files.audit.workloads.compose_sets import overrides
from bot.files.audit.workloads.helm import may_hold
from bot.files.audit.workloads.helm_rendering import HIDDEN
from bot.files.audit.workloads.helm_values import HIDDEN_VALUE
from bot.files.audit.workloads.judging import RENDERED, judge_workloads, place_of
from bot.files.audit.workloads.kubernetes import Container, is_hidden, is_hidden_name
from bot.files.audit.workloads.objects import word
from bot.files.formats.source.nodes import Mapping, Node

_FIX = "mount the Secret as a file, or read it from a key vault"
_PUT_INTO_NAME = re.compile(r"\$\{?(\w+)")
_CONNECTION = re.compile(r"connection(?:_?(?:string|ur[il]))?$", re.IGNORECASE)
_ARGUMENTS, _PROBES, _HEALTH_CHECK = "its arguments", "a probe or hook", "its health check"
_FIX_OF_DEPLOY = "have the program read it from a file or a key vault, by an identity of its own"
_FIX_OF_SERVICE = "use Compose's `secrets`"


def judge(repository: RepositoryTexts) -> Iterator[Verdict]:
    def of_container(container: Container) -> Iterator[Verdict]:
        bad = list(_of_container(container))
        fix = secrets_as_files(repository, container, _FIX) if bad else None
        for node, why in bad:
            yield fails(place_of(repository, node, container.place), container.subject, why, fix)
        written = [
            (each, where)
            for arguments, where in ((container_arguments, _ARGUMENTS), (container_checks, _PROBES))
            for each in arguments(container)
            if not each[1].startswith("$")
        ]
        for (name, value, node), where in written:
            place = place_of(repository, node, container.place)
            how = "comes into" if HIDDEN_VALUE in value else "is written out in"
            yield fails(place, container.subject, f"the value of {name[:80]} {how} {where}", _FIX)
        if bad or written:
            yield from _connection_of_container(repository, container)
            return
        variables = [*container.own.sequence("env"), *container.own.sequence("envFrom")]
        is_filled = any(is_hidden(each) or (word(each) or "").startswith(HIDDEN) for each in variables)
        is_filled |= any(may_hold(container.own.mapping(key)) for key in ("env", "envFrom"))
        is_filled |= any(map(_may_be_filled_in, container.own.sequence("env")))
        if is_filled or may_hold(container.own, "env", "envFrom"):
            yield unknown(
                container.place, container.subject, "its environment is filled in by a template", RENDERED
            )
        elif unread := _unread_config_map(repository, container):
            why = f"what the ConfigMap {unread[:80]} brings into the environment stands in no file here"
            none = unknown(container.place, container.subject, why, "a look into the ConfigMap")
            yield next(_connection_of_container(repository, container), none)
        else:
            none = holds(container.place, container.subject, "no secret stands in its environment")
            yield next(_connection_of_container(repository, container), none)

    def of_service(service: Service) -> Iterator[Verdict]:
        bad = list(_of_service(service))
        fix = service_secrets_as_files(repository, service, _FIX_OF_SERVICE) if bad else None
        for node, why in bad:
            yield fails(place_of(repository, node, service.place), service.subject, why, fix)
        written = [
            (each, where)
            for arguments, where in ((service_arguments, _ARGUMENTS), (service_checks, _HEALTH_CHECK))
            for each in arguments(service)
            if not each[1].startswith("$$")
        ]
        for (name, value, node), where in written:
            place = place_of(repository, node, service.place)
            how = "comes into" if value.startswith("$") else "is written out in"
            yield fails(place, service.subject, f"the value of {name[:80]} {how} {where}", _FIX_OF_SERVICE)
        if bad or written:
            yield from _connection_of_service(service)
        else:
            yield _without_known_secret(repository, service)

    yield from judge_workloads(
        repository, of_container, of_service, is_asked_of_windows=True, is_asked_of_parts=True
    )
    for deploy in deliveries(repository).deploys:
        if deploy.command is not None and deploy.step.events - TESTS_ONLY:
            yield from _of_step(repository, deploy.step, variables_of_deploy(deploy.command), "what it deploys")
    for step in dict.fromkeys(step for pipeline in pipelines(repository) for step in pipeline.steps):
        if step.events - TESTS_ONLY:
            yield from _of_step(repository, step, variables_of_started(step), "what it starts")
            for name, started in exported_over_ssh(step):
                why = f"{name[:80]} is exported on a machine reached by SSH, where `{started}` may hand it on"
                yield unknown(repository.where(step), step.subject, why, _OF_EXPORTED)
    for name, place in written_out(repository):
        why = f"{name[:80]} is written out, and what is deployed may take it"
        yield unknown(place, f"variable {name[:80]}", why, _OF_WRITTEN)


def _of_step(
    repository: RepositoryTexts, step: PipelineStep, variables: Iterable[tuple[str, str]], whose: str
) -> Iterator[Verdict]:
    """What a step gives the environment of what it runs elsewhere."""
    place = repository.where(step)
    for name, value in variables:
        if brought := secret_brought(name, value):
            yield fails(place, step.subject, f"{brought} of {whose}"[:200], _FIX_OF_DEPLOY)
        elif _may_connect(name, value):
            why = f"{name[:80]} comes into the environment of {whose}, and may hold a password"
            yield unknown(place, step.subject, why, _OF_CONNECTION)


_OF_VALUE = "whether its value is a secret"
_MAY_BE_KEY = "what stands behind {} in a variable's name may be the secret itself"
_OF_KEY = "whether that is a secret, or the name of one"
_OF_EXPORTED = "whether it reaches the program as a file"
_OF_WRITTEN = "whether anything but the build's own tests takes the value"
_OF_CONNECTION = "whether the connection is made without a password"


def _connection_of_container(repository: RepositoryTexts, container: Container) -> Iterator[Verdict]:
    """The first connection that a ConfigMap or whoever deploys it gives a container; nothing where none does."""
    for variable in container.own.sequence("env"):
        place = place_of(repository, variable, container.place)
        if _may_be_connection(variable):
            why = "a ConfigMap gives it a connection, which may hold a password"
            yield unknown(place, container.subject, why, _OF_CONNECTION)
            return
        name, value = _literal(variable)
        if _may_connect(name, value) and not secret_brought(name, value):
            why = f"{name[:80]} is filled in when it is deployed, and may hold a password"
            yield unknown(place, container.subject, why, _OF_CONNECTION)
            return
        if may_bring_secret(name, value):
            why = f"{name[:80]} is filled in when it is deployed, and may be a secret"
            yield unknown(place, container.subject, why, _OF_VALUE)
            return
        if section := keyed_by_secret(name):
            yield unknown(place, container.subject, _MAY_BE_KEY.format(section[:80]), _OF_KEY)
            return


def _literal(variable: Node) -> tuple[str, str]:
    """The name and the value of a variable of a container; empty for what is no such thing."""
    if not isinstance(variable, Mapping):
        return "", ""
    return word(variable.get("name")) or "", word(variable.get("value")) or ""


def _unread_config_map(repository: RepositoryTexts, container: Container) -> str:
    """The first ConfigMap that comes whole into the environment and that no file here makes; empty for none."""
    known_names = repository.kept(_config_maps)
    for source in container.own.sequence("envFrom"):
        node = source.mapping("configMapRef").get("name") if isinstance(source, Mapping) else None
        name = word(node) or ""
        is_plain = _PLAIN_NAME.fullmatch(name) is not None and HIDDEN_VALUE not in name and HIDDEN not in name
        if is_plain and not any(each in name or name in each for each in known_names):
            return name
    return ""


_PLAIN_NAME = re.compile(r"[a-z\d][a-z\d.-]*")


def _config_maps(repository: RepositoryTexts) -> frozenset[str]:
    """The ConfigMaps that files here make, by the names that they have before anything changes these; empty of one
    that a chart names by its values, which may be any."""
    subjects = (each.subject for each in manifest_data(repository) if not each.is_secret)
    return frozenset(each.partition("/")[2] for each in subjects)


def _connection_of_service(service: Service) -> Iterator[Verdict]:
    """The first connection that whoever starts a service puts in; nothing where none is."""
    for name, value, _ in _pairs(service):
        if _may_connect(name, value) and not secret_brought(name, value):
            why = f"{name} comes into the environment, and may hold a password"
            yield unknown(service.place, service.subject, why, _OF_CONNECTION)
            return
        if may_bring_secret(name, value):
            why = f"{name} comes into the environment, and may be a secret"
            yield unknown(service.place, service.subject, why, _OF_VALUE)
            return
        if section := keyed_by_secret(name):
            yield unknown(service.place, service.subject, _MAY_BE_KEY.format(section), _OF_KEY)
            return


def _without_known_secret(repository: RepositoryTexts, service: Service) -> Verdict:
    """Of a service in whose own file no secret stands in the environment: others may put one there."""
    if connection := next(_connection_of_service(service), None):
        return connection
    if told := _of_files(repository, service):
        return told
    if beside := _put_beside(repository, service):
        return unknown(service.place, service.subject, beside, "whether it is read where the service runs")
    return holds(service.place, service.subject, "no secret stands in its environment")


def _of_files(repository: RepositoryTexts, service: Service) -> Verdict | None:
    """What the files of variables bring that a service names; None where all are here, and none brings a secret."""
    given, are_here = variables_of_files(repository, service)
    for name, value, path in given:
        if brought := secret_brought(name, value):
            why = f"{brought[:100]}, by its env_file {path}"
            return fails(service.place, service.subject, why, _FIX_OF_SERVICE)
    for name, value, path in given:
        if is_secret_name(name) or _may_connect(name, value):
            why = f"{name[:80]} of its env_file {path} may be filled in there"
            return unknown(service.place, service.subject, why, _OF_VALUE)
    why = "what its env_file holds is not read"
    return None if are_here else unknown(service.place, service.subject, why, "a look into the file")


def _of_container(container: Container) -> Iterator[tuple[Node, str]]:
    entries = [each for each in container.own.sequence("env") if isinstance(each, Mapping)]
    values = {word(each.get("name")) or "?": each for each in entries}
    for name, variable in ((word(each.get("name")) or "?", each) for each in entries):
        value = word(variable.get("value")) or ""
        if _of_secret(variable):
            yield variable, f"{name} comes from a Secret into the environment"
        elif comes_from_config_map(variable):
            yield variable, f"{name} comes from a ConfigMap into the environment"
        elif is_put_in(value) and (holds_secret(name, value) or takes_a_password(value)):
            yield from ((variable, why) for why in _describe_put_in(name, value, values))
        elif brought := secret_brought(name, value.replace(HIDDEN_VALUE, "${VALUE}")):
            yield variable, brought
    for source in container.own.sequence("envFrom"):
        if isinstance(source, Mapping) and source.get("secretRef") is not None:
            name_node = source.mapping("secretRef").get("name")
            secret_name = (None if is_hidden_name(name_node) else word(name_node)) or "a Secret"
            yield source, f"all of {secret_name} comes into the environment"


def _of_service(service: Service) -> Iterator[tuple[Node, str]]:
    for name, value, node in _pairs(service):
        if brought := "" if value.startswith("/run/secrets/") else secret_brought(name, value):
            yield node, brought
        elif put_in := next((each for each in _PUT_INTO_NAME.findall(name) if is_secret_name(each)), ""):
            yield node, f"{put_in} comes into the environment, in a variable's name"


def _may_be_filled_in(variable: Node) -> bool:
    """Whether a branch of a template decides what a variable is given that is called as secrets are."""
    return isinstance(variable, Mapping) and is_secret_name(word(variable.get("name")) or "") and may_hold(variable)


def _of_secret(variable: Mapping) -> bool:
    return variable.mapping("valueFrom").get("secretKeyRef") is not None


def _describe_put_in(name: str, value: str, values: Names[str, Mapping]) -> Iterator[str]:
    """What the kubelet puts into a variable: `$(NAME)` of another one of the container, if that is a secret. What
    no variable here is called so, a Secret's `envFrom` brings or a pipeline puts in."""
    others = [(used, values[used]) for used in variables_put_in(value) if used in values]
    if given := [used for used, other in others if _of_secret(other)]:
        secrets = [used for used in given if is_secret_name(used)] or given
        yield f"{name} takes {' and '.join(secrets)} into the environment, which a Secret gives"
        return
    for used, other in others:
        if holds_secret(used, word(other.get("value")) or ""):
            yield f"{name} takes {used} into the environment, which is written out"
            return
    if not others:
        yield secret_brought(name, value) or f"{name} comes into the environment"


def _put_beside(repository: RepositoryTexts, service: Service) -> str:
    """What an override file beside a service's own may give it of secrets; empty where none does."""
    for path, how in overrides(repository, service.path):
        root = repository.root(path)
        node = root.mapping("services").get(service.name) if root is not None else None
        if isinstance(node, Mapping) and (what := _brings(Service(path, service.name, (node,), service.place))):
            return f"{path.rpartition('/')[2]}, {how}, {what}"
    return ""


def _brings(over: Service) -> str:
    if any(_of_service(over)):
        return "puts a secret into the environment"
    if connection := next((name for name, value, _ in _pairs(over) if _may_connect(name, value)), None):
        return f"puts {connection} into the environment, which may hold a password"
    return "names an env_file, which is not read" if over.nodes("env_file") else ""


def _may_be_connection(entry: Node) -> bool:
    if not isinstance(entry, Mapping) or entry.mapping("valueFrom").get("configMapKeyRef") is None:
        return False
    name = word(entry.get("name")) or ""
    return (is_secret_name(name) and is_connection(name)) or _CONNECTION.search(name) is not None


def _may_connect(name: str, value: str) -> bool:
    is_named = (is_secret_name(name) and is_connection(name)) or _CONNECTION.search(name) is not None
    return is_named and (value.startswith("$") or is_put_in_later(value))


def _pairs(service: Service) -> Iterator[tuple[str, str, Node]]:
    """The variables of a service and of what it extends, with their values and where these stand."""
    for level in service.levels:
        yield from passed_values(level.get("environment"))


RULE = Rule(
    "runtime-secrets",
    "Secrets reach programs as files",
    "An environment ends in crash dumps, diagnostics pages and logs.",
    FindingSeverity.HIGH,
    judge,
)
