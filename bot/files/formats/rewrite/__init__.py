"""References rewritten in texts, byte for byte as small as possible, and read again for proof."""
