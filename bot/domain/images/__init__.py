"""Images: what the organisation builds, and what each is seen to stand on."""
