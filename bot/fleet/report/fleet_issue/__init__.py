"""One issue in a repository of the operator's choice: how the fleet stands, with boxes that people tick."""
