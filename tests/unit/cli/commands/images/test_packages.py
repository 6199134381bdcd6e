import errno
import gzip
import json
import lzma
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli.main import app
from bot.domain.failure import Failure
from bot.domain.packages.package import Inventory
from tests.conftest import NO_SHARED_DATA
from tests.unit.clients.folders.layouts import layout
from tests.unit.images.packages.archives import STATUS, archive, digest, paragraph, zipped, zstd
from tests.unit.images.packages.evidence import EVIDENCE, content


def run(*words: object, given: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], input=given)


def refusal(*words: object) -> str:
    result = run(*words)
    assert isinstance(result.exception, Failure)
    return str(result.exception)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "var/lib/dpkg").mkdir(parents=True)
    (folder / STATUS).write_bytes(paragraph("libssl3t64", "3.0.13-0ubuntu3.5"))
    return folder


def test_a_folder_is_listed_in_rows_of_six_values(root: Path) -> None:
    result = run("packages", "list", root, "--format", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == [
        {
            "type": "deb",
            "name": "libssl3t64",
            "version": "3.0.13-0ubuntu3.5",
            "architecture": "amd64",
            "source": "libssl3t64",
            "source_version": "3.0.13-0ubuntu3.5",
        }
    ]


@pytest.mark.parametrize(
    ("place", "name", "count"),
    [
        ("var/lib/dpkg/status", "packages/deb/status-ubuntu-half1", 46),
        ("var/lib/dpkg/status.d/x", "packages/deb/status.d/pkgs-without-status", 5),
        ("lib/apk/db/installed", "packages/apk/installed-alpine", 15),
        ("usr/lib/apk/db/installed", "packages/apk/installed-multiple-1", 4),
        ("var/lib/rpmmanifest/container-manifest-2", "packages/rpm/container-manifest-2", 5),
        ("var/lib/rpm/rpmdb.sqlite", "packages/rpm/rpmdb.sqlite.xz", 10),
        ("usr/lib/sysimage/rpm/rpmdb.sqlite", "packages/rpm/rpmdb.sqlite.xz", 10),
        ("usr/share/rpm/rpmdb.sqlite", "packages/rpm/rpmdb.sqlite.xz", 10),
        ("var/lib/chisel/manifest.wall", "chisel/noble-runtime-deps.wall", 10),
        ("app/App.deps.json", "packages/dotnet/self-contained.deps.json", 3),
    ],
)
def test_every_recorded_database_is_found_in_its_place(tmp_path: Path, place: str, name: str, count: int) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True)
    path.write_bytes(content(name))
    result = run("packages", "list", tmp_path, "--format", "json")
    assert result.exit_code == 0
    assert len(json.loads(result.stdout)) == count


def test_an_oci_layout_is_listed(tmp_path: Path) -> None:
    layer = zipped(
        archive({STATUS: paragraph("a"), "usr/share/dotnet/shared/Microsoft.NETCore.App/8.0.11/a.dll": b""})
    )
    entry = {
        "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
        "digest": digest(layer),
        "size": len(layer),
    }
    manifest = json.dumps({"schemaVersion": 2, "config": entry, "layers": [entry]}).encode()
    listed = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(manifest), "size": 1}
    layout(tmp_path / "oci", layer, manifest, index={"schemaVersion": 2, "manifests": [listed]})
    result = run("packages", "list", tmp_path / "oci", "--format", "json")
    assert [(row["type"], row["name"]) for row in json.loads(result.stdout)] == [
        ("deb", "a"),
        ("nuget", "Microsoft.NETCore.App"),
    ]


def test_a_database_that_cannot_be_read_is_never_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "var/lib/chisel").mkdir(parents=True)
    (tmp_path / "var/lib/chisel/manifest.wall").write_bytes(content("chisel/truncated.wall"))
    result = run("packages", "list", tmp_path, "--format", "json")
    assert result.exit_code == 3
    assert result.stdout == ""
    assert "var/lib/chisel/manifest.wall: is cut short" in result.stderr


def test_a_link_in_place_of_a_database_is_not_followed(root: Path) -> None:
    (root / "lib/apk/db").mkdir(parents=True)
    (root / "lib/apk/db/installed").symlink_to("/etc/passwd")
    result = run("packages", "list", root, "--format", "json")
    assert result.exit_code == 3
    assert len(json.loads(result.stdout)) == 1
    assert "is a symbolic link to '/etc/passwd', which is not followed" in result.stderr


def test_no_name_within_an_image_steers_the_terminal_or_writes_a_line_of_its_own(root: Path) -> None:
    (root / "\x1b[31m\nall was read.deps.json").write_text("x")
    result = run("packages", "list", root)
    assert result.exit_code == 3
    assert result.stderr == "�[31m�all was read.deps.json: is not valid JSON; nothing of it is used\n"


