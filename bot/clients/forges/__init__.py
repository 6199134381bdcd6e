"""Where repositories live and pull requests are made, one folder for each kind of forge."""
