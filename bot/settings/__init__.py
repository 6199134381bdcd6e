"""Everything an operator can set: one YAML file, secrets beside it in files of their own."""

from bot.settings.document import BadSettings
from bot.settings.loading import load
from bot.settings.model import FeedSettings, Settings
from bot.settings.secrets import check_secrets, secret

__all__ = ["BadSettings", "FeedSettings", "Settings", "check_secrets", "load", "secret"]
