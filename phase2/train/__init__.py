"""The one training loop: the cells of a pack as lanes of one stacked model."""
