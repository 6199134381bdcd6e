"""Which schedules of a pipeline do not notice that a base moved: they run only where its source has changed.

Source: the YAML schema of Azure Pipelines, `schedules.cron`, whose `always` is false unless written.
"""

from bot.files.formats.source.collector import Unreadable
from bot.files.formats.source.nodes import Mapping, Scalar, Sequence
from bot.files.formats.source.yaml import read


def blind_schedules(text: str) -> tuple[str, ...]:
    """The cron times of the schedules without `always: true`; none of a text that cannot be read."""
    try:
        roots = read(text)
    except Unreadable:
        return ()
    schedules = roots[0].get("schedules") if roots and isinstance(roots[0], Mapping) else None
    if not isinstance(schedules, Sequence):
        return ()
    return tuple(
        cron.value
        for each in schedules.items
        if isinstance(each, Mapping) and isinstance(cron := each.get("cron"), Scalar) and not _is_always(each)
    )


def _is_always(schedule: Mapping) -> bool:
    always = schedule.get("always")
    return isinstance(always, Scalar) and always.value.lower() == "true"