@pytest.mark.parametrize(
    ("link", "target", "code"),
    [
        *(("lib", "usr/lib", 0), ("lib", "/usr/lib", 0), ("lib", "opt", 3)),
        ("usr/shared/Microsoft.NETCore.App", "/opt/net", 3),
        ("usr/shared/Microsoft.NETCore.App/8.0.11", "/opt/net", 3),
    ],
)
def test_a_linked_folder_is_a_problem_where_it_leads_elsewhere(
    root: Path, link: str, target: str, code: int
) -> None:
    (root / "usr/lib").mkdir(parents=True)
    (root / link).parent.mkdir(parents=True, exist_ok=True)
    (root / link).symlink_to(target)
    assert run("packages", "list", root).exit_code == code


def test_a_write_ahead_log_is_read_with_its_database(tmp_path: Path) -> None:
    folder = tmp_path / "var/lib/rpm"
    folder.mkdir(parents=True)
    packed = EVIDENCE / "packages/rpm/rpmdb.sqlite.xz"
    if not packed.exists():
        pytest.skip(NO_SHARED_DATA)
    (folder / "rpmdb.sqlite").write_bytes(lzma.decompress(packed.read_bytes()))
    (folder / "rpmdb.sqlite-wal").write_bytes(b"")
    assert run("packages", "list", tmp_path).exit_code == 0


@pytest.mark.parametrize("name", ["nothing", "shop:1"])
def test_a_source_that_is_not_there_is_bad_input_and_may_be_an_image_without_its_registry(name: str) -> None:
    refused = refusal("packages", "list", name)
    assert f"{name}: there is no such file or folder; name an image with its registry" in refused


@pytest.mark.parametrize("name", ["linux-modules-6.14.0-1012-aws", "q" * 100])
def test_a_table_cuts_no_name(root: Path, name: str) -> None:
    (root / STATUS).write_bytes(paragraph(name, "6.14.0-1012.12~24.04.1"))
    assert f"{name}  6.14.0-1012.12~24.04.1" in run("packages", "list", root).stdout


def test_an_sbom_file_is_a_source(root: Path, tmp_path: Path) -> None:
    for form in ("spdx", "cyclonedx"):
        written = run("sbom", "export", root, "--format", form)
        assert written.exit_code == 0
        path = tmp_path / f"{form}.json"
        path.write_text(written.stdout)
        listed = run("packages", "list", path, "--format", "json")
        assert [row["name"] for row in json.loads(listed.stdout)] == ["libssl3t64"]


def test_what_an_sbom_lists_stands_in_one_table_for_each_type(tmp_path: Path) -> None:
    listed = [
        {"type": "library", "name": url[8:9], "purl": url} for url in ("pkg:npm/b@1", "pkg:gem/c@1", "pkg:npm/a@1")
    ]
    (tmp_path / "sbom.json").write_text(json.dumps({"bomFormat": "CycloneDX", "components": listed}))
    lines = run("packages", "list", tmp_path / "sbom.json").stdout.splitlines()
    assert [line for line in lines if ": " in line] == [
        "packages: 3, on an unknown distribution (an SBOM's word)",
        "gem: 1",
        "npm: 2",
    ]


@pytest.mark.parametrize(
    ("manifest", "told"),
    [
        ([{"Config": "1.json", "RepoTags": ["shop:1"], "Layers": ["1/layer.tar"]}], "docker-archive:FILE"),
        ({"schemaVersion": 2, "config": {}, "layers": []}, "dir:FOLDER"),
    ],
)
def test_a_folder_with_an_image_that_is_no_layout_is_refused_with_the_way_to_one(
    tmp_path: Path, manifest: object, told: str
) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps(manifest))
    assert told in refusal("packages", "list", tmp_path)


@pytest.mark.parametrize(
    ("roots", "config"),
    [
        (["rootfs"], {"ociVersion": "1.0.2", "root": {"path": "rootfs"}}),
        (["linux_amd64", "linux_arm_v7"], None),
        (["windows_amd64"], None),
    ],
)
def test_a_folder_of_roots_is_refused_with_the_one_to_name(
    tmp_path: Path, roots: list[str], config: object
) -> None:
    """Applications would be found there, and no database of the system."""
    for name in roots:
        (tmp_path / name / STATUS).parent.mkdir(parents=True)
        (tmp_path / name / STATUS).write_bytes(paragraph("a"))
    if config is not None:
        (tmp_path / "config.json").write_text(json.dumps(config))
    assert f"name {tmp_path / roots[0]}" in refusal("packages", "list", tmp_path)
    assert run("packages", "list", tmp_path / roots[0]).exit_code == 0


@pytest.mark.parametrize("others", [("rootfs", "etc"), ("linux_amd64", "etc"), ("linux_amd64_backup",)])
def test_a_root_with_such_a_folder_in_it_is_one(root: Path, others: tuple[str, ...]) -> None:
    for name in others:
        (root / name).mkdir()
    (root / "config.json").write_text('{"name": "an application"}')
    assert run("packages", "list", root).exit_code == 0


