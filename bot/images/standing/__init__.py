"""From an image's layers and from what is said of it to the base that it stands on."""
