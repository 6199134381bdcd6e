"""Scans of images, by the inputs of actions and by command lines: what is looked at, whether a finding ends a run.

Sources: the `action.yml` of each action, and the manuals of Trivy, Grype and Docker Scout.
"""

import re
from collections.abc import Callable

from bot.files.audit.delivery.delivery import ImageScan
from bot.files.audit.shell import ShellCommand, is_unknown
from bot.files.audit.workflows.model import TESTS_ONLY, Pipeline, PipelineStep


def scan_of_action(pipeline: Pipeline, step: PipelineStep) -> ImageScan | None:
    """The look at an image that a step's action takes; None for other actions, and for looks at something else."""
    read = _ACTIONS.get(step.action)
    return None if read is None else read(pipeline, step)


def _trivy_action(pipeline: Pipeline, step: PipelineStep) -> ImageScan | None:
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
    return ImageScan(
        pipeline, step, "Trivy", target, *_unless_continued(step, blocks, why), _severities(severities),
        limited,
        _flag(step.input("ignore-unfixed") or step.environment.get("TRIVY_IGNORE_UNFIXED", "false")),
        (step.input("output") or "trivy-results.sarif") if is_sarif else None, step.events - TESTS_ONLY,
    )  # fmt: skip


def _grype_action(pipeline: Pipeline, step: PipelineStep) -> ImageScan | None:
    if not step.input("image") and not step.input("sbom"):
        return None
    fail = _flag(step.input("fail-build") or "true")
    why = "fail-build is false" if fail is False else "fail-build is known only in a run" if fail is None else ""
    cutoff = step.input("severity-cutoff") or "medium"
    report = "the output sarif" if (step.input("output-format") or "sarif") == "sarif" else None
    return ImageScan(
        pipeline, step, "Grype", step.input("image"), *_unless_continued(step, fail, why), _from_cutoff(cutoff),
        True, _flag(step.input("only-fixed") or "false"), report, step.events - TESTS_ONLY,
    )  # fmt: skip


def _scout_action(pipeline: Pipeline, step: PipelineStep) -> ImageScan | None:
    commands = {each.strip() for each in step.input("command").split(",")}
    if not commands & {"cves", "compare"}:
        return None
    fail = _flag(step.input("exit-code") or "false")
    if "compare" in commands and step.input("exit-on"):
        fail = True
    report = step.input("sarif-file") or None
    why = "exit-code is not set, and Scout then never fails" if not fail else ""
    return ImageScan(
        pipeline, step, "Docker Scout", step.input("image"), *_unless_continued(step, fail, why),
        _severities(step.input("only-severities")), True, _flag(step.input("only-fixed") or "false"), report,
        step.events - TESTS_ONLY,
    )  # fmt: skip


_ACTIONS: dict[str, Callable[[Pipeline, PipelineStep], ImageScan | None]] = {
    "aquasecurity/trivy-action": _trivy_action,
    "anchore/scan-action": _grype_action,
    "docker/scout-action": _scout_action,
}


def _exit_code(code: str, config: str) -> tuple[bool | None, str]:
    if is_unknown(code):
        return None, f"exit-code is {code}, which only a run knows"
    if code not in {"", "0"}:
        return True, ""
    if config and not code:
        return None, f"{config} may set the exit code, and is not read"
    return False, "exit-code is 0" if code else "exit-code is not set, and Trivy then never fails"


def _unless_continued(step: PipelineStep, blocks: bool | None, why: str) -> tuple[bool | None, str]:
    if blocks is not False and step.may_fail is True:
        return False, "continue-on-error lets the job go on"
    if blocks is True and step.may_fail is None:
        return None, "continue-on-error is known only in a run"
    return blocks, why


def _flag(text: str) -> bool | None:
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


def scan_of_command(pipeline: Pipeline, step: PipelineStep, command: ShellCommand) -> ImageScan | None:
    """The look at an image that a command line takes, a scanner's own or one run by Docker; None for any other."""
    command = _inside_docker(command)
    words, name = command.words, command.name
    if name == "trivy" and words[1:2] in {("image",), ("i",)}:
        return _trivy_command(pipeline, step, command)
    if name == "grype" and len(words) > 1 and words[1] not in {"db", "version", "completion"}:
        return _grype_command(pipeline, step, command)
    is_scout = name == "docker-scout" and words[1:2] == ("cves",)
    if is_scout or (name == "docker" and words[1:3] == ("scout", "cves")):
        return _scout_command(pipeline, step, command)
    return None


def _inside_docker(command: ShellCommand) -> ShellCommand:
    """The scanner's command that `docker run` starts; the command itself where it starts none."""
    words = command.words
    if command.name != "docker" or words[1:2] != ("run",):
        return command
    for number, word in enumerate(words):
        if re.search(r"(?:^|/)(?:trivy|grype)(?::|@|$)", word):
            name = "trivy" if "trivy" in word else "grype"
            return ShellCommand((name, *words[number + 1 :]), command.stops, command.at)
    return command


