"""When the workflows of a repository last built."""
