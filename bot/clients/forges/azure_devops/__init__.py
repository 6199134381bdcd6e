"""Azure DevOps: Repos as a forge, Pipelines as a builder."""
