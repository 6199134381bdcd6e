"""The report of a backtest as a page, as JSON and as tables."""
