"""A package that a shared framework takes the place of is not loaded, and counts by the framework alone.

The framework's documents here are written as a runtime's image has them; none that was published is at hand.
"""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from bot.images.packages.databases.places import largest, packages_in

SHARED = "usr/share/dotnet/shared"
CORE, WEB = "Microsoft.NETCore.App", "Microsoft.AspNetCore.App"
JSON = "System.Text.Json"
LOGGING = "Microsoft.Extensions.Logging"


def assembly(file: str, version: str = "8.0.0.0") -> dict[str, str]:
    return {"assemblyVersion": version, "fileVersion": file}


def deps(packages: Mapping[str, Mapping[str, Any]], kind: str = "package") -> bytes:
    libraries = {key: {"type": kind, "serviceable": True} for key in packages}
    name = ".NETCoreApp,Version=v8.0/linux-x64"
    return json.dumps(
        {"runtimeTarget": {"name": name}, "targets": {name: packages}, "libraries": libraries}
    ).encode()


def framework(version: str, file: str, name: str = CORE, dll: str = JSON) -> dict[str, bytes]:
    folder = f"{SHARED}/{name}/{version}"
    pack = f"{name}.Runtime.linux-x64/{version}"
    return {folder: b"", f"{folder}/{name}.deps.json": deps({pack: {"runtime": {f"{dll}.dll": assembly(file)}}})}


def application(
    file: str = "8.0.724.31311", package: str = JSON, config: Any = None, **assets: Any
) -> dict[str, bytes]:
    runtime = {"runtime": {f"lib/net8.0/{package}.dll": assembly(file)}, **assets}
    options = {"runtimeOptions": {"framework": {"name": CORE, "version": "8.0.0"}}} if config is None else config
    files = {"app/shop.deps.json": deps({f"{package}/8.0.4": runtime})}
    return files if config is False else {**files, "app/shop.runtimeconfig.json": json.dumps(options).encode()}


def listed(*parts: Mapping[str, bytes]) -> set[str]:
    files = {path: data for part in parts for path, data in part.items()}
    inventory = packages_in(files)
    assert inventory.problems == ()
    return {f"{each.name}/{each.version}" for each in inventory.packages if ".App" not in each.name}


NEWER, OLDER = framework("8.0.11", "8.0.1124.51707"), framework("8.0.1", "8.0.123.58001")


def test_what_the_framework_has_in_a_later_version_is_not_what_runs() -> None:
    assert listed(application(), NEWER) == set()


@pytest.mark.parametrize(
    "file", ["8.0.1124.51707", "8.0.1224.60305", "9.0.24.1", "not a version", ""], ids=lambda file: file or "none"
)
def test_what_is_as_new_or_newer_or_of_no_version_stays(file: str) -> None:
    assert listed(application(file), NEWER) == {f"{JSON}/8.0.4"}


def test_every_version_that_the_host_may_choose_has_to_be_later() -> None:
    assert listed(application(), NEWER, OLDER) == {f"{JSON}/8.0.4"}
    old_channel = framework("6.0.36", "6.0.3624.51421")
    assert listed(application(), NEWER, old_channel) == set(), "the host goes back to none"
    assert listed(application(), old_channel) == {f"{JSON}/8.0.4"}


def test_a_framework_that_the_application_does_not_run_on_takes_no_place() -> None:
    web = framework("8.0.11", "8.0.1124.51707", WEB, LOGGING)
    assert listed(application(package=LOGGING), NEWER, web) == {f"{LOGGING}/8.0.4"}
    of_web = {"runtimeOptions": {"frameworks": [{"name": WEB, "version": "8.0.0"}]}}
    assert listed(application(package=LOGGING, config=of_web), NEWER, web) == set()
    assert listed(application(config=of_web), NEWER, web) == set(), "it stands on the core"


@pytest.mark.parametrize(
    "config",
    [
        False,
        {},
        {"runtimeOptions": {"includedFrameworks": [{"name": CORE, "version": "8.0.11"}]}},
        {"runtimeOptions": {"framework": 7}},
        [],
    ],
    ids=["a plug-in", "empty", "self-contained", "wrong", "no object"],
)
def test_where_nothing_says_that_it_runs_on_one_all_stays(config: Any) -> None:
    assert listed(application(config=config), NEWER) == {f"{JSON}/8.0.4"}


def test_code_of_its_own_beside_keeps_the_package() -> None:
    own: dict[str, Any] = {"native": {"libjson.so": {"fileVersion": "0.0.0.0"}}}
    assert listed(application(**own), NEWER) == {f"{JSON}/8.0.4"}
    other: dict[str, Any] = {
        "runtimeTargets": {"runtimes/linux/lib/net8.0/Other.dll": {"rid": "linux", **assembly("8.0.1.1")}}
    }
    assert listed(application(**other), NEWER) == {f"{JSON}/8.0.4"}


def test_a_framework_whose_own_list_is_not_there_or_not_one_takes_no_place() -> None:
    [folder, place] = NEWER
    assert listed(application(), {folder: b""}) == {f"{JSON}/8.0.4"}
    inventory = packages_in({**application(), folder: b"", place: b"{"})
    assert JSON in {each.name for each in inventory.packages}
    assert len(inventory.problems) == 1


def test_what_says_which_frameworks_an_application_runs_on_is_read_of_a_layer() -> None:
    assert largest("app/shop.runtimeconfig.json") == 64 * 1024
