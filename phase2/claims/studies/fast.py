"""The fast recipe on CIFAR-10's images from JPEG, where the public code reaches 90.7%."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim

CARD = ClaimsCard(of="fast")

PUBLIC = 0.907  # test accuracy of the public code on the same images: the mean of two runs, 90.9% and 90.6%
MARGIN = 0.005


@claim(images=40_000)
def our_parts_do_not_cost_the_fast_recipe_half_a_point(fast: Results) -> Evidence:
    """The fast recipe of our parts is no worse than the public code on the same images, to within half a point."""
    accuracy = fast.mean(fast.test, "%")
    return Evidence(accuracy.above(PUBLIC - MARGIN), accuracy=accuracy)
