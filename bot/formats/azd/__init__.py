"""azure.yaml, which the Azure Developer CLI deploys from."""
