"""ResNet-20 on CIFAR-10's images from JPEG in some twenty minutes on two cores."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim

CARD = ClaimsCard(of="resnet20")


@claim(images=40_000)
def resnet_20_reaches_89_percent(resnet20: Results) -> Evidence:
    """ResNet-20 reaches 89% of the test images, the interval over seeds included."""
    accuracy = resnet20.mean(resnet20.test, "%")
    return Evidence(accuracy.above(0.89), accuracy=accuracy)
