"""A run: its configuration, what it measures and trains without Snakemake, and the upkeep of its store."""
