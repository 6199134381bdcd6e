"""The index of messages has what the bot really says."""

import re
from pathlib import Path

import pytest

from docs.messages import messages_of

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs" / "operate").glob("*.md"))
OF_OTHERS = {"HTTP 403 … Resource not accessible by integration", "Bad credentials"}
"""What GitHub says."""
MESSAGES = sorted(
    {message for page in PAGES if page.name != "messages.md" for message in messages_of(page.read_text("utf-8"))}
    - OF_OTHERS
)


def fixed_words(text: str) -> list[str]:
    """A text as words, with what is put in left out: names, numbers, and what stands in braces."""
    without = re.sub(r"\{[^{}]*\}", " … ", text)
    return [word if re.fullmatch(r"[A-Za-z']+[,:;.]?", word) else "…" for word in without.split()]


@pytest.fixture(scope="module")
def said() -> str:
    """All that the code can say, without its own punctuation."""
    sources = (
        path.read_text("utf-8") for path in sorted((ROOT / "bot").rglob("*")) if path.suffix in {".py", ".html"}
    )
    return " ".join(" ".join(re.split(r"[^A-Za-z']+", source)) for source in sources)


@pytest.mark.parametrize("message", MESSAGES)
def test_a_message_is_one_that_the_bot_says(message: str, said: str) -> None:
    runs = " ".join(fixed_words(message)).split("…")
    longest = max(runs, key=lambda run: len(run.split()))
    words = re.split(r"[^A-Za-z']+", longest.strip())
    fewest = min(3, len(words))
    parts = [" ".join(words[at : at + fewest]) for at in range(len(words) - fewest + 1)]
    assert any(part in said for part in parts), longest


def test_there_are_messages() -> None:
    assert len(MESSAGES) > 30
