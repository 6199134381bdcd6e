"""What the steps of a pipeline do with images: build, push, scan, sign, attest, verify, deploy.

Actions are known by name and inputs, programs by their command lines. Sources: the `action.yml` of each action, and
the manuals of Docker, Buildx, Trivy, Grype, Docker Scout, cosign and syft.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.audit.repository import Repository
from bot.audit.shell import ShellCommand, is_unknown
from bot.audit.workflows.expressions import truth
from bot.audit.workflows.flattening import of_event, pipelines
from bot.audit.workflows.model import TESTS_ONLY, Job, Pipeline, Step

BUILD_PUSH = "docker/build-push-action"
BAKE = "docker/bake-action"
_PUSHING_ACTIONS = {
    BUILD_PUSH,
    "depot/build-push-action",
    "namespacelabs/nscloud-build-push-action",
    "useblacksmith/build-push-action",
    "redhat-actions/push-to-registry",
    "mr-smithers-excellent/docker-build-push",
    "elgohr/publish-docker-github-action",
    "macbre/push-to-ghcr",
    "whoan/docker-build-with-cache-action",
}
_ALWAYS_PUSHING = _PUSHING_ACTIONS - {
    BUILD_PUSH,
    "depot/build-push-action",
    "namespacelabs/nscloud-build-push-action",
    "useblacksmith/build-push-action",
}
BUILDKIT_ACTIONS = _PUSHING_ACTIONS - _ALWAYS_PUSHING
KNOWN_BUILDERS = ("docker/github-builder/",)
ISOLATED_PROVENANCE = "slsa-framework/slsa-github-generator/.github/workflows/generator_container"
OTHER_SCANNERS = re.compile(
    r"snyk|sysdig|wiz|prisma|twistlock|lacework|clair|anchore|aqua|azure/container-scan|container-scan|grype|trivy|scout"
    r"|sysdiglabs|mend|jfrog|xray|rapid7|checkmarx|veracode|qualys|tenable|orca|neuvector|vuln|scan"
)
_READ_SCANNERS = frozenset(
    {"aquasecurity/trivy-action", "anchore/scan-action", "anchore/sbom-action", "aquasecurity/setup-trivy"}
)
_NOT_SCANNERS = re.compile(
    r"codeql|govulncheck|scorecard|secret|gitleaks|trufflehog|sonar|license|lint|sbom|setup-|install|scanner-setup"
)
_LOCAL = re.compile(r"^(?:localhost|127\.0\.0\.1|kind|ttl\.sh|registry\.local)(?::\d+)?(?:/|$)")
_DEPLOYING_ACTIONS = (
    "azure/webapps-deploy",
    "azure/k8s-deploy",
    "azure/container-apps-deploy-action",
    "azure/aci-deploy",
    "aws-actions/amazon-ecs-deploy-task-definition",
    "google-github-actions/deploy-cloudrun",
)


_BUILD_TOOLS = {"make": "Makefile", "just": "justfile", "task": "Taskfile.yml", "nuke": "build.sh"}
SCANNERS = r"\b(?:trivy|grype|scout|snyk)\b"
SIGNERS = r"\b(?:cosign|notation)\b"


@dataclass(frozen=True, slots=True, eq=False)
class Push:
    """One step that brings an image to a registry others pull from, for at least one accepted change.

    `names` are references as written; `command` is set where a shell does it.
    """

    pipeline: Pipeline
    step: Step
    events: frozenset[str]
    names: tuple[str, ...]
    tool: str
    command: ShellCommand | None = None

    @property
    def subject(self) -> str:
        return self.step.subject


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """One look of a scanner at an image. `severities` are those that its gate counts, None where all do.

    `blocks` says whether a finding ends the run: None where that is not known. `gates_severities` is False where
    the scanner writes its report with no regard to them. `report` is the SARIF file that it writes, if any.
    """

    pipeline: Pipeline
    step: Step
    tool: str
    target: str
    blocks: bool | None
    why: str
    severities: frozenset[str] | None
    gates_severities: bool
    ignores_unfixed: bool | None
    report: str | None
    events: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Signing:
    """One `cosign sign`, or an action that does it. `names` are what is signed."""

    pipeline: Pipeline
    step: Step
    tool: str
    names: tuple[str, ...]
    key: str | None
    has_token: bool = False
    """Whether it is given a token of an identity, and needs none of the job's."""


