"""Neighbourhoods and shared weights, at equally many parameters."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, all_of, claim

CARD = ClaimsCard(of="sharing")


@claim(images=10_000, steps=1000)
def shared_weights_beat_a_dense_network(sharing: Results) -> Evidence:
    """On natural images the convolutional network ends above the dense one on the test images."""
    gap = sharing.difference("model", "convolutional", "dense", pixels="natural")
    return Evidence(gap.above(), gap=gap)


@claim(images=10_000, steps=1000)
def sharing_pays_beyond_looking_at_neighbourhoods(sharing: Results) -> Evidence:
    """On natural images the convolutional network ends above the locally connected one on the test images."""
    gap = sharing.difference("model", "convolutional", "locally_connected", pixels="natural")
    return Evidence(gap.above(), gap=gap)


@claim(images=10_000, steps=1000, exploratory=True)
def the_order_of_the_pixels_is_what_convolution_uses(sharing: Results) -> Evidence:
    """On the test images permuted pixels cost the convolutional network more than 3 points, and the dense one less
    than one.
    """
    change = {
        model: sharing.difference("pixels", "permuted", "natural", model=model) for model in ("convolutional", "dense")
    }
    return Evidence(all_of(change["convolutional"].below(-0.03), change["dense"].within(0.01)), **change)
