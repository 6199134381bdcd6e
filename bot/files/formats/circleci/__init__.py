"""CircleCI: its configuration, and those that a set-up workflow goes on with."""

from bot.domain.repositories.usage import Kind

KIND = Kind("circleci")
