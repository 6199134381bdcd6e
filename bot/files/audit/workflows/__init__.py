"""GitHub's workflows as they run: jobs and steps of a workflow with all that it calls in the same repository."""
