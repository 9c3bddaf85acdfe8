"""Measurements on networks: each takes options and data, and returns tidy tables."""
