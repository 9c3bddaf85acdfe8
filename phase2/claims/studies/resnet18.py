"""ResNet-18 on CIFAR-10's images from JPEG in some hours on two cores."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim
from phase2.claims.evidence import exact

CARD = ClaimsCard(of="resnet18")


@claim(seeds=3, images=40_000)
def every_resnet_18_reaches_91_5_percent(resnet18: Results) -> Evidence:
    """ResNet-18 trained mostly on images made smaller reaches 91.5% on the test images, whatever the seed."""
    by_seed = resnet18.by_seed(resnet18.test)
    worst = exact(by_seed.min(), "%", len(by_seed))
    return Evidence(worst.value >= 0.915, worst=worst)
