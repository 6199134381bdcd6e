"""The C# of .NET Aspire AppHosts, which names images of its own."""
