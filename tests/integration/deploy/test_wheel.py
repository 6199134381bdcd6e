"""The wheel alone, away from the repository: everything that the code reads at run time is in it."""

import json
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[3]


def run(*words: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    ended = subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `bin` of a fresh environment with the wheel; only its dependencies are those of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    run(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT, cwd=folder)
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    run(*pip, "--python", python, "install", "--no-deps", "--no-index", wheel, cwd=folder)
    [packages] = (folder / "venv" / "lib").glob("python*/site-packages")
    (packages / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    where = run(python, "-c", "import bot; print(bot.__file__)", cwd=folder).stdout
    assert Path(where.strip()).is_relative_to(packages)
    return python.parent


def test_the_program_starts(installed: Path, tmp_path: Path) -> None:
    assert "Usage: freshness-bot" in run(installed / "freshness-bot", "--help", cwd=tmp_path).stdout
    assert "freshness-bot 0." in run(installed / "freshness-bot", "--version", cwd=tmp_path).stdout


def test_it_brings_its_migrations(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "freshness.yaml").write_text(f"store: {{url: 'sqlite:///{tmp_path}/new.db'}}\n")
    ended = run(installed / "freshness-bot", "status", "-c", "freshness.yaml", "-f", "json", cwd=tmp_path)
    assert json.loads(ended.stdout)["repositories"] == 0


def test_it_brings_its_templates(installed: Path, tmp_path: Path) -> None:
    observation = {
        "at": "2025-01-01T00:00:00Z",
        "repository": "dotnet/aspnet",
        "tag": "9.0",
        "digest": f"sha256:{'0' * 64}",
        "version": "9.0.0",
        "created": "2025-01-01T00:00:00Z",
        "platforms": [],
    }
    (tmp_path / "observations.jsonl").write_text(json.dumps(observation) + "\n")
    (tmp_path / "releases.jsonl").write_text("")
    words = ("--releases", "releases.jsonl", "--observations", "observations.jsonl", "--format", "html")
    assert run(installed / "freshness-bot", "backtest", *words, cwd=tmp_path).stdout.startswith("<!doctype html>")
