"""Images and checkouts on this machine, read as somebody else has laid them out."""
