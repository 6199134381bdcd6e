"""What Compose reads where no file is named, in the order in which it looks: the first of each.

Source: `DefaultFileNames` and `DefaultOverrideFileNames` of compose-go.
"""

FOUND = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
FOUND_BESIDE = (
    "compose.override.yml",
    "compose.override.yaml",
    "docker-compose.override.yml",
    "docker-compose.override.yaml",
)
"""What it reads over the one that it finds."""
