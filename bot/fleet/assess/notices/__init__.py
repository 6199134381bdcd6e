"""What no rebuild can mend: withdrawn, behind upstream, near the end of support."""
