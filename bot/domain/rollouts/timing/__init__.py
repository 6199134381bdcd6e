"""When work may begin (windows, freezes, waves, budgets), and by when it must have ended (the weekly guarantee)."""
