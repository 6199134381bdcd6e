"""GitHub's workflows and action metadata."""
