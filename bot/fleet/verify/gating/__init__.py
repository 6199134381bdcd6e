"""The gate: whether what is wrong with an image lets its rebuild go on."""
