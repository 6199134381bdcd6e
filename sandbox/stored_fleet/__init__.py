"""A fleet of any size written straight into a store, as a year of the bot's work would leave it.

For pages, pictures and benches.
"""
