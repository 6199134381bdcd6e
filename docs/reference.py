"""Writes the pages of docs/ that come from the code, and the tables that do within others: `make reference`.

A test fails where one is out of date.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.cli.groups import GROUPS, read_command
from bot.domain.rollouts.policy import TERMS, PolicyRule, Terms
from bot.domain.rollouts.rebuild import TRANSITIONS
from bot.domain.rollouts.steps import STEP_TRANSITIONS
from bot.domain.rollouts.timing.windows import Window
from bot.files import scope
from bot.files.audit.rules import GROUPS as AUDIT_GROUPS
from bot.fleet.metrics import METRICS, Metric, MetricScope
from bot.settings.model import json_schema
from bot.settings.sections.policy import RuleSettings
from docs.article import article_table
from docs.blocks import cell, image_component, pages_with_blocks
from docs.messages import messages_page
from docs.stages import stages_page

FOLDER = Path(__file__).parent
_NOTE = "This page is written by `make reference`; change what it is made from, not the page.\n"


def pages() -> Mapping[Path, str]:
    """Gives each page's path and text, the schema that editors read, and the image that manifests name.

    Of a page that people write it is their text, with the tables in it as they ought to be.
    """
    schema = json_schema()
    return {
        FOLDER / "settings.md": _settings(schema),
        FOLDER / "rebuild-states.md": _states(),
        FOLDER / "commands.md": _commands(),
        FOLDER / "practices.md": _checks(),
        FOLDER / "metrics.md": _metrics(),
        FOLDER / "stages.md": stages_page(_NOTE),
        FOLDER / "operate" / "messages.md": messages_page(FOLDER / "operate", _NOTE),
        **pages_with_blocks(),
        FOLDER.parent / "deploy" / "components" / "image" / "kustomization.yaml": image_component(),
        FOLDER.parent / "config" / "freshness.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n",
    }


def setting_names() -> frozenset[str]:
    """Every key that can be set, as the page of settings writes it."""
    schema = json_schema()
    return frozenset(row[0].strip("`") for row in _rows(schema, schema["properties"], ""))


def _metrics() -> str:
    lines = [
        "# Metrics",
        "",
        "`/metrics` tells them in Prometheus' text format to whoever has [the right to",
        "`metrics`](operate/web.md#who-gets-in). Those of the store are the same in each replica: take `max` over",
        "replicas, never their sum. Its counters count what happened since the process started.",
        "",
        _NOTE,
        "Alert rules and a Grafana dashboard are in `deploy/overlays/monitoring`; without Prometheus' operator,",
        "the `groups` of `rules.yaml` there are a rule file.",
        "",
    ]
    for of, title in ((MetricScope.STORE, "Of the store"), (MetricScope.PROCESS, "Of the process")):
        lines += [f"## {title}", "", "| metric | type | labels | what it tells |", "|---|---|---|---|"]
        lines += [_metric(each) for each in METRICS if each.scope is of]
        lines.append("")
    return "\n".join(lines)


def _metric(metric: Metric) -> str:
    shown = metric.series[0] if len(metric.series) == 1 else metric.name
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    return f"| `{shown}` | {metric.kind} | {labels} | {cell(metric.help)} |"


def _settings(schema: Mapping[str, Any]) -> str:
    lines = [
        "# Settings",
        "",
        "Every key of `freshness.yaml`; keys that mean the same share a row. Lengths of time are written as `90s`,",
        "`15m`, `6h` or `7d`, shares as `20%`. Without a type it is what its default is, or a text; a list is",
        "one of texts. Keys below a section follow it; behind `[]` they are those of the sections of a list.",
        "",
        _NOTE,
        "| key | type | default | what it is for |",
        "|---|---|---|---|",
    ]
    for key, kind, default, text in _shared(_rows(schema, schema["properties"], "")):
        told = " or ".join(each for each in kind.split(" or ") if each not in ("section", "sections"))
        is_plain = told == "text" or (default and told in {"boolean", "integer", "number"})
        lines.append(f"| {key} | {'' if is_plain else told} | {default} | {text} |")
    return "\n".join(lines) + "\n"


def _shared(rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """One row for keys of one name that say the same, where the first of them stands."""
    keys: dict[tuple[str, ...], list[str]] = {}
    for key, *rest in rows:
        keys.setdefault((key.rpartition(".")[2], *rest), []).append(key)
    return ((", ".join(alike), *rest) for (_, *rest), alike in keys.items())


def _rows(schema: Mapping[str, Any], properties: Mapping[str, Any], prefix: str) -> Iterator[Sequence[str]]:
    for name, written in properties.items():
        key = f"{prefix}{name}"
        yield f"`{key}`", _type(schema, written), _default(schema, key, written), cell(_told_of(schema, written))
        for inner, place in _inside(schema, written, key):
            yield from _rows(schema, inner, place)


def _told_of(schema: Mapping[str, Any], written: Mapping[str, Any]) -> str:
    """A key's own description, else that of the section which it holds."""
    texts = (option.get("description", "") for option in (written, *_options(schema, written)))
    return next((text for text in texts if text), "")


