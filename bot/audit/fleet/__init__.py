"""The audit of the fleet: repositories whose files discovery has read → findings in the store."""
