"""Repositories are brought to the practices: one small pull request at a time, until nothing safe is left to do."""
