"""Which steps may be done again every week, since it is known that they do no more than fetch, set up, build, test,
scan, sign and push images.

A schedule has the whole of a run done again: releases, packages, commits, infrastructure and messages too. What
does these has too many names to list them, so the others are listed: a step that is not among them is left to
people.
Sources: the manuals of the programs and the descriptions of the actions.
"""

import re
from collections.abc import Iterator

from bot.files.audit.delivery.deliveries import PUSHING_ACTIONS
from bot.files.audit.delivery.sending import is_fetching, sends
from bot.files.audit.repository import RepositoryTexts
from bot.files.audit.shell import ShellCommand
from bot.files.audit.workflows.model import PipelineStep
from bot.files.audit.workflows.scripts import script_of, script_texts
from bot.files.audit.workflows.shells import shell_of
from bot.files.formats.shell.commands import UNKNOWN, Command, commands
from bot.files.formats.source.expressions import as_variables
from bot.files.formats.source.nodes import Mapping
from bot.files.formats.source.spanned import Spanned

_ACTIONS = re.compile(
    r"actions/(?:checkout|cache(?:/\w+)?|setup-[\w-]+|(?:up|down)load-artifact|attest[\w-]*|create-github-app-token)"
    r"|docker/[\w/-]+|github/codeql-action/[\w-]+|(?:sigstore|anchore|aquasecurity|hadolint|slsa-framework|snyk)/.+"
    r"|azure/(?:login|docker-login|container-scan|setup-[\w-]+|cli)"
    r"|aws-actions/(?:configure-aws-credentials|amazon-ecr-login)|google-github-actions/(?:auth|setup-gcloud)"
    r"|redhat-actions/(?:podman-login|buildah-build|push-to-registry|[\w-]+-installer)"
    r"|step-security/harden-runner|jlumbroso/free-disk-space|easimon/maximize-build-space"
    r"|insightsengineering/disk-space-reclaimer|gittools/actions(?:/[\w/-]+)?|dotnet/nbgv|nuget/setup-nuget"
    r"|microsoft/setup-msbuild|dorny/(?:paths-filter|test-reporter)|tj-actions/[\w-]+|codecov/codecov-action"
    r"|coverallsapp/github-action|sonarsource/[\w-]+|enricomi/publish-unit-test-result-action(?:/[\w-]+)?"
    r"|irongut/codecoveragesummary|danielpalme/reportgenerator-github-action|rlespinasse/github-slug-action"
    r"|benjlevesque/short-sha|oras-project/setup-oras|crazy-max/ghaction-[\w-]+|tibdex/github-app-token"
    r"|peter-murray/workflow-application-token-action|(?:gitleaks|trufflesecurity|ossf)/[\w-]+|pnpm/action-setup"
    r"|ruby/setup-ruby|oven-sh/setup-bun|gradle/actions/[\w-]+|dtolnay/rust-toolchain|imranismail/setup-kustomize"
)
_INPUTS_RUN = ("run", "script", "command", "inlinescript")
"""Inputs by which an action is told what to run."""
_PROGRAMS = frozenset(
    """
    [ [[ : true false test echo printf cat cd pwd ls set unset export local read declare shift return exit
    sleep wait date env mkdir rmdir touch cp mv rm ln chmod chown find grep egrep sed awk cut tr sort uniq
    head tail tee wc xargs basename dirname realpath readlink mktemp diff cmp tar zip unzip gzip gunzip
    sha256sum md5sum base64 jq yq xmllint envsubst which command type uname whoami id hostname df du free ps
    kill nproc source . trap apt-get apt apk yum dnf brew pip pip3 pipx trivy grype syft hadolint dockle
    dive gitversion nbgv reportgenerator dotnet-gitversion dotnet-coverage dotnet-sonarscanner coverlet
    msbuild shellcheck yamllint actionlint gitleaks pushd popd seq rev paste column getopts break continue
    let throw
    """.split()  # noqa: SIM905
)
_CMDLETS = re.compile(
    r"(?:write|get|test|select|where|foreach|measure|sort|group|compare|convertfrom|convertto|split|join|resolve|format"
    r"|out|push-location|pop-location|set-location|new-item|new-object|copy-item|move-item|remove-item|rename-item"
    r"|set-content|add-content|clear-content|expand-archive|compress-archive|set-variable|import-module|start-sleep"
    r"|set-strictmode)(?:-\w+)?",
    re.IGNORECASE,
)
_VERBS = {
    "docker": "build push tag login logout pull images image inspect info version ps logs rm rmi stop save load"
    " history create cp manifest buildx compose scout system builder",
    "podman": "build push tag login logout pull images image inspect info version manifest save load",
    "buildah": "bud build push tag login logout from copy config commit inspect manifest images",
    "nerdctl": "build push tag login logout pull images",
    "docker-compose": "build push pull config up down ps logs version",
    "crane": "copy cp tag digest manifest ls config auth export mutate index version",
    "skopeo": "copy inspect login logout list-tags",
    "regctl": "image tag registry manifest index version",
    "cosign": "sign verify attest generate login version triangulate verify-attestation download tree",
    "notation": "sign verify login logout version list ls inspect",
    "oras": "login logout attach discover pull version resolve",
    "dotnet": "restore build test publish pack format clean workload tool nuget sln dev-certs msbuild nbgv"
    " gitversion reportgenerator coverage sonarscanner list --version --info --list-sdks --list-runtimes",
    "git": "fetch rev-parse rev-list log describe config checkout switch status diff show clone submodule ls-files"
    " ls-remote branch symbolic-ref name-rev lfs version tag diff-tree diff-index merge-base cat-file ls-tree"
    " show-ref for-each-ref rev-list grep blame shortlog",
    "npm": "ci install i test audit --version -v run",
    "yarn": "install build test lint run --version",
    "pnpm": "install build test lint run --version",
    "az": "login logout account acr version extension configure",
    "aws": "ecr ecr-public sts configure --version",
    "gcloud": "auth config version info",
    "gh": "auth --version release run repo pr attestation extension",
    "terraform": "init plan validate fmt output show version",
    "tofu": "init plan validate fmt output show version",
    "helm": "lint template version repo dependency dep pull show",
    "python": "--version -V",
    "python3": "--version -V",
    "node": "--version -v",
}
_BUILDING = "build test lint ci compile format typecheck"
_SECOND = {
    ("docker", "image"): "ls inspect tag push pull prune rm history save load build",
    ("docker", "manifest"): "create push inspect annotate rm",
    ("docker", "buildx"): "build create use inspect bake imagetools ls rm install version prune du history",
    ("docker", "compose"): "build push pull config up down ps logs version",
    ("docker", "system"): "prune df info",
    ("docker", "builder"): "prune",
    ("dotnet", "nuget"): "add update remove list enable disable locals why",
    ("dotnet", "tool"): "restore install update list",
    ("npm", "run"): _BUILDING,
    ("yarn", "run"): _BUILDING,
    ("pnpm", "run"): _BUILDING,
    ("az", "account"): "show set list",
    ("az", "acr"): "login build import show check-health repository",
    ("aws", "ecr"): "get-login-password describe-images describe-repositories batch-get-image",
    ("aws", "ecr-public"): "get-login-password",
    ("aws", "sts"): "get-caller-identity assume-role",
    ("gh", "release"): "view list download",
    ("gh", "run"): "view list download watch",
    ("gh", "repo"): "view",
    ("gh", "pr"): "view list diff checks status",
}
_WITH_VALUE = frozenset({"-f", "--file", "-p", "--project-name", "--profile", "--env-file", "--project-directory"})
_ONLY_LISTS_TAGS = frozenset({"-l", "--list", "--points-at", "--sort", "--contains", "--merged", "-n"})
_COPIES = re.compile(
    r"(?:aws s3 (?:cp|sync)|gsutil (?:-m )?(?:cp|rsync)|gcloud storage (?:cp|rsync))(?: -\S+)*"
    r"(?: (?P<from>(?:s3|gs)://\S+))?(?: (?P<to>\S+))?"
)
_DEEPEST = 4


