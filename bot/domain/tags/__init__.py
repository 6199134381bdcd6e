"""What an image tag says, and which tag may follow which."""