@dataclass(frozen=True, slots=True, eq=False)
class Attestation:
    """A step that signs a statement about the image: `what` is `provenance`, `sbom` or the type as written."""

    pipeline: Pipeline
    step: Step
    tool: str
    what: str
    is_signed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Verification:
    pipeline: Pipeline
    step: Step
    command: ShellCommand


@dataclass(frozen=True, slots=True, eq=False)
class Deploy:
    pipeline: Pipeline
    step: Step
    tool: str


@dataclass(slots=True)
class Deliveries:
    """All of one repository."""

    pushes: list[Push] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)
    signings: list[Signing] = field(default_factory=list)
    attestations: list[Attestation] = field(default_factory=list)
    verifications: list[Verification] = field(default_factory=list)
    deploys: list[Deploy] = field(default_factory=list)
    remote_builds: list[tuple[Pipeline, Job]] = field(default_factory=list)
    """Known reusable workflows of others that build and push."""

    def pushing(self) -> list[Pipeline]:
        """The pipelines that push, in order, each once."""
        return list(dict.fromkeys(push.pipeline for push in self.pushes))


def deliveries(repository: Repository) -> Deliveries:
    """Never raises."""
    return repository.kept(_deliveries)


def _deliveries(repository: Repository) -> Deliveries:
    found = Deliveries()
    for pipeline in pipelines(repository):
        for job in pipeline.remote_jobs:
            if job.events - TESTS_ONLY and job.remote is not None and job.remote.lower().startswith(KNOWN_BUILDERS):
                found.remote_builds.append((pipeline, job))
        for step in pipeline.steps:
            if step.events - TESTS_ONLY:
                _of_action(pipeline, step, found)
                for command in step.commands:
                    _of_command(pipeline, step, command, found)
    return found


def _of_action(pipeline: Pipeline, step: Step, found: Deliveries) -> None:
    action = step.action
    if not action:
        return
    if action in BUILDKIT_ACTIONS or action == BAKE:
        events = _pushes_on(step, step.input("push") or "false") | _by_output(step)
        names = _listed(step.input("tags"))
        if events and not only_local(names):
            found.pushes.append(Push(pipeline, step, events, names, action))
    elif action in _ALWAYS_PUSHING:
        names = _listed(step.input("image") or step.input("name") or step.input("image_name"))
        found.pushes.append(Push(pipeline, step, step.events - TESTS_ONLY, names, action))
    elif action in _DEPLOYING_ACTIONS:
        found.deploys.append(Deploy(pipeline, step, action))
    elif action in {"actions/attest-build-provenance", "actions/attest"}:
        if step.input("subject-path") or step.input("subject-checksums"):
            return  # about files, not about an image
        is_provenance = not any(step.input(name) for name in ("predicate-type", "sbom-path"))
        what = (
            "provenance" if is_provenance else "sbom" if step.input("sbom-path") else step.input("predicate-type")
        )
        found.attestations.append(Attestation(pipeline, step, action, what, True))
    elif action == "actions/attest-sbom":
        found.attestations.append(Attestation(pipeline, step, action, "sbom", True))
    elif action == "anchore/sbom-action":
        found.attestations.append(Attestation(pipeline, step, action, "sbom-file", False))
    scan = _scan_of_action(pipeline, step)
    if scan is not None:
        found.scans.append(scan)


def _pushes_on(step: Step, written: str) -> frozenset[str]:
    """The accepted events for which a flag such as `push` may be true."""
    values = dict(step.environment.items())
    return frozenset(
        event
        for event in step.events - TESTS_ONLY
        if truth(written, {**{f"env.{k.lower()}": v for k, v in values.items()}, **of_event(event)}) is not False
    )


