"""Azure DevOps: Pipelines as a builder."""
