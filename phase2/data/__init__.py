"""Data sets: where they come from, their checksums, and the arrays that are prepared of them."""
