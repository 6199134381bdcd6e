"""The options of a command line, as Docker's programs write them."""

from collections.abc import Collection
from dataclasses import dataclass

from bot.files.formats.source.spanned import Spanned


@dataclass(frozen=True, slots=True)
class Grammar:
    """How a program writes options: `switches` have no value of their own, `short` ones may have theirs without a
    space (`-fFILE`); every other one takes the next word, unless it has a `=`."""

    switches: Collection[str]
    short: Collection[str]

    def parsed(
        self, words: list[Spanned], until: Collection[str] = ()
    ) -> tuple[list[tuple[str, Spanned]], list[Spanned]]:
        """Options with their values, and the other words; all from the first of `until` on are other words. The
        value of a switch is empty."""
        options: list[tuple[str, Spanned]] = []
        operands: list[Spanned] = []
        position = 0
        while position < len(words):
            word = words[position]
            position += 1
            name, equals, _ = word.text.partition("=")
            if word.text in until:
                return options, [*operands, *words[position - 1 :]]
            if not word.text.startswith("-") or word.text == "-":
                operands.append(word)
            elif equals:
                options.append((name, word.part(len(name) + 1, len(word))))
            elif word.text in self.switches:
                options.append((word.text, word.part(0, 0)))
            elif word.text[:2] in self.short and len(word.text) > len("-f"):
                options.append((word.text[:2], word.part(2, len(word))))
            elif position < len(words):
                options.append((word.text, words[position]))
                position += 1
        return options, operands
