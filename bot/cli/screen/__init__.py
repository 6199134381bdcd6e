"""How anything is written on a terminal: tables and JSON, moments, progress, what is shown again."""
