"""Derivations that check themselves: each states a claim, gives its steps, verifies them, and renders to LaTeX."""
