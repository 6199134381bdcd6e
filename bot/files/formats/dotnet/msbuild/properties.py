"""What the properties of a project come to at some point of its evaluation, and texts with them put in."""

import posixpath
import re
from collections.abc import Mapping

from bot.files.formats.dotnet.msbuild.conditions import Applies, condition_holds
from bot.files.formats.dotnet.msbuild.values import LONGEST_VALUE, Setting, UndecidedValue
from bot.files.formats.source.collector import quoted
from bot.files.formats.source.spanned import Spanned, joined

MOST_PUT_IN = 200_000
"""Characters that properties may come to altogether."""
_EXPRESSION = re.compile(r"\$\((?P<name>[A-Za-z_][\w-]*)\)")
_ANY_EXPRESSION = re.compile(r"[$@%]\(")
_FUNCTION = re.compile(r"\$\((?:\[|[A-Za-z_][\w-]*[.\[])")
"""`$([Type]::Function(…))`, `$(Property.Method(…))`: what only MSBuild computes, whatever is put in."""
_OWN_FOLDER = frozenset({"msbuildthisfiledirectory", "msbuildprojectdirectory"})
"""Properties that hold a folder; written here from the repository's root on, with a slash before and behind."""
_KNOWN_TO_MSBUILD_ALONE = re.compile(
    r"(?:MSBuild|NETCoreSdk|NetCoreTargeting|Bundled|_|GITHUB_|BUILD_|AGENT_|Solution|VisualStudio|DevEnv).*"
    r"|OS|CI|TF_BUILD|ContinuousIntegrationBuild|TargetFrameworkIdentifier|TargetFrameworkVersion|AssemblyName",
    re.I,
)


Given = Mapping[str, str | UndecidedValue]
"""Properties of a command line, with what is known of their values."""


class Properties:
    """What is set by now in the project `home`.

    `command_properties` are properties that nothing overrides, like those of the command line.
    """

    def __init__(self, command_properties: Given, home: str) -> None:
        self._command_properties = {name.lower(): value for name, value in command_properties.items()}
        self._home = home
        self._settings: dict[str, Setting | UndecidedValue] = {}
        self._put_in_so_far = 0
        self._replaceable: set[str] = set()
        """Properties that a build may be given another value for, as the texts set them where they are empty."""
        self._is_certain = True
        """Whether what was expanded last rests on none of these, nor on one that no text sets."""

    def setting(self, name: str) -> Setting | UndecidedValue | None:
        """What the property is at this point, None where no text sets it."""
        return self._settings.get(name.lower())

    def settings(self) -> Mapping[str, Setting | UndecidedValue]:
        """All that the texts set, by name in lower case."""
        return self._settings

    def given(self, name: str) -> str | UndecidedValue | None:
        """What the command line gives the property, None where it gives nothing."""
        return self._command_properties.get(name.lower())

    def text(self, name: str) -> str | UndecidedValue:
        """The property's value without surrounding space; empty where no text sets it."""
        command_value = self._command_properties.get(name.lower())
        if command_value is not None:
            return command_value
        setting = self.setting(name)
        if isinstance(setting, UndecidedValue):
            return setting
        return setting.value.text.strip() if setting is not None else ""

    def assign(
        self, name: str, new_setting: Setting | UndecidedValue, applies: Applies, *, is_certain: bool
    ) -> None:
        """Takes in what an element sets the property to, as far as the element counts.

        `is_certain` says that this rests on nothing that a build may be given another value for.
        """
        key = name.lower()
        if key in self._command_properties or applies.is_ruled_out:
            return
        if not is_certain:
            self._replaceable.add(key)
        elif applies.holds:
            self._replaceable.discard(key)
        if applies.holds is False:
            return
        if applies.holds or isinstance(new_setting, UndecidedValue):
            self._settings[key] = new_setting
        elif self.text(name) != new_setting.value.text.strip():
            why = f"whether {quoted(applies.condition)} holds is not known here"
            self._settings[key] = UndecidedValue(why, new_setting.path, new_setting.line)

    def answer(self, condition: str) -> tuple[bool | None, bool]:
        """Whether a condition holds, None where that is not known, and whether that is certain: it rests on nothing
        that a build may be given another value for."""
        self._is_certain = True
        return condition_holds(condition, self._expanded_for_condition), self._is_certain

    def weighed(self, text: Spanned, path: str) -> tuple[Spanned | UndecidedValue, bool]:
        """The text as `expanded` has it, and whether that is certain in the same sense."""
        self._is_certain = True
        return self.expanded(text, path), self._is_certain

    def _expanded_for_condition(self, text: str) -> str | None:
        """A property that no text sets is empty, as in a build from a fresh checkout."""
        for expression in _EXPRESSION.finditer(text):
            name = expression["name"]
            unknown = self.setting(name) is None and name.lower() not in self._command_properties
            self._is_certain = self._is_certain and not unknown and name.lower() not in self._replaceable
            if isinstance(self.text(name), UndecidedValue) or (unknown and _KNOWN_TO_MSBUILD_ALONE.fullmatch(name)):
                return None
        expanded = _EXPRESSION.sub(lambda expression: str(self.text(expression["name"])), text[:LONGEST_VALUE])
        return None if _ANY_EXPRESSION.search(expanded) or len(expanded) > LONGEST_VALUE else expanded

    def expanded(self, text: Spanned, path: str) -> Spanned | UndecidedValue:
        """The text with properties put in, each character with the place that it comes from."""
        if "(" not in text.text:
            return text
        parts: list[Spanned] = []
        done, length = 0, 0
        for expression in _EXPRESSION.finditer(text.text):
            near = text.place(expression.start())
            put_in = self._expand_property(expression["name"], near, path)
            if isinstance(put_in, UndecidedValue):
                return self._leave_to_msbuild(text, path) if _FUNCTION.search(text.text) else put_in
            length += len(put_in)
            if length > LONGEST_VALUE or self._put_in_so_far + length > MOST_PUT_IN:
                return UndecidedValue("its value is too long", path, 0)
            parts += [text.part(done, expression.start()), put_in]
            done = expression.end()
        self._put_in_so_far += length
        whole = joined([*parts, text.part(done, len(text))])
        if _ANY_EXPRESSION.search(whole.text):
            return self._leave_to_msbuild(text, path)
        return whole

    def _leave_to_msbuild(self, text: Spanned, path: str) -> UndecidedValue:
        return UndecidedValue(f"{quoted(text.text)} takes MSBuild to compute", path, 0)

    def _expand_property(self, name: str, near: int, path: str) -> Spanned | UndecidedValue:
        command_value = self._command_properties.get(name.lower())
        if command_value is not None:
            return (
                command_value
                if isinstance(command_value, UndecidedValue)
                else Spanned(command_value, (~near,) * len(command_value))
            )
        if name.lower() in _OWN_FOLDER:
            folder = posixpath.dirname(path if "this" in name.lower() else self._home)
            text = f"/{folder}{'/' if folder else ''}"
            return Spanned(text, (~near,) * len(text))
        setting = self.setting(name)
        self._is_certain = self._is_certain and name.lower() not in self._replaceable
        if setting is None:
            return UndecidedValue(f"$({name}) is not set here", path, 0)
        return setting if isinstance(setting, UndecidedValue) else setting.value.strip()