def _inside(schema: Mapping[str, Any], written: Mapping[str, Any], key: str) -> Iterator[tuple[Any, str]]:
    """The properties of what stands under a key: a section, the items of a list, or the values of a mapping."""
    for option in _options(schema, written):
        if "properties" in option:
            yield option["properties"], f"{key}."
        elif option.get("type") == "array" and isinstance(option.get("items"), dict):
            for item in _options(schema, option["items"]):
                if "properties" in item:
                    yield item["properties"], f"{key}[]."
        elif isinstance(option.get("additionalProperties"), dict):
            for item in _options(schema, option["additionalProperties"]):
                if "properties" in item:
                    yield item["properties"], f"{key}.NAME."


def _options(schema: Mapping[str, Any], written: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if "$ref" in written:
        yield from _options(schema, schema["$defs"][written["$ref"].rpartition("/")[2]])
    elif "anyOf" in written:
        for option in written["anyOf"]:
            yield from _options(schema, option)
    else:
        yield written


def _type(schema: Mapping[str, Any], written: Mapping[str, Any]) -> str:
    names: dict[str, None] = {}
    for option in _options(schema, written):
        if "enum" in option:
            names[", ".join(f"`{value}`" for value in option["enum"])] = None
        elif option.get("type") == "array":
            inner = _type(schema, option["items"]) if isinstance(option.get("items"), dict) else "anything"
            names[{"text": "list", "section": "sections"}.get(inner, f"list of {inner}")] = None
        elif option.get("type") == "object":
            names["section" if "properties" in option else "mapping"] = None
        elif option.get("type") != "null":
            names[str(option.get("type", "text")).replace("string", "text")] = None
    return cell(" or ".join(names))


@cache
def _of_rules() -> Mapping[str, Any]:
    """What holds for a term that no rule sets; a wave is the last of those there are."""
    terms = {name: getattr(Terms(), name) for name in TERMS if name not in ("wave", "windows")}
    written = RuleSettings.written(PolicyRule(**terms)).model_dump(mode="json", exclude_none=True)
    windows = {"windows": ["always"]} if Terms().windows == (Window.parse("always"),) else {}
    return {f"policy[].{name}": value for name, value in (written | windows).items()}


def _default(schema: Mapping[str, Any], key: str, written: Mapping[str, Any]) -> str:
    """As an operator would write it; nothing for what is left out, and for a section, whose keys have their own."""
    default = _of_rules().get(key, written.get("default"))
    is_published_place = isinstance(default, dict) and default.keys() == {"url"}
    if is_published_place:
        return "`true`"
    if default is None or default == [] or isinstance(default, dict):
        return ""
    if isinstance(default, list) and not any(isinstance(each, dict) for each in default):
        return cell(f"`{', '.join(map(str, default))}`")
    if isinstance(default, list):
        [item] = [option for option in _options(schema, written["items"]) if "properties" in option]
        default = [_beyond_defaults(each, item["properties"]) for each in default]
    return cell(f"`{_in_yaml(default)}`")


def _beyond_defaults(section: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in section.items() if value != properties[key].get("default")}


def _in_yaml(value: Any) -> str:
    """A value on one line."""
    text = yaml.safe_dump(value, default_flow_style=True, width=10_000, sort_keys=False)
    return text.removesuffix("...\n").strip()


def _states() -> str:
    lines = [
        *("# The states of a rebuild", ""),
        "Which way a rebuild and its steps go to their end, for whoever changes that.",
        *("", _NOTE, *_diagram(TRANSITIONS, "planned"), ""),
        "Another transition raises; each carries a reason.",
        "",
        "- `building`: the build of the merge commit is looked for and followed. A dispatch comes there where it",
        "  was to repeat such a build and may not start it: whoever does is followed.",
        "- `merged`: that build was not seen within `rollout.build_within`.",
        "- `dispatched` is also who follows a run under way (`run 412 of 18:20 builds it already`). Where that",
        "  brings no new base, it is `superseded` by one that is dispatched.",
        "",
        "What has ended never moves again. Where people open a closed pull request again within thirty days,",
        "another rebuild goes on with it, `open` from its beginning, unless a later one has its bases by then.",
        *("", "## The states of a step", "", *_diagram(STEP_TRANSITIONS, "planned"), ""),
        "A step is `due` once what it follows has succeeded. A rebuild ends with its last step, or the first that",
        "fails.",
    ]
    return "\n".join([*lines, ""])


def _diagram(table: Mapping[Any, Iterable[Any]], first: str) -> list[str]:
    """A state whose name has several words gets a name of one."""
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f'    state "{state}" as {_one_word(state)}' for state in table if " " in state]
    for before, ways in table.items():
        lines += [f"    {_one_word(before)} --> {_one_word(state)}" for state in sorted(ways)]
        if not ways:
            lines.append(f"    {_one_word(before)} --> [*]")
    return [*lines, "```"]


def _one_word(state: str) -> str:
    return state.replace(" ", "_")


