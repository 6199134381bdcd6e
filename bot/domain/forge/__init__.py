"""The forge: its port, what it shows of branches and pull requests, and how it refuses."""
