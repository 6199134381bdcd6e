"""Dockerfiles and Containerfiles, read as BuildKit reads them."""
