"""Pull requests and runs that nobody needs any more."""