def _by_output(step: Step) -> frozenset[str]:
    outputs = step.input("outputs") or step.input("output")
    pushes = re.search(r"type=registry|push=true", outputs) or re.search(
        r"\.output=type=registry", step.input("set")
    )
    return step.events - TESTS_ONLY if pushes else frozenset()


def _listed(text: str) -> tuple[str, ...]:
    """Entries of an input that takes a list, by lines or commas; an expression is one entry."""
    return tuple(
        entry.strip()
        for entry in re.split(r"[\n,](?![^{]*\}\})", text)
        if entry.strip() and entry.strip()[0] != "#"
    )


def only_local(names: tuple[str, ...]) -> bool:
    """Whether all names are of registries that nobody else reaches."""
    return bool(names) and all(_LOCAL.match(name) for name in names)


def _scan_of_action(pipeline: Pipeline, step: Step) -> Scan | None:
    action = step.action
    events = step.events - TESTS_ONLY
    if action == "aquasecurity/trivy-action":
        kind = (step.input("scan-type") or "image").strip()
        if kind not in {"image", ""} and not is_unknown(kind):
            return None
        if "vuln" not in (step.input("scanners") or "vuln"):
            return None
        if step.input("format") in {"cyclonedx", "spdx", "spdx-json", "github"}:
            return None
        target = step.input("image-ref") or step.input("input") or step.input("scan-ref")
        code = step.input("exit-code") or step.environment.get("TRIVY_EXIT_CODE", "")
        severities = step.input("severity") or step.environment.get("TRIVY_SEVERITY", "")
        is_sarif = step.input("format") == "sarif"
        limited = not is_sarif or step.input("limit-severities-for-sarif").lower() == "true"
        blocks, why = _exit_code(code, step.input("trivy-config"))
        return Scan(
            pipeline, step, "Trivy", target, *_unless_continued(step, blocks, why), _severities(severities),
            limited,
            _truth(step.input("ignore-unfixed") or step.environment.get("TRIVY_IGNORE_UNFIXED", "false")),
            (step.input("output") or "trivy-results.sarif") if is_sarif else None, events,
        )  # fmt: skip
    if action == "anchore/scan-action":
        if not step.input("image") and not step.input("sbom"):
            return None
        fail = _truth(step.input("fail-build") or "true")
        why = (
            "fail-build is false" if fail is False else "fail-build is known only in a run" if fail is None else ""
        )
        cutoff = step.input("severity-cutoff") or "medium"
        report = "the output sarif" if (step.input("output-format") or "sarif") == "sarif" else None
        return Scan(
            pipeline, step, "Grype", step.input("image"), *_unless_continued(step, fail, why), _from_cutoff(cutoff),
            True, _truth(step.input("only-fixed") or "false"), report, events,
        )  # fmt: skip
    if action == "docker/scout-action":
        commands = {each.strip() for each in step.input("command").split(",")}
        if not commands & {"cves", "compare"}:
            return None
        fail = _truth(step.input("exit-code") or "false")
        if "compare" in commands and step.input("exit-on"):
            fail = True
        report = step.input("sarif-file") or None
        why = "exit-code is not set, and Scout then never fails" if not fail else ""
        return Scan(
            pipeline, step, "Docker Scout", step.input("image"), *_unless_continued(step, fail, why),
            _severities(step.input("only-severities")), True, _truth(step.input("only-fixed") or "false"), report,
            events,
        )  # fmt: skip
    return None


def _exit_code(code: str, config: str) -> tuple[bool | None, str]:
    if is_unknown(code):
        return None, f"exit-code is {code}, which only a run knows"
    if code not in {"", "0"}:
        return True, ""
    if config and not code:
        return None, f"{config} may set the exit code, and is not read"
    return False, "exit-code is 0" if code else "exit-code is not set, and Trivy then never fails"


def _unless_continued(step: Step, blocks: bool | None, why: str) -> tuple[bool | None, str]:
    if blocks is not False and step.may_fail is True:
        return False, "continue-on-error lets the job go on"
    if blocks is True and step.may_fail is None:
        return None, "continue-on-error is known only in a run"
    return blocks, why


