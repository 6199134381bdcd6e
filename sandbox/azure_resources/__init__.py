"""Container apps, web apps and container groups of Azure, on loopback."""
