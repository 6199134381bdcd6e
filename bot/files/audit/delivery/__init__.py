"""What pipelines do with images: build, scan, sign, state and push them."""