def test_an_application_with_a_folder_of_a_platform_in_it_is_no_folder_of_roots(tmp_path: Path) -> None:
    (tmp_path / "linux_arm64").mkdir()
    (tmp_path / "shop.deps.json").write_text('{"libraries": {"a/1.0.0": {"type": "package"}}}')
    assert run("packages", "list", tmp_path).exit_code == 0


def test_a_folder_in_the_place_of_a_database_is_named(tmp_path: Path) -> None:
    (tmp_path / STATUS).mkdir(parents=True)
    result = run("packages", "list", tmp_path, "--format", "json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"{STATUS}: is a folder in the place of a database" in result.stderr


def test_what_docker_saved_long_ago_is_no_empty_root(tmp_path: Path) -> None:
    (tmp_path / "0a1b").mkdir()
    (tmp_path / "0a1b/layer.tar").write_bytes(archive({STATUS: paragraph("a")}))
    (tmp_path / "repositories").write_text('{"shop": {"1": "0a1b"}}')
    assert "docker-archive:FILE" in refusal("packages", "list", tmp_path)


@pytest.mark.parametrize("manifest", ['{"name": "an application"}', "[]", "nonsense"])
def test_another_manifest_in_the_root_is_a_file_like_any(root: Path, manifest: str) -> None:
    (root / "manifest.json").write_text(manifest)
    assert run("packages", "list", root).exit_code == 0


@pytest.mark.parametrize("words", [("packages", "list"), ("packages", "compare"), ("gate",)])
def test_a_file_that_may_not_be_read_is_told(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "closed.json"
    path.touch()

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    result = run(*words, path)
    told = str(result.exception) if isinstance(result.exception, Failure) else result.stderr
    assert "closed.json: cannot be read: Permission denied" in told


@pytest.mark.parametrize("words", [("packages", "list"), ("packages", "diff", "."), ("sbom", "export")])
def test_a_source_that_may_not_be_looked_at_is_told(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`diff` would end as where something differs."""
    stat = Path.stat

    def refused(path: Path, **told: bool) -> os.stat_result:
        if path.is_relative_to(tmp_path / "closed"):
            raise PermissionError(errno.EACCES, "Permission denied")
        return stat(path, **told)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Path, "stat", refused)
    assert "closed: cannot be looked at: Permission denied" in refusal(*words, tmp_path / "closed")


def test_a_name_that_no_file_can_have_is_told(tmp_path: Path) -> None:
    assert "cannot be looked at: File name too long" in refusal("packages", "list", tmp_path / ("long" * 100))


def test_what_a_new_base_changes_is_listed(root: Path, tmp_path: Path) -> None:
    after = tmp_path / "after"
    shutil.copytree(root, after)
    assert run("packages", "diff", root, after).exit_code == 0
    (after / STATUS).write_bytes(paragraph("libssl3t64", "3.0.13-0ubuntu3.6"))
    result = run("packages", "diff", root, after, "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout) == [
        {
            "type": "deb",
            "name": "libssl3t64",
            "architecture": "amd64",
            "before": "3.0.13-0ubuntu3.5",
            "after": "3.0.13-0ubuntu3.6",
            "direction": "up",
        }
    ]


def test_lines_are_compared_and_keep_what_else_they_hold() -> None:
    lines = '{"type": "deb", "a": "1.0~rc1", "b": "1.0", "id": 7}\n\n{"type": "rpm", "a": "1:1-1", "b": "2-1"}\n'
    result = run("packages", "compare", given=lines)
    assert result.exit_code == 0
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"type": "deb", "a": "1.0~rc1", "b": "1.0", "id": 7, "order": -1},
        {"type": "rpm", "a": "1:1-1", "b": "2-1", "order": 1},
    ]


def test_a_dash_is_standard_input() -> None:
    [answer] = run("packages", "compare", "-", given='{"type": "deb", "a": "1", "b": "1"}').stdout.splitlines()
    assert json.loads(answer)["order"] == 0


def test_a_line_that_is_too_long_is_one_line_still() -> None:
    """Who reads the answers counts the lines."""
    pair = {"type": "deb", "a": "1", "b": "2"}
    given = f"{json.dumps({**pair, 'a': '1' * 300_000})}\n{json.dumps(pair)}\n"
    answers = [json.loads(line) for line in run("packages", "compare", given=given).stdout.splitlines()]
    assert [(each.get("line"), each["order"]) for each in answers] == [(1, None), (None, -1)]
    assert answers[0]["problem"] == "has more than 65536 bytes"


def test_a_line_that_cannot_be_compared_hinders_no_other(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl"
    path.write_text('nonsense\n{"type": "deb", "a": "", "b": "1"}\n{"type": "apk", "a": "1-r0", "b": "1-r0"}\n')
    result = run("packages", "compare", path)
    assert result.exit_code == 2
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [answer["order"] for answer in answers] == [None, None, 0]
    assert answers[0]["line"] == 1


REPORT = EVIDENCE / "trivy/alpine-39.json"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    if not REPORT.exists():
        pytest.skip(NO_SHARED_DATA)
    return Path(shutil.copy(REPORT, tmp_path / "report.json"))


def test_the_gate_lists_what_blocks(report: Path) -> None:
    result = run("gate", report, "--severity", "HIGH,CRITICAL", "--ignore-unfixed", "--format", "json")
    assert result.exit_code == 1
    assert json.loads(result.stdout)[0] == {
        "id": "CVE-2019-14697",
        "package": "musl",
        "installed": "1.1.20-r4",
        "fixed": "1.1.20-r5",
        "severity": "CRITICAL",
    }


def test_the_gate_passes_what_was_there_before(report: Path) -> None:
    result = run("gate", report, "--against", report, "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])


def of_image(name: str, architecture: str = "amd64") -> str:
    finding = {"VulnerabilityID": "CVE-2026-1", "PkgName": "musl", "InstalledVersion": "1", "Severity": "HIGH"}
    return json.dumps(
        {
            "SchemaVersion": 2,
            "ArtifactName": name,
            "Metadata": {"ImageConfig": {"os": "linux", "architecture": architecture}},
            "Results": [{"Target": "image", "Class": "os-pkgs", "Vulnerabilities": [finding]}],
        }
    )


@pytest.mark.parametrize(
    ("before", "told"),
    [
        (of_image("ghcr.io/contoso/shop:1"), ""),
        (
            of_image("ghcr.io/contoso/jobs:1"),
            "is about ghcr.io/contoso/jobs, and now.json about ghcr.io/contoso/shop",
        ),
        (of_image("ghcr.io/contoso/shop:1", "arm64"), "is about linux/arm64, and now.json about linux/amd64"),
        (of_image("shop.tar"), ""),
        (of_image("build/shop.tar.gz"), ""),
        (of_image("/builds/17/shop"), ""),
        (of_image("."), ""),
        (of_image("ghcr.io/contoso/shop:1", "x86_64"), ""),
        (of_image(""), ""),
        (of_image("ghcr.io/contoso/shop:1", ""), ""),
    ],
)
def test_the_gate_says_that_the_image_before_is_another(
    before: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("now.json").write_text(of_image("ghcr.io/contoso/shop:2"))
    Path("before.json").write_text(before)
    result = run("gate", "now.json", "--against", "before.json", "-f", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert result.stderr == (f"before.json: {told}; what both have does not block\n" if told else "")


def test_names_of_docker_hub_are_one(tmp_path: Path) -> None:
    for number, name in enumerate(("nginx:1", "docker.io/library/nginx:2", "index.docker.io/library/nginx")):
        (tmp_path / str(number)).write_text(of_image(name))
    assert run("gate", tmp_path / "0", "--against", tmp_path / "1").stderr == ""
    assert run("gate", tmp_path / "0", "--against", tmp_path / "2").stderr == ""


def test_the_gate_cannot_tell_without_a_report(report: Path, tmp_path: Path) -> None:
    for words in ((tmp_path / "nothing",), (report, "--against", tmp_path / "nothing")):
        result = run("gate", *words)
        assert result.exit_code == 3
        assert "cannot tell" in result.stderr


def test_the_gate_reads_what_grype_wrote_and_compares_it_with_no_other_scanners_report(
    report: Path, tmp_path: Path
) -> None:
    found = {
        "vulnerability": {"id": "CVE-2026-1", "severity": "High", "fix": {"versions": ["2"], "state": "fixed"}},
        "artifact": {"name": "app", "version": "1"},
    }
    (tmp_path / "grype.json").write_text(json.dumps({"matches": [found], "descriptor": {"name": "grype"}}))
    result = run("gate", tmp_path / "grype.json", "--format", "json")
    assert (result.exit_code, [each["id"] for each in json.loads(result.stdout)]) == (1, ["CVE-2026-1"])
    result = run("gate", tmp_path / "grype.json", "--against", report, "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (3, [])
    assert "whether what Grype finds is new (1 finding)" in result.stderr


def test_the_gate_cannot_tell_by_an_old_report(report: Path) -> None:
    result = run("gate", report, "--severity", "UNKNOWN", "--max-age", "7d")
    assert result.exit_code == 3
    assert "more than the 7 days allowed" in result.stderr


def test_the_gate_cannot_tell_the_age_of_a_report_of_tomorrow(report: Path) -> None:
    report.write_text(json.dumps(json.loads(report.read_text()) | {"CreatedAt": "2126-01-01T00:00:00Z"}))
    result = run("gate", report, "--severity", "UNKNOWN", "--max-age", "7d")
    assert result.exit_code == 3
    assert "was made at a time that is not yet, 2126-01-01 00:00 UTC" in result.stderr


def test_the_gate_reads_standard_input(report: Path) -> None:
    """`trivy image --format json IMAGE | freshness-bot gate -`"""
    named, given = run("gate", report, "-f", "json"), run("gate", "-", "-f", "json", given=report.read_text())
    assert (given.exit_code, given.stdout) == (named.exit_code, named.stdout)
    assert run("gate", report, "--against", "-", given=report.read_text()).exit_code == 0
    assert "-: is empty" in refusal("gate", "-")


def test_severities_that_are_given_one_by_one_all_count(tmp_path: Path) -> None:
    """As Trivy takes them; where the last one counted alone, the others would be let through."""
    path = tmp_path / "trivy.json"
    found = [
        {"VulnerabilityID": f"CVE-2026-{each}", "PkgName": "a", "InstalledVersion": "1", "Severity": each}
        for each in ("HIGH", "CRITICAL", "LOW")
    ]
    path.write_text(json.dumps({"SchemaVersion": 2, "Results": [{"Target": "a", "Vulnerabilities": found}]}))
    result = run("gate", path, "--severity", "HIGH", "--severity", "critical", "-f", "json")
    assert [each["severity"] for each in json.loads(result.stdout)] == ["HIGH", "CRITICAL"]
    assert "names no severity" in refusal("gate", path, "--severity", "HIGH", "--severity", "")


def test_the_gate_refuses_bad_input(report: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{}")
    assert "is no report of Trivy" in refusal("gate", tmp_path / "bad.json")
    assert "is a folder" in refusal("gate", tmp_path)
    assert "names no severity" in refusal("gate", report, "--severity", "SEVERE")
    assert "--max-age" in refusal("gate", report, "--max-age", "soon")


def test_the_gate_heeds_a_document_and_says_so(report: Path, tmp_path: Path) -> None:
    statement = {
        "vulnerability": {"name": "CVE-2019-14697"},
        "products": ["pkg:apk/alpine/musl", "pkg:apk/alpine/musl-utils"],
        "status": "not_affected",
        "justification": "component_not_present",
    }
    told = {"@context": "https://openvex.dev/ns/v0.2.0", "author": "the team", "statements": [statement]}
    (tmp_path / "vex.json").write_text(json.dumps(told))
    result = run("gate", report, "--vex", tmp_path / "vex.json", "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "CVE-2019-14697 in musl: not_affected (component_not_present), says the team" in result.stderr


def test_the_gate_heeds_no_statement_of_tomorrow_and_says_so(report: Path, tmp_path: Path) -> None:
    products = ["pkg:apk/alpine/musl", "pkg:apk/alpine/musl-utils"]
    statement = {"vulnerability": {"name": "CVE-2019-14697"}, "products": products, "status": "fixed"}
    told = {"@context": "https://openvex.dev/ns", "timestamp": "2126-01-01T00:00:00Z", "statements": [statement]}
    (tmp_path / "vex.json").write_text(json.dumps(told))
    result = run("gate", report, "--vex", tmp_path / "vex.json", "--format", "json")
    assert (result.exit_code, bool(json.loads(result.stdout))) == (1, True)
    assert "what it says of CVE-2019-14697 is of 2126-01-01 00:00 UTC, which is yet to come" in result.stderr


def test_the_gate_refuses_a_report_that_names_its_findings_twice(report: Path) -> None:
    report.write_text(report.read_text().rstrip()[:-1] + ', "Results": []}')
    assert "a member is named twice: 'Results'" in refusal("gate", report)


def test_the_gate_says_where_a_document_speaks_of_one_platform_and_the_report_of_none(tmp_path: Path) -> None:
    text = "Package: musl\nInstalled Version: 1\nVulnerability CVE-2026-1\nSeverity: HIGH\nFixed Version: 2\n"
    digest = f"sha256:{'a' * 64}"
    sarif_run = {
        "tool": {"driver": {"name": "Trivy"}},
        "results": [{"ruleId": "CVE-2026-1", "message": {"text": text}}],
        "properties": {"repoDigests": [f"ghcr.io/contoso/shop@{digest}"]},
    }
    (tmp_path / "r.sarif").write_text(json.dumps({"version": "2.1.0", "runs": [sarif_run]}))
    statement = {"vulnerability": {"name": "CVE-2026-1"}, "status": "fixed"}
    for product, exit_code in ((f"pkg:oci/shop@{digest}?arch=arm64", 1), (f"pkg:oci/shop@{digest}", 0)):
        told = {"@context": "https://openvex.dev/ns", "statements": [statement | {"products": [{"@id": product}]}]}
        (tmp_path / "vex.json").write_text(json.dumps(told))
        result = run("gate", tmp_path / "r.sarif", "--vex", tmp_path / "vex.json")
        assert result.exit_code == exit_code
        line = "CVE-2026-1 in musl: an unnamed author excuses it on arm64 alone, and the report does not say which"
        assert (line in result.stderr) is (exit_code == 1)


@pytest.mark.parametrize(
    ("fixed", "rated_elsewhere", "words", "exit_code"),
    [
        ("2", False, (), 3),
        ("2", False, ("--ignore-unfixed",), 3),
        ("2", True, (), 0),
        ("", False, (), 3),
        ("", False, ("--ignore-unfixed",), 0),
        ("2", False, ("--against", "report.json"), 0),
        ("2", False, ("--vex", "vex.json"), 0),
        ("2", False, ("--severity", "UNKNOWN"), 1),
    ],
)
def test_what_nobody_rated_cannot_be_told_only_where_it_could_block(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    fixed: str,
    rated_elsewhere: bool,
    words: tuple[str, ...],
    exit_code: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    found = {
        "VulnerabilityID": "CVE-2026-1",
        "PkgName": "musl",
        "InstalledVersion": "1",
        "FixedVersion": fixed,
        "PkgIdentifier": {"PURL": "pkg:apk/alpine/musl@1"},
    }
    listed = [found, *([found | {"Severity": "LOW"}] if rated_elsewhere else [])]
    result = {"Target": "image", "Class": "os-pkgs", "Vulnerabilities": listed}
    Path("report.json").write_text(json.dumps({"SchemaVersion": 2, "Results": [result]}))
    statement = {"vulnerability": "CVE-2026-1", "products": ["pkg:apk/alpine/musl"], "status": "fixed"}
    told = {"@context": "https://openvex.dev/ns", "statements": [statement]}
    Path("vex.json").write_text(json.dumps(told))
    said = run("gate", "report.json", *words)
    assert said.exit_code == exit_code
    assert ("cannot tell: report.json: nothing says how severe CVE-2026-1 is" in said.stderr) is (exit_code == 3)


def test_the_gate_tells_what_was_suppressed_and_lets_it_through(tmp_path: Path) -> None:
    text = "Package: musl\nInstalled Version: 1\nVulnerability CVE-2026-1\nSeverity: {}\nFixed Version: 2\n"
    suppressions = [{"kind": "external", "justification": "not reachable"}]
    results = [
        {"ruleId": "CVE-2026-1", "message": {"text": text.format(word)}, "suppressions": suppressions}
        for word in ("HIGH", "LOW")
    ]
    (tmp_path / "trivy.sarif").write_text(json.dumps({"runs": [{"results": results}]}))
    result = run("gate", tmp_path / "trivy.sarif", "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert result.stderr == "CVE-2026-1 in musl: suppressed in the report: accepted (not reachable)\n"


def test_the_gate_tells_of_a_distribution_out_of_support_beside_its_list(tmp_path: Path) -> None:
    told = {"OS": {"Family": "alpine", "Name": "3.14.0", "EOSL": True}}
    result = {"Target": "image", "Class": "os-pkgs", "Vulnerabilities": []}
    path = tmp_path / "trivy.json"
    path.write_text(json.dumps({"SchemaVersion": 2, "Results": [result], "Metadata": told}))
    said = run("gate", path, "--format", "json")
    assert (said.exit_code, json.loads(said.stdout)) == (0, [])
    assert f"{path}: Trivy says that alpine 3.14.0 is out of support" in said.stderr


def test_of_many_suppressed_findings_the_gate_names_twenty_and_counts_the_rest(tmp_path: Path) -> None:
    matches = [
        {
            "vulnerability": {"id": f"CVE-2026-{number}", "severity": "High", "fix": {"state": "fixed"}},
            "artifact": {"name": "musl", "version": "1"},
        }
        for number in range(22)
    ]
    path = tmp_path / "grype.json"
    path.write_text(json.dumps({"matches": [], "ignoredMatches": matches}))
    said = run("gate", path)
    assert said.exit_code == 0
    assert said.stderr.count("CVE-2026-") == 20
    assert "and 2 findings more, suppressed in the report" in said.stderr


def test_more_databases_than_can_be_kept_are_named_and_those_before_are_read(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.commands.images.packages.LARGEST_KEPT", 400)
    for number in range(4):
        (root / f"{number}.deps.json").write_text(json.dumps({"libraries": {}, "x": "y" * 100}))
    result = run("packages", "list", root, "--format", "json")
    assert result.exit_code == 3
    assert "more than 400 bytes of package databases; neither it nor what follows is read" in result.stderr


def test_a_link_in_place_of_a_file_of_distroless_is_named(root: Path) -> None:
    (root / "var/lib/dpkg/status.d").mkdir()
    (root / "var/lib/dpkg/status.d/openssl").symlink_to("/etc/passwd")
    result = run("packages", "list", root, "--format", "json")
    assert result.exit_code == 3
    assert "status.d/openssl: is a symbolic link to '/etc/passwd', which is not followed" in result.stderr


def test_a_folder_without_any_database_says_that_nothing_is_known(tmp_path: Path) -> None:
    result = run("packages", "list", tmp_path, "--format", "json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, [])
    assert "no package was found" in result.stderr
    exported = run("sbom", "export", tmp_path)
    assert (exported.exit_code, exported.stderr) == (0, result.stderr)


@pytest.mark.parametrize("platforms", [("amd64", "amd64"), (None, None), ("amd64", "index")])
def test_of_a_layout_with_several_images_none_is_chosen(tmp_path: Path, platforms: tuple[str | None, ...]) -> None:
    """Which one would be read is chance; those of the platform that is meant are named."""
    blobs: list[bytes] = []
    listed = []
    for number, platform in enumerate(platforms):
        layer = zipped(archive({STATUS: paragraph(f"package{number}")}))
        entry = {"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": digest(layer), "size": 1}
        manifest = json.dumps({"schemaVersion": 2, "config": entry, "layers": [entry]}).encode()
        of = {"platform": {"os": "linux", "architecture": platform}} if platform in ("amd64",) else {}
        kind = "index" if platform == "index" else "manifest"
        media_type = f"application/vnd.oci.image.{kind}.v1+json"
        listed.append({"mediaType": media_type, "digest": digest(manifest), "size": 1, **of})
        blobs += [layer, manifest]
    layout(tmp_path / "oci", *blobs, index={"schemaVersion": 2, "manifests": listed})
    said = refusal("packages", "list", tmp_path / "oci")
    assert "does not say which image is meant" in said
    assert "layout of its own" in said


def one_image(folder: Path, architecture: str, platform: dict[str, str] | None = None, **variant: str) -> Path:
    """A layout of one image, whose index names its platform or does not."""
    told = json.dumps({"os": "linux", "architecture": architecture, **variant}).encode()
    layer = archive({STATUS: paragraph(architecture)})
    entries = [{"mediaType": "any", "digest": digest(blob), "size": 1} for blob in (told, layer)]
    manifest = json.dumps({"schemaVersion": 2, "config": entries[0], "layers": entries[1:]}).encode()
    of = {} if platform is None else {"platform": platform}
    media_type = "application/vnd.oci.image.manifest.v1+json"
    listed = {"mediaType": media_type, "digest": digest(manifest), "size": 1, **of}
    layout(folder, told, layer, manifest, index={"schemaVersion": 2, "manifests": [listed]})
    return folder


def test_an_image_of_another_platform_is_not_taken_for_the_one_that_is_meant(tmp_path: Path) -> None:
    """What skopeo copies has no platform in the index, but in its configuration."""
    folder = one_image(tmp_path / "oci", "amd64")
    assert "no image for linux/arm64: it is for linux/amd64" in refusal(
        "packages", "list", folder, "--platform", "linux/arm64"
    )
    assert run("packages", "list", folder, "--platform", "linux/amd64").exit_code == 0


@pytest.mark.parametrize(("asked", "is_it"), [("linux/arm", False), ("linux/armel", True), ("linux/arm/v7", False)])
def test_the_variant_of_an_image_counts_and_arm_alone_means_its_seventh(
    asked: str, is_it: bool, tmp_path: Path
) -> None:
    folder = one_image(tmp_path / "oci", "arm", variant="v6")
    result = run("packages", "list", folder, "--platform", asked)
    assert (result.exit_code == 0) is is_it
    assert is_it or "no image for linux/arm/v7: it is for linux/arm/v6" in str(result.exception)


@pytest.mark.parametrize("asked", ["linux/arm", "linux/arm/v5", "linux/arm/v6", "linux/arm/v7"])
def test_an_image_of_arm_that_tells_no_variant_is_taken_for_any(asked: str, tmp_path: Path) -> None:
    """Builders that set none write the same of arm/v6."""
    folder = one_image(tmp_path / "oci", "arm")
    assert run("packages", "list", folder, "--platform", asked).exit_code == 0


@pytest.mark.parametrize("words", [("packages", "list"), ("sbom", "export")])
def test_a_platform_is_refused_where_the_source_has_no_choice_of_one(
    words: tuple[str, ...], root: Path, tmp_path: Path
) -> None:
    """It was passed over, as if what is listed were of that platform."""
    (tmp_path / "sbom.json").write_text(run("sbom", "export", root).stdout)
    for source in (root, tmp_path / "sbom.json"):
        said = refusal(*words, source, "--platform", "linux/arm64")
        assert said.startswith(f"{source}: ")
        assert "leave --platform out" in said


def test_two_sources_of_which_one_is_an_image_are_compared_on_its_platform(root: Path, tmp_path: Path) -> None:
    image = one_image(tmp_path / "oci", "arm64")
    sbom = tmp_path / "sbom.json"
    sbom.write_text(run("sbom", "export", image).stdout)
    assert run("packages", "diff", image, sbom, "--platform", "linux/arm64").exit_code == 0
    assert "leave --platform out" in refusal("packages", "diff", root, sbom, "--platform", "linux/arm64")


@pytest.mark.parametrize("words", [("packages", "list"), ("packages", "diff", "."), ("sbom", "export")])
@pytest.mark.parametrize("platform", ["", "linux", "linux/", "linux/arm/v7/x"])
def test_what_is_no_platform_is_refused(words: tuple[str, ...], platform: str, root: Path) -> None:
    """An empty one, of a variable that is not set, took any."""
    result = run(*words, root, "--platform", platform)
    assert (result.exit_code, "no platform" in " ".join(result.stderr.split())) == (2, True)


def without_configuration(folder: Path) -> str:
    """Takes the configuration of the layout's image away; the digest of its manifest."""
    [listed] = json.loads((folder / "index.json").read_text())["manifests"]
    blobs = folder / "blobs/sha256"
    manifest = json.loads((blobs / listed["digest"][7:]).read_text())
    (blobs / manifest["config"]["digest"][7:]).unlink()
    return str(listed["digest"])


def test_the_platform_that_an_inner_index_tells_needs_no_configuration(tmp_path: Path) -> None:
    folder = one_image(tmp_path / "oci", "amd64")
    inner = without_configuration(folder)
    for kind, platform in (("manifest", {"os": "linux", "architecture": "amd64"}), ("index", None)):
        media_type = f"application/vnd.oci.image.{kind}.v1+json"
        listed = {"mediaType": media_type, "digest": inner, "size": 1} | (
            {"platform": platform} if platform else {}
        )
        body = json.dumps({"schemaVersion": 2, "manifests": [listed]}).encode()
        inner = digest(body)
        (folder / "blobs/sha256" / inner[7:]).write_bytes(body)
    (folder / "index.json").write_bytes(body)
    result = run("packages", "list", folder, "--platform", "linux/amd64", "--format", "json")
    assert (result.exit_code, [each["name"] for each in json.loads(result.stdout)]) == (0, ["amd64"])


def test_where_nothing_tells_the_platform_that_is_said_with_what_to_do(tmp_path: Path) -> None:
    folder = one_image(tmp_path / "oci", "amd64")
    without_configuration(folder)
    result = run("packages", "list", folder, "--platform", "linux/amd64", "--format", "json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "is not there, and no index says for which platform the image is" in result.stderr
    assert "leave --platform out" in result.stderr
    assert run("packages", "list", folder).exit_code == 0


@pytest.mark.parametrize("platform", ["linux/arm64", "linux/arm64/v8", "linux/aarch64", "arm64"])
def test_a_platform_may_be_named_in_any_way_that_containerd_takes(platform: str, tmp_path: Path) -> None:
    folder = one_image(tmp_path / "oci", "arm64", {"os": "linux", "architecture": "arm64", "variant": "v8"})
    assert run("packages", "list", folder, "--platform", platform).exit_code == 0


@pytest.mark.parametrize("words", [("packages", "list"), ("packages", "diff", "."), ("sbom", "export")])
def test_no_name_at_all_is_not_the_folder_that_one_is_in(words: tuple[str, ...]) -> None:
    """A variable that is not set in a workflow is an empty word."""
    result = run(*words, "")
    assert (result.exit_code, "it is empty" in result.stderr) == (2, True)


def test_a_layout_without_its_index_is_no_empty_root(tmp_path: Path) -> None:
    folder = one_image(tmp_path / "oci", "amd64")
    (folder / "index.json").unlink()
    assert "index.json: is not there" in refusal("packages", "list", folder)


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zstd])
def test_an_archive_of_an_image_is_said_to_be_one(tmp_path: Path, pack: Any) -> None:
    saved = tmp_path / "image.tar"
    saved.write_bytes(pack(archive({"manifest.json": b"[]"})))
    said = refusal("packages", "list", saved)
    assert "skopeo copy docker-archive:" in said
    assert "oci-archive:" in said


def test_the_root_of_a_system_has_a_name_in_its_sbom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.commands.images.packages.read_source", lambda *_: Inventory())
    assert json.loads(run("sbom", "export", "/").stdout)["name"] == "/"
    assert json.loads(run("sbom", "export", "/etc/..").stdout)["name"] == "/"


@pytest.mark.parametrize("words", [("--all",), (".", "--all", "--to", "x"), ("--to", "x"), ()])
def test_an_export_of_all_images_needs_a_folder_and_no_source(words: tuple[str, ...]) -> None:
    assert "--all" in refusal("sbom", "export", *words) or "SOURCE" in refusal("sbom", "export", *words)


@pytest.mark.parametrize("kept", [None, b"{}"], ids=["gone", "another"])
def test_a_layout_whose_manifest_cannot_be_read_cannot_tell(tmp_path: Path, kept: bytes | None) -> None:
    manifest = b'{"schemaVersion": 2}'
    listed = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest(manifest), "size": 1}
    layout(tmp_path / "oci", index={"schemaVersion": 2, "manifests": [listed]})
    if kept is not None:
        (tmp_path / "oci/blobs/sha256" / digest(manifest).partition(":")[2]).write_bytes(kept)
    result = run("packages", "list", tmp_path / "oci", "--format", "json")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "is not there" in result.stderr or "instead of" in result.stderr
