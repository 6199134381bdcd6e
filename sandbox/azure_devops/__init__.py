"""Azure DevOps on this machine: what it takes and answers, held to its official description."""
