"""From settings to registries, as each stage asks for them."""