def _trivy_command(pipeline: Pipeline, step: PipelineStep, command: ShellCommand) -> ImageScan | None:
    if "vuln" not in (command.option("--scanners", "--security-checks") or "vuln"):
        return None
    if command.option("--format", "-f") in {"cyclonedx", "spdx", "spdx-json", "github"}:
        return None
    code = command.option("--exit-code") or step.environment.get("TRIVY_EXIT_CODE", "")
    config = command.option("--config", "-c") or ""
    blocks, why = _exit_code(code, config)
    if code and "\N{REPLACEMENT CHARACTER}" in code:
        blocks, why = None, "the exit code is a variable of the shell"
    unfixed = command.has("--ignore-unfixed") and command.option("--ignore-unfixed") != "false"
    is_sarif = command.option("--format", "-f") == "sarif"
    severities = command.option("--severity", "-s") or step.environment.get("TRIVY_SEVERITY", "")
    report = command.option("--output", "-o") if is_sarif else None
    target = _operand(command.words[2:], _TRIVY_FLAGS)
    return ImageScan(
        pipeline, step, "Trivy", target, *_through_shell(step, command, blocks, why),
        _severities(severities), True,
        unfixed or _flag(step.environment.get("TRIVY_IGNORE_UNFIXED", "false")), report, step.events - TESTS_ONLY,
    )  # fmt: skip


def _grype_command(pipeline: Pipeline, step: PipelineStep, command: ShellCommand) -> ImageScan | None:
    target = _operand(command.words[1:], _GRYPE_FLAGS)
    if target.startswith(("dir:", "file:", ".")):
        return None
    cutoff = command.option("--fail-on", "-f") or step.environment.get("GRYPE_FAIL_ON_SEVERITY", "")
    blocks = bool(cutoff)
    why = "" if cutoff else "--fail-on is not set, and Grype then never fails"
    return ImageScan(
        pipeline, step, "Grype", target, *_through_shell(step, command, blocks, why),
        _from_cutoff(cutoff) if cutoff else None, True, command.has("--only-fixed"),
        command.option("--file") if "sarif" in (command.option("-o", "--output") or "") else None,
        step.events - TESTS_ONLY,
    )  # fmt: skip


def _scout_command(pipeline: Pipeline, step: PipelineStep, command: ShellCommand) -> ImageScan | None:
    blocks = command.has("--exit-code", "-e")
    why = "" if blocks else "--exit-code is not set, and Scout then never fails"
    target = _operand(command.words[command.words.index("cves") + 1 :], _SCOUT_FLAGS)
    return ImageScan(
        pipeline, step, "Docker Scout", target, *_through_shell(step, command, blocks, why),
        _severities(command.option("--only-severity") or ""), True, command.has("--only-fixed"),
        command.option("--output", "-o") if command.option("--format") == "sarif" else None,
        step.events - TESTS_ONLY,
    )  # fmt: skip


_TRIVY_FLAGS = frozenset(
    {"--ignore-unfixed", "--quiet", "-q", "--no-progress", "--debug", "-d", "--insecure", "--light", "--trace"}
    | {"--list-all-pkgs", "--offline-scan", "--skip-db-update", "--skip-java-db-update", "--skip-update"}
    | {
        "--dependency-tree",
        "--clear-cache",
        "--reset",
        "--removed-pkgs",
        "--show-suppressed",
        "--scan-removed-pkgs",
    }
    | {"--include-dev-deps", "--include-non-failures", "--generate-default-config", "--skip-version-check"}
    | {"--disable-telemetry", "--no-color"}
)
_GRYPE_FLAGS = frozenset(
    {"-v", "-vv", "--verbose", "-q", "--quiet", "--only-fixed", "--only-notfixed", "--by-cve", "--show-suppressed"}
    | {"--add-cpes-if-none"}
)
_SCOUT_FLAGS = frozenset(
    {"--only-fixed", "--only-unfixed", "--exit-code", "-e", "--details", "--ignore-base", "--ignore-suppressed"}
    | {"--epss", "--locations", "--multi-stage", "--only-base", "--only-cisa-kev", "--debug"}
)
"""Options that take no value, of each scanner."""
_SCHEME = re.compile(r"^(?:(?:registry|image|local)://|(?:registry|docker|podman|containerd):(?=[^/]*/))")


def _operand(words: tuple[str, ...], flags: frozenset[str]) -> str:
    """The image among the words of a scanner: the last one that is no option, nor the value of one; empty for none.

    What says where the scanner looks for it is taken away.
    """
    pairs = list(zip(words, ("", *words), strict=False))
    operands = [
        word
        for word, before in pairs
        if not word.startswith("-") and (not before.startswith("-") or "=" in before or before in flags)
    ]
    return _SCHEME.sub("", operands[-1]) if operands else ""


def _through_shell(
    step: PipelineStep, command: ShellCommand, blocks: bool | None, why: str
) -> tuple[bool | None, str]:
    if blocks is not False:
        if command.stops is False:
            return (
                False,
                "the shell goes on when the scanner fails (`|| true`, a pipe, `set +e`, or the background)",
            )
        if command.stops is None:
            return None, "what the script makes of the scanner's exit code is decided by the shell"
    return _unless_continued(step, blocks, why)
