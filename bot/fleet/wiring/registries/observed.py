"""What the layers of observed bases tell, of the platforms that the settings have judged."""

from bot.fleet.bot import Part
from bot.fleet.verify.images.judging import Observed

OBSERVED = Part(lambda bot: Observed(bot.settings.images.judged_platforms()))
