"""The stage `recording` in the service."""

from datetime import timedelta

from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.running.records import recorded_sources


async def recording(bot: Bot) -> TickOutcome:
    """Nothing is asked of the store, and nothing loaded, where the settings do not wish for records."""
    if not bot.settings.running.tells_forge:
        return TickOutcome()
    from bot.fleet.act.recording.rows import RecordingStore
    from bot.fleet.act.recording.tick import tick
    from bot.fleet.act.wired import act_options

    written, problems = await tick(bot.stores[RecordingStore], bot.forge, act_options(bot).hosts.forge, bot.loop)
    return TickOutcome({"written": written}, problems)


STAGE = Stage("recording", recording, timedelta(minutes=1), claims=(recorded_sources,))
