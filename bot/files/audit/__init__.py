"""Repositories' files → findings: whether the practices of the checks hold, place by place. Pure."""
