"""The kinds of values that operators write, each checked with advice on how to write it."""
