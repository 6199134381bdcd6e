"""OpenVEX: what authors say of vulnerabilities, and what they take away by that."""
