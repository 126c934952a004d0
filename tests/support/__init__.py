"""What several test folders share: a provider that is really served, and its people."""