def _commands() -> str:
    lines = [
        "# Commands",
        "",
        "Every command with what it is for, and how it ends; `freshness-bot COMMAND --help` says the rest.",
        "",
        _NOTE,
    ]
    for group, commands in GROUPS.items():
        lines += [f"## {group}", ""]
        lines += [
            f"- `{path}`: {text}"
            for name, place in commands.items()
            for path, text in _told(name, read_command(place))
        ]
        lines.append("")
    lines += [
        "## Exit codes",
        "",
        "0 done, or what was checked holds; 1 something needs attention, or it does not hold; 2 bad input or",
        "settings, or a store that cannot be opened; 3 cannot tell; 130 interrupted.",
        "",
        "| command | how it ends |",
        "|---|---|",
    ]
    places = [each for commands in GROUPS.values() for each in commands.items()]
    endings: dict[str, list[str]] = {}
    for name, place in places:
        for path, text in _helps(name, read_command(place)):
            endings.setdefault(cell(_exits(text)), []).append(f"`{path}`")
    lines += [f"| {', '.join(alike)} | {told} |" for told, alike in endings.items()]
    return "\n".join(lines) + "\n"


def _exits(text: str) -> str:
    """The sentence of a command's help that tells its exit codes, without the words that begin it and the end that
    most have, which is told above the table."""
    _, _, told = " ".join(text.split()).partition("Exit code")
    own = _READABLE.sub("", told.removeprefix("s:").partition(" Example:")[0].strip())
    own = _TOLD_ABOVE.sub("", re.sub(r"\b([0123]) where ", r"\1 ", own))
    return own if own.endswith(".") else f"{own}."


_READABLE = re.compile(
    r"(?:[,;] 2 (?:where )?(?:the )?settings or (?:the )?store cannot be read"
    r"|, or (?:settings or store|it or the settings) cannot be read)\.?$"
)
_TOLD_ABOVE = re.compile(r"[,;] 2 (?:bad input|settings(?:, secrets or store)? cannot be read)(?=[,.;]|$)")
_LISTED = (
    "`audit` lists what it leaves out in one line, in JSON in a row for each folder with `outcome: left out` and\n"
    "`left_out`. `audit --all` judges it as well."
)
_ARTICLE = (
    "What Microsoft's article on hardened .NET images asks for. *commit*: [onboarding](operate/onboarding.md)",
    "makes the change. *patch*: people are told, with a patch where one can be proved. *none*: the service does",
    "it.",
)
_ASKED_NOTHING = (
    "The severity of each check stands beside what holds. Windows containers are asked nothing about users,",
    "rights, capabilities, seccomp, the root file system and volumes.",
)


def _checks() -> str:
    lines = [
        "# Practices that are checked",
        "",
        "What `freshness-bot audit` asks of a repository; [how to add one](how-to/add-a-check.md).",
        "",
        _NOTE,
    ]
    lines += [_as_markdown(str(scope.__doc__).strip().partition("\n\n")[2]), "", _LISTED, ""]
    lines += ["## What the article asks", "", *_ARTICLE, "", *article_table(), "", *_ASKED_NOTHING]
    for group, rules in AUDIT_GROUPS.items():
        lines += ["", f"## {group}"]
        for rule in rules:
            what, _, rest = (
                str(sys.modules[rule.judge.__module__].__doc__).strip().partition("\n\n")[2].partition("\n\n")
            )
            told = f"{what}\n\nWhy: {rule.why}\n\n{rest}"
            lines += ["", f"### {rule.check}", "", _as_markdown(told, rule.severity)]
    return "\n".join(lines) + "\n"


def _as_markdown(docstring: str, severity: str = "") -> str:
    """A module's docstring, whose example is an indented block behind two colons; of a check with its severity."""
    parts: list[str] = []
    for part in docstring.split("\n\n"):
        if part.startswith("    "):
            parts.append("```\n" + "\n".join(line[4:] for line in part.splitlines()) + "\n```")
        else:
            word, colon, rest = part.partition(":")
            is_heading = colon and word.split(" ")[0] in {"What", "Why", "Example", "Fix", "Exceptions"}
            beside = f" ({severity})" if word == "What" else ""
            told = word.removeprefix("Example that ").removeprefix("is ").capitalize()
            parts.append(f"**{told}**{beside}:{rest.replace('::', ':').removesuffix(':')}" if is_heading else part)
    return "\n\n".join(parts)


def _told(name: str, command: Any) -> Iterator[tuple[str, str]]:
    """A command, or each of those below it, with the first line of its help."""
    return ((path, text.partition("\n\n")[0].replace("\n", " ")) for path, text in _helps(name, command))


def _helps(name: str, command: Any) -> Iterator[tuple[str, str]]:
    """A command, or each of those below it, with its help."""
    if not hasattr(command, "registered_commands"):
        yield name, str(command.__doc__).strip()
        return
    for each in command.registered_commands:
        inner = each.name or each.callback.__name__.replace("_", "-")
        yield from _helps(f"{name} {inner}", each.callback)
    for group in command.registered_groups:
        yield from _helps(f"{name} {group.name}", group.typer_instance)


def main() -> None:
    """Writes every page."""
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(FOLDER.parent), file=sys.stderr)


if __name__ == "__main__":
    main()
