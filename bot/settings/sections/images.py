"""What the operator says of the images that the organisation builds, what is inside them, and scanners' reports
of it."""

from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, Field, GetJsonSchemaHandler, model_validator
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from bot.domain.images.claims import CLAIMABLE, ImageRule, ImageRules, TagRule
from bot.domain.platform import Platform, is_left_out, stored_names, usual_name
from bot.domain.reference import InvalidReference, Reference
from bot.settings.section import Section
from bot.settings.values.numbers import WholeNumber
from bot.settings.values.texts import Name, without_credentials

PlatformName = Annotated[
    str,
    Field(max_length=100, examples=["linux/amd64", "linux/arm/v7"]),
    AfterValidator(lambda text: str(Platform.parse(text))),
]


class PackagesSettings(Section):
    """Of which images the packages are read; each layer is fetched once."""

    platforms: list[PlatformName] = Field(
        ["linux/amd64", "linux/arm64"],
        max_length=20,
        description="Platforms whose packages are read; an empty list fetches no layer at all.",
    )

    @property
    def stored_platforms(self) -> tuple[str, ...]:
        """The platforms by each name that the store may have them under."""
        return stored_names(self.platforms)


def _tag(text: str) -> str:
    TagRule.parse(text)
    return text


def _image(text: str) -> str:
    try:
        reference = Reference.parse(text.replace("{owner}", "owner").replace("{name}", "name"))
    except InvalidReference as error:
        raise ValueError(f"{text[:100]!r} is no image name") from error
    if reference.tag is not None or reference.digest is not None or "/" not in reference.name:
        raise ValueError(f"{text[:100]!r} must be registry/name; the tag stands in a key of its own")
    return text


TagText = Annotated[str, AfterValidator(_tag)]
ImageName = Annotated[str, Field(max_length=255), AfterValidator(without_credentials), AfterValidator(_image)]


class ImageSettings(Section):
    """Which image some repositories produce."""

    match: Name = Field(description="A glob over owner/name.")
    image: ImageName | None = Field(description="registry/name; {owner} and {name} stand for the repository's.")
    tag: TagText = Field(
        "latest", description="A tag; {sha}, {short_sha}, {run_number}, {date:%Y%m%d} or a pattern such as v*."
    )

    def rule(self) -> ImageRule:
        return ImageRule(self.match, self.image, TagRule(self.tag))


class AttestSettings(Section):
    """A signed SLSA verification summary beside each image that is proved fresh; without it, none."""

    key_file: Path = Field(description="File with a private key on the curve P-256, in PEM, without a password.")
    verifier: str = Field(
        pattern=r"^https?://[^\s#]+$",
        examples=["https://freshness.example.com"],
        max_length=255,
        description="URI that statements name as who verified.",
    )


class ImagesSettings(Section):
    """Which images the fleet produces, beyond what builds tell. A list alone is `rules`."""

    rules: list[ImageSettings] = Field(
        [], max_length=1000, description="Who produces what; where one matches, nobody else is asked."
    )
    claimable: list[Name] = Field(
        [CLAIMABLE], max_length=100, description="Globs: images that a repository's own file may claim as its own."
    )
    platforms: list[PlatformName] = Field(
        [],
        max_length=20,
        description="Platforms that are judged, all where none are named; others are never proved.",
    )
    attest: AttestSettings | None = Field(
        None, description="State beside each image that is proved fresh that it is, signed, once a day."
    )

    @model_validator(mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return {"rules": value} if isinstance(value, list) else value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """The list alone is accepted too."""
        whole = handler(schema)
        rules = handler.resolve_ref_schema(whole)["properties"]["rules"]
        return {"anyOf": [whole, {key: rules[key] for key in ("type", "items")}]}

    def judged_platforms(self) -> frozenset[str]:
        """The platforms that are judged alone; none where all are."""
        return frozenset(map(usual_name, self.platforms))

    def judges(self, platform: str | None) -> bool:
        """Whether an image of that platform is judged; of one that names none nothing tells that it is left out."""
        return not is_left_out(platform, self.judged_platforms())

    def image_rules(self) -> ImageRules:
        return ImageRules(tuple(each.rule() for each in self.rules), tuple(self.claimable))


class ReportsSettings(Section):
    """What scanners found in images, as workflows leave it behind; the gate hears it."""

    artifacts: list[Name] = Field(
        [],
        max_length=20,
        description="Globs over the names of artifacts that hold reports, read once a run has ended.",
    )
    most: WholeNumber = Field(5, ge=1, le=20, description="Artifacts that are read of one run.")
