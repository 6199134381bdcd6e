"""Settings files that could start a bot."""

from pathlib import Path

from tests.migrated import new_sqlite


def with_token(folder: Path) -> Path:
    """Settings that could start a bot, with a database beside them."""
    (folder / "token").write_text("ghp_x")
    path, url = folder / "freshness.yaml", new_sqlite(folder / "freshness.db")
    path.write_text(
        f"github: {{token_file: {folder}/token, repositories: {{include: [contoso/*]}}}}\nstore: {{url: '{url}'}}\n"
    )
    return path
