"""What sections of the settings have in common: unknown keys are errors, and nothing changes once read."""

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
