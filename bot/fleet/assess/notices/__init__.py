"""Decides what holds of bases beyond their changes: withdrawn, behind upstream, near the end of support."""