def _truth(text: str) -> bool | None:
    return None if is_unknown(text) else text.strip().lower() in {"true", "1", "yes"}


def _severities(text: str) -> frozenset[str] | None:
    if not text.strip():
        return None
    return frozenset(each.strip().upper() for each in text.split(","))


_ORDER = ("NEGLIGIBLE", "LOW", "MEDIUM", "HIGH", "CRITICAL")


def _from_cutoff(text: str) -> frozenset[str]:
    """All severities from one on; `UNKNOWN` where it is an expression."""
    cutoff = text.strip().upper()
    return frozenset(_ORDER[_ORDER.index(cutoff) :]) if cutoff in _ORDER else frozenset({text})


def _of_command(pipeline: Pipeline, step: Step, command: ShellCommand, found: Deliveries) -> None:
    words = command.words
    name = command.name
    events = step.events - TESTS_ONLY
    pushed = _pushed_names(command)
    if pushed is not None and not only_local(pushed):
        found.pushes.append(Push(pipeline, step, events, pushed, " ".join(words[:2]), command))
    scan = _scan_of_command(pipeline, step, command)
    if scan is not None:
        found.scans.append(scan)
    cosign = _after(words, "cosign")
    if cosign[:1] in [("sign",), ("sign-blob",)] and cosign[0] == "sign":
        found.signings.append(
            Signing(
                *(pipeline, step, "cosign", _operands(cosign[1:]), command.option("--key", "-key")),
                command.has("--identity-token"),
            )
        )
    elif cosign[:1] == ("attest",):
        kind = command.option("--type") or "custom"
        what = "sbom" if kind in {"spdx", "spdxjson", "cyclonedx"} else kind
        what = "provenance" if kind.startswith("slsaprovenance") else what
        found.attestations.append(Attestation(pipeline, step, "cosign attest", what, True))
    elif cosign[:2] == ("attach", "sbom"):
        found.attestations.append(Attestation(pipeline, step, "cosign attach", "sbom", False))
    elif cosign[:1] in [("verify",), ("verify-attestation",)]:
        found.verifications.append(Verification(pipeline, step, command))
    elif name == "notation" and words[1:2] == ("sign",):
        found.signings.append(
            Signing(pipeline, step, "notation", _operands(words[2:]), command.option("--key", "-key") or "kms")
        )
    elif name == "syft" or (
        name == "trivy" and command.option("--format", "-f") in {"cyclonedx", "spdx", "spdx-json"}
    ):
        found.attestations.append(Attestation(pipeline, step, name, "sbom-file", False))
    if _deploys(command):
        found.deploys.append(Deploy(pipeline, step, " ".join(words[:2])))


def _after(words: tuple[str, ...], program: str) -> tuple[str, ...]:
    """What follows a program, also one that `xargs` or `parallel` runs."""
    for number, word in enumerate(words):
        if word.rpartition("/")[2] == program and (
            number == 0 or words[0].rpartition("/")[2] in {"xargs", "parallel"}
        ):
            return words[number + 1 :]
    return ()


_VALUED = re.compile(
    r"^--?(?:key|annotations|registry-\S+|certificate\S*|fulcio-url|rekor-url|oidc-\S+|identity-token|type|predicate|signing-config|new-bundle-format|signature-format)$|^-a$"
)


def _operands(words: tuple[str, ...]) -> tuple[str, ...]:
    found: list[str] = []
    skip = False
    for word in words:
        if skip:
            skip = False
        elif word.startswith("-"):
            skip = _VALUED.match(word) is not None
        else:
            found.append(word)
    return tuple(found)


