"""The sections of the settings file, and the kinds of values in them."""
