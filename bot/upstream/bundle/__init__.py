"""Bundles: what feeds and dumps of vulnerabilities told, in one file for where neither can be asked."""