def not_repeatable(repository: RepositoryTexts, step: PipelineStep) -> str:
    """The first thing that a step does of which it is not known that it may be done every week; empty for none."""
    if step.unread or step.uses.startswith("docker://"):
        return step.uses
    if step.action:
        return _of_action(repository, step)
    run = step.mapping.scalar("run")
    if run is None:
        return ""
    root = repository.root(step.path) or Mapping(0)
    if not _POWERSHELL.search(shell_of((step.mapping, step.job.mapping, root), step.environment)):
        return _of_script(repository, run.value, _DEEPEST)
    what = _of_script(repository, _plain(run.value), _DEEPEST)
    return what if not what or _begins_line(what, run.value) else "a script of PowerShell that is not read whole"


def _begins_line(what: str, script: str) -> bool:
    """Whether a line of a script begins with the program that is named, be it for what a variable is given."""
    program = what.strip("`").partition(" ")[0]
    line = rf"^[ \t]*(?:\$[\w:.]+[ \t]*=[ \t]*)?&?[ \t]*{re.escape(program)}(?!\S)"
    is_one = _PROGRAM.fullmatch(program) is not None and program.lower() not in _WORDS_OF_POWERSHELL
    return is_one and re.search(line, script, re.MULTILINE) is not None


_PROGRAM = re.compile(r"[A-Za-z.][\w./\\-]*")
_WORDS_OF_POWERSHELL = frozenset(
    {"try", "catch", "finally", "if", "elseif", "else", "do", "while", "switch", "function"}
)


