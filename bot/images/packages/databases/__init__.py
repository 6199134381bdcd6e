"""What tells the packages of an image: package managers' databases and what .NET leaves, a reader for each."""
