"""The JSON Schema of the settings file, for editors and for checks in CI."""

from functools import cache
from typing import Any

from bot.settings.model import Settings


@cache
def json_schema() -> dict[str, Any]:
    """Defaults stand in it as an operator would write them, for example `15m`."""
    schema = Settings.model_json_schema(mode="serialization")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
