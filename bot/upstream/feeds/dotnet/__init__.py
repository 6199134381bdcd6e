"""The documents that .NET publishes: releases, their fixed CVEs, and their timeline."""
