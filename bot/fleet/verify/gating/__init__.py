"""The gate: whether what is known to be wrong with an image lets its rebuild go on."""
