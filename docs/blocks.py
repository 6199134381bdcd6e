"""The tables and files that come from elsewhere and stand within pages that people write."""

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.clients.forges.github.connection.installations import PERMISSIONS
from bot.domain.feeds.document import CADENCES
from bot.files.audit.onboarding.handing_over import LINES
from bot.settings.action_workflow import workflow_text
from bot.settings.starting import Answers, settings_text
from bot.web.hooks.github import EVENTS

FOLDER = Path(__file__).parent
DEPLOY = FOLDER.parent / "deploy"
WORKFLOWS = FOLDER.parent / ".github" / "workflows"
_USES = re.compile(r"(?m)^ .*uses: ([\w./-]+)@([0-9a-f]{40}) # (v[\d.]+)$")


def pages_with_blocks() -> Mapping[Path, str]:
    """Gives each page that has such tables, with these as the code says now."""
    return {(FOLDER / page).resolve(): _filled(page) for page in BLOCKS}


def cell(text: str) -> str:
    """The text as it may stand in a table, on one line."""
    return " ".join(text.replace("|", "\\|").split())


def table(columns: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    """A table of Markdown, a line each."""
    written = [columns, ["---"] * len(columns), *rows]
    head, line, *rest = (f"| {' | '.join(map(cell, row))} |" for row in written)
    return "\n".join([head, line.replace(" ", ""), *rest])


def _filled(page: str) -> str:
    text = (FOLDER / page).read_text(encoding="utf-8")
    for name, written in BLOCKS[page].items():
        begin, end = f"<!-- `make reference` writes: {name} -->", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, ended, after = rest.partition(end)
        if not (found and ended):
            raise ValueError(f"{page} has no place for {name}: write {begin} and {end}")
        text = f"{before}{begin}\n\n{written()}\n\n{end}{after}"
    return text


def _cadences() -> str:
    rows = ((each.name, each.newest, f"{each.limit.days} days") for each in CADENCES.values())
    return table(("source", "newest time in it", "limit"), rows)


def _rights() -> str:
    rows = (
        (
            f"*{each.title or each.name.replace('_', ' ').capitalize()}*",
            "read and write" if each.level == "write" else each.level,
            each.purpose,
            "yes" if each.is_needed else "no",
        )
        for each in PERMISSIONS
    )
    return table(("right", "level", "to", "needed"), rows)


def _actions() -> str:
    files = [*sorted(WORKFLOWS.glob("*.yml")), FOLDER.parent / "action.yml"]
    texts = [path.read_text(encoding="utf-8") for path in files]
    used = sorted({found.groups() for text in texts for found in _USES.finditer(text)})
    rows = ((f"`{action}`", version, f"`{commit}`") for action, commit, version in used)
    return table(("action", "version", "commit"), rows)


def _fenced(language: str, text: str) -> str:
    return f"```{language}\n{text.strip()}\n```"


def _held(path: str) -> Callable[[], str]:
    """A file of deploy/ as it is."""
    return lambda: _fenced("yaml", (DEPLOY / path).read_text(encoding="utf-8"))


def _workflow(*, with_app: bool) -> Callable[[], str]:
    return lambda: _fenced("yaml", workflow_text(with_app=with_app))


def app_manifest() -> Mapping[str, Any]:
    """What GitHub makes an App of that has all rights and events which the bot uses, and no other.

    Of installations every App is told unasked, and of packages the bot is told by the registry.
    """
    unasked = {"installation", "installation_repositories", "ping", "package", "registry_package"}
    return {
        "name": "YOUR-ORGANISATION-freshness",
        "url": "https://freshness.example.com",
        "redirect_url": "http://localhost/",
        "public": False,
        "hook_attributes": {"url": "https://freshness.example.com/hooks/github", "active": True},
        "default_permissions": {each.name: each.level for each in PERMISSIONS},
        "default_events": [event for event in EVENTS if event not in unasked],
    }


def _app_form() -> str:
    """A page with one button, which needs no script."""
    place = "https://github.com/organizations/YOUR-ORGANISATION/settings/apps/new"
    form = f'<form action="{place}" method="post">\n<textarea name="manifest" rows="40" cols="80">'
    end = "</textarea>\n<button>Make the App</button>\n</form>"
    return _fenced("html", f"{form}\n{json.dumps(app_manifest(), indent=2)}\n{end}")


def _settings_of_one_container() -> str:
    answers = Answers(app=12345, channel="C0123456789", registries=("ghcr.io",))
    return _fenced("yaml", settings_text(answers, "freshness.yaml"))


def _lines_for(other: str) -> Callable[[], str]:
    return lambda: _fenced("json" if other == "Renovate" else "yaml", LINES[other])


def image_component() -> str:
    """The Kustomize component that names the bot's image, by the version and the repository of pyproject.toml."""
    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    name = project["urls"]["Source"].removeprefix("https://github.com/")
    return _IMAGE.format(name=name, version=project["version"])


_IMAGE = """\
# The image of the bot in every overlay, named here alone; `make reference` writes it for each version. Where you
# have verified an image, name its digest in the place of the tag: `digest: sha256:...`
apiVersion: kustomize.config.k8s.io/v1alpha1
kind: Component
images:
  - name: freshness-bot
    newName: ghcr.io/{name}
    # freshness: ignore[deployed-by-digest] a version is named; who has verified it names the digest
    newTag: {version}
"""

BLOCKS: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "action.md": {"workflow": _workflow(with_app=True)},
    "../README.md": {"the workflow": _workflow(with_app=False)},
    "beside-update-bots.md": {each.lower(): _lines_for(each) for each in LINES},
    "operate/app.md": {"the form": _app_form},
    "operate/missing-right.md": {"rights": _rights},
    "operate/vulnerabilities.md": {"sources": _cadences},
    "reusable-workflows.md": {"actions": _actions},
    "which-way.md": {
        "the workflow with an App": _workflow(with_app=True),
        "the workflow with its own token": _workflow(with_app=False),
        "the settings of one container": _settings_of_one_container,
        "compose.yaml": _held("compose.yaml"),
        "the settings in a cluster": _held("overlays/single/freshness.yaml"),
        "the kustomization": _held("overlays/single/kustomization.yaml"),
        "the secret": _held("secret-example.yaml"),
    },
}
"""What writes each table or file, by its page and the name in the comments around it."""
