"""Which jobs of a workflow wait for which others: GitHub's `jobs.<id>.needs`."""

from collections.abc import Iterator

from bot.files.formats.source.nodes import Mapping, Scalar, Sequence


def needs_of(job: Mapping) -> tuple[str, ...]:
    """The names of the jobs that a job waits for, and whose outputs it sees."""
    needs = job.get("needs")
    items = needs.items if isinstance(needs, Sequence) else [needs]
    return tuple(item.value for item in items if isinstance(item, Scalar))


def jobs_in_order(document: Mapping) -> dict[str, Mapping]:
    """The jobs of a workflow by their names in the order of the text, but each behind those that it needs; of jobs
    that wait for each other in a circle the first one comes last."""
    jobs = {name.value: job for name, job in document.mapping("jobs").entries() if isinstance(job, Mapping)}
    ordered_jobs: dict[str, Mapping] = {}
    begun: set[str] = set()
    for first in jobs:
        waiting: list[tuple[str, Iterator[str]]] = []
        following: str | None = first
        while following is not None:
            if following in jobs and following not in begun:
                begun.add(following)
                waiting.append((following, iter(needs_of(jobs[following]))))
            following = None
            while waiting and following is None:
                name, names_left = waiting[-1]
                following = next(names_left, None)
                if following is None:
                    ordered_jobs[name] = jobs[name]
                    waiting.pop()
    return ordered_jobs
