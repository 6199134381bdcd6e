"""global.json: which .NET SDK a repository asks for.

Format and matching rules: https://learn.microsoft.com/dotnet/core/tools/global-json. It is JSON
with comments.
"""

from dataclasses import replace

from bot.domain.repositories.sdk_pin import RollForward, SdkPin
from bot.domain.repositories.usage import Findings, Kind, Role
from bot.domain.tags.tag import Tag
from bot.files.formats.source.collector import Collector, Unreadable, quoted
from bot.files.formats.source.jsonc import read
from bot.files.formats.source.nodes import Mapping, Scalar, ScalarStyle
from bot.files.formats.source.spanned import Spanned

KIND = Kind("global-json")
SDK = "mcr.microsoft.com/dotnet/sdk"
_FULL_PRECISION = 3


def find(path: str, text: str) -> Findings:
    """The SDK image of the pinned version. Never raises."""
    file = Collector(path, text, KIND)
    try:
        sdk = _sdk(text)
    except Unreadable as error:
        return file.unreadable(error)
    version = sdk.scalar("version") if sdk is not None else None
    if version is None:
        return Findings()
    tag = Tag.parse(version.value)
    if version.style is not ScalarStyle.DOUBLE_QUOTED or tag.precision != _FULL_PRECISION or tag.prefix:
        version_text = quoted(version.value)
        file.problem(version.start, f"{version_text} is no SDK version; write all of it, such as 8.0.404")
        return file.findings()
    image = f"{SDK}:"
    usage = file.usage(
        Spanned(image, (~version.start,) * len(image)) + version.spanned, Role.SDK_PIN, assembled=True
    )
    if usage is not None:
        # An empty span would say that a digest may be added here, which no SDK understands.
        pieces = tuple(piece for piece in usage.pieces if piece.span.start < piece.span.end)
        file.add(replace(usage, pieces=pieces, sdk_pin=pin(text)))
    roll_forward = sdk.scalar("rollForward") if sdk is not None else None
    if roll_forward is not None and _roll_forward(roll_forward) is None:
        rule_names = ", ".join(RollForward)
        file.problem(roll_forward.start, f"{quoted(roll_forward.value)} is no rollForward; use one of {rule_names}")
    return file.findings()


def pin(text: str) -> SdkPin | None:
    """What the file asks for, None where it pins no SDK or cannot be read."""
    try:
        sdk = _sdk(text)
    except Unreadable:
        return None
    version = sdk.scalar("version") if sdk is not None else None
    if sdk is None or version is None:
        return None
    roll_forward, prerelease = sdk.scalar("rollForward"), sdk.scalar("allowPrerelease")
    return SdkPin(
        version.value,
        (_roll_forward(roll_forward) if roll_forward else None) or RollForward.LATEST_PATCH,
        prerelease is None or prerelease.value != "false",
    )


def _sdk(text: str) -> Mapping | None:
    root = read(text)
    return root.mapping("sdk") if isinstance(root, Mapping) else None


def _roll_forward(scalar: Scalar) -> RollForward | None:
    return next((rule for rule in RollForward if rule.lower() == scalar.value.lower()), None)
