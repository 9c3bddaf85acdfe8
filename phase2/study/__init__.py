"""Studies: what a configuration asks for, cells and their results, the store, and what each was made from."""
