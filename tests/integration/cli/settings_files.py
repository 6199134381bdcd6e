"""Settings files that could start a bot."""

from pathlib import Path


def with_token(folder: Path) -> Path:
    """Settings that could start a bot, with a database beside them."""
    (folder / "token").write_text("ghp_x")
    path = folder / "freshness.yaml"
    path.write_text(f"github: {{token_file: {folder}/token}}\nstore: {{url: 'sqlite:///{folder}/freshness.db'}}\n")
    return path
