"""The commands: parse, call one function, render. No logic."""

from bot.cli.main import main

__all__ = ["main"]
