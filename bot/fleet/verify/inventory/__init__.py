"""What is inside the images of bases and the fleet, read layer by layer."""
