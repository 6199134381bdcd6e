"""The freshness bot keeps a fleet of .NET container images fresh."""