def _pushed_names(command: ShellCommand) -> tuple[str, ...] | None:
    """What a command pushes; None where it pushes nothing."""
    words, name = command.words, command.name
    rest = words[1:]
    match name:
        case "docker" | "podman" | "nerdctl" | "buildah":
            if rest[:1] == ("push",) or rest[:2] in {("image", "push"), ("manifest", "push")}:
                operands = _operands(rest[1:] if rest[0] == "push" else rest[2:])
                return operands[-1:]
            if rest[:2] == ("compose", "push"):
                return ()
            is_build = "build" in rest[:3] or rest[:2] == ("buildx", "bake")
            outputs = command.option("--output", "-o") or ""
            if is_build and (
                (command.has("--push") and command.option("--push") != "false")
                or "type=registry" in outputs
                or "push=true" in outputs
            ):
                return _options(words, "-t", "--tag")
        case "docker-compose" if rest[:1] == ("push",):
            return ()
        case "az" if rest[:2] == ("acr", "build") and not command.has("--no-push"):
            return _options(words, "-t", "--image")
        case "skopeo" if rest[:1] == ("copy",):
            targets = [word for word in rest[1:] if word.startswith("docker://")]
            if targets and not words[-2:-1][0].startswith("docker://") and words[-1].startswith("docker://"):
                return (words[-1].removeprefix("docker://"),)
        case "crane" if rest[:1] == ("push",):
            return _operands(rest[1:])[-1:]
        case "dotnet" if rest[:1] in {("publish",), ("build",), ("msbuild",)}:
            line = " ".join(rest)
            if re.search(r"PublishContainer|DefaultContainer", line) and re.search(r"ContainerRegistry=", line):
                return ()
    return None


def _options(words: tuple[str, ...], *names: str) -> tuple[str, ...]:
    found: list[str] = []
    for number, word in enumerate(words):
        option, equals, value = word.partition("=")
        if option in names:
            found.append(value if equals else "".join(words[number + 1 : number + 2]))
    return tuple(found)


_TRIVY_SWITCHES = re.compile(
    r"^--(?:ignore-unfixed|no-progress|quiet|debug|list-all-pkgs|skip-\S*update|light|removed-pkgs|insecure|offline-scan)$|^-[qd]$"
)


def _scan_of_command(pipeline: Pipeline, step: Step, command: ShellCommand) -> Scan | None:
    words, name = command.words, command.name
    events = step.events - TESTS_ONLY
    environment = step.environment
    if name == "docker" and words[1:2] == ("run",):
        inner = next(
            (n for n, word in enumerate(words) if re.search(r"(?:^|/)(?:trivy|grype)(?::|@|$)", word)), None
        )
        if inner is None:
            return None
        name = "trivy" if "trivy" in words[inner] else "grype"
        words = (name, *words[inner + 1 :])
        command = ShellCommand(words, command.stops, command.at)
    if name == "trivy" and words[1:2] in {("image",), ("i",)}:
        if "vuln" not in (command.option("--scanners", "--security-checks") or "vuln"):
            return None
        if command.option("--format", "-f") in {"cyclonedx", "spdx", "spdx-json", "github"}:
            return None
        code = command.option("--exit-code") or environment.get("TRIVY_EXIT_CODE", "")
        config = command.option("--config", "-c") or ""
        blocks, why = _exit_code(code, config)
        if code and "\N{REPLACEMENT CHARACTER}" in code:
            blocks, why = None, "the exit code is a variable of the shell"
        unfixed = command.has("--ignore-unfixed") and command.option("--ignore-unfixed") != "false"
        is_sarif = command.option("--format", "-f") == "sarif"
        severities = command.option("--severity", "-s") or environment.get("TRIVY_SEVERITY", "")
        report = command.option("--output", "-o") if is_sarif else None
        return Scan(
            pipeline, step, "Trivy", words[-1], *_through_shell(step, command, blocks, why),
            _severities(severities), True,
            unfixed or _truth(environment.get("TRIVY_IGNORE_UNFIXED", "false")), report, events,
        )  # fmt: skip
    if name == "grype" and len(words) > 1 and words[1] not in {"db", "version", "completion"}:
        operands = [word for word in words[1:] if not word.startswith("-")]
        target = operands[0] if operands else ""
        if target.startswith(("dir:", "file:", ".")):
            return None
        cutoff = command.option("--fail-on", "-f") or environment.get("GRYPE_FAIL_ON_SEVERITY", "")
        blocks = bool(cutoff)
        why = "" if cutoff else "--fail-on is not set, and Grype then never fails"
        return Scan(
            pipeline, step, "Grype", target, *_through_shell(step, command, blocks, why),
            _from_cutoff(cutoff) if cutoff else None, True, command.has("--only-fixed"),
            command.option("--file") if "sarif" in (command.option("-o", "--output") or "") else None, events,
        )  # fmt: skip
    if (name == "docker" and words[1:3] == ("scout", "cves")) or (
        name == "docker-scout" and words[1:2] == ("cves",)
    ):
        blocks = command.has("--exit-code", "-e")
        why = "" if blocks else "--exit-code is not set, and Scout then never fails"
        return Scan(
            pipeline, step, "Docker Scout", words[-1], *_through_shell(step, command, blocks, why),
            _severities(command.option("--only-severity") or ""), True, command.has("--only-fixed"),
            command.option("--output", "-o") if command.option("--format") == "sarif" else None, events,
        )  # fmt: skip
    return None


