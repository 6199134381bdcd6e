"""What publishers say: feeds, CVE data, and what is known of .NET."""
