"""Where fixes are stuck, as the ledger's pages and commands show it."""
