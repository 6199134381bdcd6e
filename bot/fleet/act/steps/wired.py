"""The stage `start steps` in the service: what runs after a build."""

from datetime import timedelta

from bot.domain.repositories.repository import Workflow, is_workflow
from bot.fleet.stage import Bot, Stage, TickOutcome
from bot.store.rows.rollouts.steps import steps


async def start_steps(bot: Bot) -> TickOutcome:
    from bot.files.formats.azure_pipelines.startable import startable
    from bot.files.formats.workflows.dispatchable import dispatchable
    from bot.fleet.act.steps.tick import StepOptions, tick
    from bot.fleet.wiring.gate import gating_of
    from bot.store.rows.rollouts.step_store import StepStore

    options = StepOptions(follow_every=bot.settings.schedule.follow, freezes=bot.policy.freezes, hosts=bot.hosts)

    def read(path: str, text: str) -> Workflow | None:
        return dispatchable(path, text) if is_workflow(path) else startable(path, text)

    tally = await tick(bot.stores[StepStore], bot.forge, bot.builder, read, options, bot.loop, gating_of(bot))
    return TickOutcome({"done": tally.done}, list(tally.problems))


STAGE = Stage("start steps", start_steps, timedelta(seconds=5), claims=(steps,))
