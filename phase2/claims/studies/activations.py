"""The same network under different activations."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, Verdict, all_of, claim

CARD = ClaimsCard(of="activations")


def enclosed(activations: Results, *names: str) -> Verdict:
    """Whether the rates tried enclose the best of each of these activations."""
    return activations.encloses_best("lr", *({"activation": name} for name in names))


@claim(beats_linear=False)
def sigmoid_learns_little_at_small_rates(activations: Results) -> Evidence:
    """At a rate of 0.02 a sigmoid network of 4 layers ends more than 20 points below the same network with ReLU."""
    gap = activations.difference("activation", "sigmoid", "relu", activations.validation, lr=0.02)
    return Evidence(gap.below(-0.2), gap=gap)


@claim(exploratory=True)
def sigmoid_ends_below_relu_at_its_best_rate(activations: Results) -> Evidence:
    """Sigmoid ends below ReLU on the test images also where each has its own best rate."""
    gap = activations.at_best("lr").difference("activation", "sigmoid", "relu")
    return Evidence(all_of(gap.below(), enclosed(activations, "relu", "sigmoid")), gap=gap)


@claim(exploratory=True)
def smooth_rectifiers_end_where_relu_does(activations: Results) -> Evidence:
    """GELU and SiLU end within one point of ReLU on the test images, each at its own best rate."""
    best = activations.at_best("lr")
    gelu, silu = (best.difference("activation", name, "relu") for name in ("gelu", "silu"))
    known = enclosed(activations, "relu", "gelu", "silu")
    return Evidence(all_of(gelu.within(0.01), silu.within(0.01), known), gelu=gelu, silu=silu)
