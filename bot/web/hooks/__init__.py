"""Events that others send: they make rows due earlier and do nothing else, so that a lost one costs an hour."""
