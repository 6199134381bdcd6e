"""The issue that tells how the fleet stands, with boxes that people tick."""