def _of_action(repository: RepositoryTexts, step: PipelineStep) -> str:
    if step.action not in PUSHING_ACTIONS and not _ACTIONS.fullmatch(step.action):
        return step.action
    texts = (value for name, value in step.inputs.items() if name.lower() in _INPUTS_RUN)
    return next((what for text in texts if (what := _of_script(repository, text, _DEEPEST))), "")


_POWERSHELL = re.compile(r"^(?:pwsh|powershell)\b|\.ps1$")
_TEXT = r"(?:\"(?:[^\"$\n]|\$(?!\())*\"|'[^'\n]*')"
_GIVEN = re.compile(
    r"^(?P<before>[ \t]*)(?:\[[\w.\[\]]{1,80}\][ \t]*)?\$(?:\w{1,80}:)?[\w.]{1,200}[ \t]*\+?=[ \t]*"
    rf"(?:(?:{_TEXT}|-?\d[\d.]*|\$[\w.:]{{1,200}}|@[({{][ \t]*[)}}])[ \t]*(?:#[^\n]*)?$)?"
    rf"|^(?P<around>[ \t]*){_TEXT}[ \t]*(?:\||$)",
    re.MULTILINE,
)
"""What PowerShell gives a variable or hands on: a value on its own is no command, and what else there is may be."""


def _plain(script: str) -> str:
    """A script of PowerShell without the values in it that are no commands."""
    return _GIVEN.sub(lambda match: match["before"] or match["around"] or "", script)


def _of_script(repository: RepositoryTexts, text: str, depth: int) -> str:
    return next(_unknown_commands(repository, text, depth), "")


def _unknown_commands(repository: RepositoryTexts, text: str, depth: int) -> Iterator[str]:
    own = {match["name"] for match in _FUNCTION.finditer(text)}
    script = as_variables(text)
    for command in commands(Spanned(script, range(len(script)))):
        words = tuple(word.text for word in command.words)
        if words and words[0] and words[0] not in own and not _is_known(repository, command, words, depth):
            yield _shown(text, words)


_FUNCTION = re.compile(
    r"^[ \t]*(?:function[ \t]+)?(?P<name>[A-Za-z_][\w-]{0,80})[ \t]*\(\)[ \t\n]*\{", re.MULTILINE
)
"""A function of a script, whose own commands are read where they stand."""


def _shown(text: str, words: tuple[str, ...]) -> str:
    """A command in words that stand in the script: what was put together of others stands there nowhere."""
    written = r"[\s\"'\\]+".join(map(re.escape, words[:2]))
    if UNKNOWN in words[0] or (UNKNOWN not in "".join(words[:2]) and not re.search(written, text)):
        return "a command that only a run knows"
    return f"`{' '.join(word for word in words[:3] if UNKNOWN not in word)}`"[:80]


def _is_known(repository: RepositoryTexts, command: Command, words: tuple[str, ...], depth: int) -> bool:
    name = command.name
    script = script_of(ShellCommand(words, None, 0))
    if script is not None:
        texts = script_texts(repository, script) if script.endswith((".sh", ".ps1")) and depth else []
        if script.endswith(".ps1"):
            texts = [_plain(text) for text in texts]
        return bool(texts) and not any(_of_script(repository, text, depth - 1) for text in texts)
    if name in _PROGRAMS or _CMDLETS.fullmatch(name):
        return True
    if is_fetching(words):
        return not sends(words)
    if copied := _COPIES.match(" ".join((name, *words[1:]))):
        return bool(copied["from"]) and "://" not in (copied["to"] or "")
    asked = _asked(words[1:])
    if not asked or asked[0] not in _VERBS.get(name, "").split():
        return False
    second = _SECOND.get((name, asked[0]))
    if second is not None:
        return len(asked) > 1 and asked[1] in second.split()
    if (name, asked[0]) == ("git", "tag"):
        return len(words) == 2 or bool(_ONLY_LISTS_TAGS & {word.partition("=")[0] for word in words[2:]})
    return True


def _asked(words: tuple[str, ...]) -> list[str]:
    """What a program is asked for: its first words, without the options between them that Compose takes."""
    asked: list[str] = []
    skips = False
    for word in words:
        if skips:
            skips = False
        elif asked and word in _WITH_VALUE:
            skips = True
        elif not (asked and word.startswith("-")):
            asked.append(word)
        if len(asked) == 2:
            break
    return asked
