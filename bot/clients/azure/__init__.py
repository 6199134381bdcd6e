"""Services of Azure that run containers."""
