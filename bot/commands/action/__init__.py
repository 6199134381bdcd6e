"""The bot as a step of a GitHub Actions workflow: a few passes, a state that is kept on a branch, a job summary."""
