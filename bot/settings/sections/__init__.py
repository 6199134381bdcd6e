"""The sections of the settings file."""
