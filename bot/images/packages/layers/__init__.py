"""The layers of an image, read as their bytes come and laid over each other."""
