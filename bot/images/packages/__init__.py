"""What is inside an image: package databases, SBOMs and layers, read from untrusted bytes."""
