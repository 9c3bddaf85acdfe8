"""Starting a deep plain network without normalization. He et al. 2015."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import estimate

CARD = ClaimsCard(of="deep_init")


@claim(images=10_000, steps=1000)
def kaiming_starts_deep_rectifiers_sooner(deep_init: Results) -> Evidence:
    """After the first epoch the training loss from Kaiming's start is below that from Xavier's."""
    loss = {
        init: deep_init.by_seed("loss", "curves", split="train", epoch=1, init=init) for init in ("kaiming", "xavier")
    }
    gap = estimate(loss["kaiming"] - loss["xavier"], "nats")
    return Evidence(gap.below(), gap=gap)
