"""The forge: its port, what it shows of branches, pull requests and runs, and how it refuses."""
