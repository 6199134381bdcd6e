import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.repositories.sdk_pin import RollForward, SdkPin
from bot.domain.repositories.usage import Findings, Role
from bot.files.formats.dotnet.global_json import find, pin
from tests.unit.files.formats.laws import spans_cover_what_they_claim

PINNED = """{
  // the SDK of our images
  "sdk": {
    "version": "8.0.404", /* kept by hand */
    "rollForward": "latestFeature",
  },
  "msbuild-sdks": {"Contoso.Build": "1.2.3"}
}
"""


def test_a_pinned_sdk_is_found_with_the_place_of_its_version() -> None:
    (usage,) = find("global.json", PINNED).usages
    assert (str(usage.reference), usage.role, usage.line) == (
        "mcr.microsoft.com/dotnet/sdk:8.0.404",
        Role.SDK_PIN,
        4,
    )
    assert usage.tag_span is not None
    assert usage.tag_span.of(PINNED) == "8.0.404"


def test_a_digest_has_no_place_in_it() -> None:
    (usage,) = find("global.json", PINNED).usages
    assert all(piece.span.start < piece.span.end for piece in usage.pieces)


def test_a_preview_is_a_version_too() -> None:
    (usage,) = find("global.json", '{"sdk": {"version": "10.0.100-rc.1.25451.107"}}').usages
    assert usage.reference.tag == "10.0.100-rc.1.25451.107"


@pytest.mark.parametrize(
    "text", ["{}", '{"sdk": {}}', '{"sdk": {"rollForward": "major"}}', '{"sdk": "8.0.404"}', "[]"]
)
def test_a_file_that_pins_no_sdk_tells_nothing(text: str) -> None:
    assert find("global.json", text) == Findings()
    assert pin(text) is None


@pytest.mark.parametrize("version", ["8.0", "8", "latest", "v8.0.404", "8.0.*"])
def test_an_incomplete_version_is_told(version: str) -> None:
    findings = find("global.json", f'{{"sdk": {{"version": "{version}"}}}}')
    assert findings.usages == ()
    assert findings.problems[0].message == f"{version!r} is no SDK version; write all of it, such as 8.0.404"


def test_an_unknown_roll_forward_is_told() -> None:
    findings = find("global.json", '{"sdk": {"version": "8.0.404", "rollForward": "newest"}}')
    assert "'newest' is no rollForward; use one of patch, feature" in findings.problems[0].message


@pytest.mark.parametrize("text", ["", "{", '{"sdk": {"version": 8}}', '{"sdk": {"version": "8.0.404"} "x": 1}'])
def test_what_cannot_be_read_is_told_in_one_line(text: str) -> None:
    findings = find("global.json", text)
    assert findings.usages == ()
    assert len(findings.problems) == 1


def test_the_rule_is_latest_patch_where_none_is_written() -> None:
    assert pin('{"sdk": {"version": "8.0.404"}}') == SdkPin("8.0.404", RollForward.LATEST_PATCH)


@pytest.mark.parametrize(
    ("rule", "accepted", "refused"),
    [
        (RollForward.DISABLE, ["8.0.404"], ["8.0.405"]),
        (RollForward.LATEST_PATCH, ["8.0.404", "8.0.416"], ["8.0.403", "8.0.500", "9.0.100"]),
        (RollForward.LATEST_FEATURE, ["8.0.416", "8.0.500"], ["8.0.311", "9.0.100"]),
        (RollForward.LATEST_MINOR, ["8.0.500", "8.1.100"], ["9.0.100"]),
        (RollForward.LATEST_MAJOR, ["9.0.100", "10.0.100"], ["7.0.410"]),
    ],
)
def test_which_sdk_a_pin_accepts(rule: RollForward, accepted: list[str], refused: list[str]) -> None:
    pinned = SdkPin("8.0.404", rule)
    assert all(pinned.accepts(version) for version in accepted)
    assert not any(pinned.accepts(version) for version in refused)


def test_a_pin_may_refuse_previews() -> None:
    assert SdkPin("8.0.404", RollForward.LATEST_MAJOR).accepts("10.0.100-rc.1")
    assert not SdkPin("8.0.404", RollForward.LATEST_MAJOR, allow_prerelease=False).accepts("10.0.100-rc.1")


@pytest.mark.parametrize("version", ["8.0", "8.0.416-noble", "", "latest", "v8.0.416", "8.0.416.1"])
def test_a_pin_never_becomes_what_is_no_sdk_version(version: str) -> None:
    assert not SdkPin("8.0.404").must_move(version, image_is_pinned=True)


@given(
    st.text()
    | st.text().map(lambda text: PINNED.replace("kept by hand", text))
    | st.text().map(lambda text: f'{{"sdk": {{"version": "{text}"}}}}')
)
def test_any_text_is_read_and_every_span_is_exact(text: str) -> None:
    findings = find("global.json", text)
    spans_cover_what_they_claim(text, findings)
