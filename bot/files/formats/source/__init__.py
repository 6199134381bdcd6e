"""What all formats are read with: texts with spans, YAML and JSON nodes, a collector of usages."""
