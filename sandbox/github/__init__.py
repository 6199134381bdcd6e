"""The edge in front of the emulator's GitHub: what GitHub does and the emulator does not."""
