"""What is inside the images that bases and the fleet show, read layer by layer from their registries."""
