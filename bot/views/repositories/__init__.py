"""One repository or one checkout: its usages, its findings, and why the bot did what it did."""
