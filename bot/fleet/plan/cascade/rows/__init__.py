"""Own bases and who stands on them, as rows."""
