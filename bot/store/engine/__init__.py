"""Databases, transactions, the queue of due rows and its leases."""
