"""From settings to clients and stores, handed to the stages as the ports they ask for."""
