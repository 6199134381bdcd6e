"""What jobs tell those that need them, in the names of images."""

from collections.abc import Iterator

import pytest

from bot.files.formats.produced import workflows
from bot.files.formats.produced.handed_on import LONGEST_OUTPUT, MOST_OUTPUTS, steps_in_order
from bot.files.formats.source.nodes import Node
from bot.files.formats.source.yaml import read
from bot.files.formats.workflows.needs import jobs_in_order
from bot.files.formats.workflows.steps import WorkflowStep
from tests.unit.files.formats.produced.naming import named_in

WORKFLOW = ".github/workflows/build.yml"
METADATA = """\
      - id: meta
        uses: docker/metadata-action@v5
        with: {images: ghcr.io/contoso/shop, tags: "type=raw,value=8.0\\ntype=sha,prefix="}
"""


def named(text: str) -> list[str]:
    return [f"{each.name}:{each.tag}" for each in named_in(WORKFLOW, text.encode())]


def job(name: str, steps: str = "", **keys: str) -> str:
    about = "".join(f"    {key}: {value}\n" for key, value in keys.items())
    return f"  {name}:\n{about}    steps:\n{steps or '      - run: echo'}\n"


def build(tags: str) -> str:
    return f"      - uses: docker/build-push-action@v6\n        with: {{push: true, tags: '{tags}'}}\n"


def push(tag: str, needs: str = "version") -> str:
    return job("build", build(f"ghcr.io/contoso/shop:{tag}"), needs=needs)


TAG = "${{ needs.version.outputs.tag }}"


@pytest.mark.parametrize(
    ("outputs", "tag"),
    [
        ('{tag: "8.0"}', "8.0"),
        ("{tag: 'r${{ github.run_number }}'}", "r{run_number}"),
        ("{tag: '${{ steps.say.outputs.tag }}'}", "9.0.1"),
        ("{tag: '${{ steps.say.outputs.other }}'}", "*"),
        ("{other: '8.0'}", "*"),
        ("{tag: '${{ matrix.line }}'}", "*"),
        (f"{{tag: '{'1' * (LONGEST_OUTPUT + 1)}'}}", "*"),
    ],
)
def test_an_output_of_a_job_is_put_in_where_its_text_is_known(outputs: str, tag: str) -> None:
    says = '      - id: say\n        run: echo "tag=9.0.1" >> $GITHUB_OUTPUT'
    matrix = '{matrix: {line: ["8.0", "9.0"]}}'
    uses_matrix = says + "\n      - run: echo ${{ matrix.line }}"
    text = "jobs:\n" + job("version", uses_matrix, outputs=outputs, strategy=matrix) + push(TAG)
    assert named(text) == [f"ghcr.io/contoso/shop:{tag}"]


def test_a_job_may_stand_before_those_that_it_needs_and_hand_on_what_they_tell() -> None:
    first = job("first", outputs="{line: '8.0'}")
    version = job("version", outputs="{tag: '${{ needs.first.outputs.line }}-alpine'}", needs="first")
    text = "jobs:\n" + push(TAG, needs="[version]") + version + first
    assert named(text) == ["ghcr.io/contoso/shop:8.0-alpine"]


def test_a_job_sees_only_those_that_it_needs() -> None:
    assert named("jobs:\n" + job("version", outputs="{tag: '8.0'}") + push(TAG, needs="other")) == [
        "ghcr.io/contoso/shop:*"
    ]


def test_a_command_sees_what_the_needed_job_tells() -> None:
    pushes = job("build", f"      - run: docker push ghcr.io/contoso/shop:{TAG}", needs="version")
    assert named("jobs:\n" + job("version", outputs="{tag: '8.0'}") + pushes) == ["ghcr.io/contoso/shop:8.0"]


def test_the_tags_of_metadata_action_are_known_in_the_jobs_that_need_its_own() -> None:
    names = job("names", METADATA, outputs="{tags: '${{ steps.meta.outputs.tags }}'}")
    builds = job("build", build("${{ needs.names.outputs.tags }}"), needs="names")
    expected = ["ghcr.io/contoso/shop:8.0", "ghcr.io/contoso/shop:{short_sha}"]
    assert named("jobs:\n" + names + builds) == expected
    assert named("jobs:\n" + builds + names) == expected
    assert named("jobs:\n" + names + builds.replace("needs: names", "needs: other")) == []


def test_names_that_differ_by_the_variant_of_the_needed_job_are_not_known() -> None:
    meta = METADATA.replace("8.0", "${{ matrix.line }}")
    names = job(
        "names", meta, outputs="{tags: '${{ steps.meta.outputs.tags }}'}", strategy="{matrix: {line: [a, b]}}"
    )
    assert named("jobs:\n" + names + job("build", build("${{ needs.names.outputs.tags }}"), needs="names")) == []


def test_the_default_of_an_input_stays_weak_where_a_step_or_a_job_hands_it_on() -> None:
    on = "on: {workflow_call: {inputs: {tag: {default: edge}}}}\njobs:\n"
    says = '      - id: say\n        run: echo "tag=${{ inputs.tag }}" >> $GITHUB_OUTPUT\n'
    of_step = job("build", says + build("ghcr.io/contoso/shop:${{ steps.say.outputs.tag }}"))
    of_job = job("version", says, outputs="{tag: '${{ steps.say.outputs.tag }}'}") + push(TAG)
    for jobs in (of_step, of_job):
        [image] = named_in(WORKFLOW, (on + jobs).encode())
        assert (image.tag, bool(image.weakness)) == ("edge", True)


@pytest.mark.parametrize(("tag", "readings"), [("latest", 1), ("${{ inputs.tag }}", 2)])
def test_a_called_workflow_is_read_again_only_where_the_default_of_an_input_counts(
    tag: str, readings: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_so_far: list[Node] = []

    def counted(document: Node, *, has_inputs: bool = True) -> Iterator[WorkflowStep]:
        read_so_far.append(document)
        return steps_in_order(document, has_inputs=has_inputs)

    monkeypatch.setattr("bot.files.formats.produced.workflows.steps_in_order", counted)
    [document] = read("on: {workflow_call: {inputs: {tag: {default: edge}}}}\njobs:\n" + push(tag))
    assert len(list(workflows.names(document))) == 1
    assert len(read_so_far) == readings


def test_jobs_in_a_circle_come_once_each() -> None:
    [document] = read("jobs: {a: {needs: b}, b: {needs: [c, gone]}, c: {needs: a}, d: {}}")
    assert list(jobs_in_order(document)) == ["c", "b", "a", "d"]  # type: ignore[arg-type]


def test_no_more_outputs_are_kept_than_people_write() -> None:
    many = ", ".join(f"o{number}: x" for number in range(MOST_OUTPUTS))
    jobs = job("first", outputs=f"{{{many}}}") + job("version", outputs="{tag: '8.0'}") + push(TAG)
    assert named("jobs:\n" + jobs) == ["ghcr.io/contoso/shop:*"]
