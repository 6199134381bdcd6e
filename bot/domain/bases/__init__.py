"""Bases: what registries and feeds say of them, and what it means that one changed."""
