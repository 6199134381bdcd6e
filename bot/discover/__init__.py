"""Repositories to usages: one module per file kind, each a pure function from text to spans."""
