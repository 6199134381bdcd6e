"""Signatures that cosign makes: with a key, or keyless with a certificate of a few minutes and a log entry."""
