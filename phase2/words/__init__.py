"""What a reader sees instead of the names of a configuration."""