def _through_shell(step: Step, command: ShellCommand, blocks: bool | None, why: str) -> tuple[bool | None, str]:
    if blocks is not False:
        if command.stops is False:
            return (
                False,
                "the shell goes on when the scanner fails (`|| true`, a pipe, `set +e`, or the background)",
            )
        if command.stops is None:
            return None, "what the script makes of the scanner's exit code is decided by the shell"
    return _unless_continued(step, blocks, why)


def _deploys(command: ShellCommand) -> bool:
    words, name = command.words, command.name
    rest = words[1:]
    match name:
        case "kubectl":
            return any(word in {"apply", "set", "rollout"} for word in rest[:3]) and "--dry-run" not in " ".join(
                rest
            )
        case "helm":
            return rest[:1] in {("upgrade",), ("install",)}
        case "az":
            return rest[:2] in {("containerapp", "update"), ("containerapp", "create"), ("containerapp", "up")} or (
                rest[:3] in {("webapp", "config", "container"), ("webapp", "create")}
            )
        case "argocd":
            return rest[:2] == ("app", "sync")
        case "flyctl" | "fly":
            return rest[:1] == ("deploy",)
        case "gcloud":
            return rest[:2] == ("run", "deploy")
    return False


def other_scanners(pipeline: Pipeline) -> Iterator[str]:
    """Names of what a pipeline calls that may be a scanner, and is not read here."""
    for job in pipeline.remote_jobs:
        if job.remote is not None and not job.remote.startswith("slsa-framework/"):
            yield job.remote
    for step in pipeline.steps:
        if step.unread:
            yield step.uses
        elif step.action in _READ_SCANNERS or step.action.startswith("docker/"):
            continue
        elif step.action and OTHER_SCANNERS.search(step.action) and not _NOT_SCANNERS.search(step.action):
            yield step.action


def scripts_called(repository: Repository, pipeline: Pipeline, programs: str) -> Iterator[str]:
    """Scripts and build tools that steps run, which may run one of the programs (a pattern).

    Those of the repository whose text names none of them run none.
    """
    for step in pipeline.steps:
        for command in step.commands:
            name = script_of(command)
            if name is None:
                continue
            texts = script_texts(repository, name)
            if not texts or any(re.search(programs, text) for text in texts):
                yield f"`{' '.join(command.words[:2])}`"


def script_of(command: ShellCommand) -> str | None:
    """The file that a command hands its work to: a script, or what a build tool reads; None for a program."""
    if command.name in _BUILD_TOOLS:
        return _BUILD_TOOLS[command.name]
    is_script = command.name.endswith((".sh", ".ps1", ".cmd"))
    return command.words[0].removeprefix("./") if is_script else None


def script_texts(repository: Repository, name: str) -> list[str]:
    """The texts of the repository's files of that name, wherever they stand."""
    return [repository.text(path) for path in repository.paths if path == name or path.endswith(f"/{name}")]
