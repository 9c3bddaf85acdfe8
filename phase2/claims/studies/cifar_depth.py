"""He et al.'s networks for CIFAR-10, plain and residual, at a budget that all share. He et al. 2016a, figure 6."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim

CARD = ClaimsCard(of="cifar_depth")


@claim(images=40_000)
def fifty_six_residual_layers_beat_twenty(cifar_depth: Results) -> Evidence:
    """ResNet-56 is more accurate on the test images than ResNet-20 after equally many epochs."""
    gap = cifar_depth.difference("depth", 56, 20, model="cifar_resnet")
    return Evidence(gap.above(), gap=gap)


@claim(images=40_000)
def fifty_six_plain_layers_train_worse_than_twenty(cifar_depth: Results) -> Evidence:
    """A plain network of 56 layers has a higher training loss than one of 20, measured after training."""
    change = cifar_depth.difference("depth", 56, 20, "train_loss", "nats", model="plain")
    return Evidence(change.above(), change=change)


@claim(images=40_000)
def shortcuts_cost_twenty_layers_nothing(cifar_depth: Results) -> Evidence:
    """ResNet-20 is on the test images no worse than its plain twin, to within half a point."""
    gap = cifar_depth.difference("model", "cifar_resnet", "plain", depth=20)
    return Evidence(gap.above(-0.005), gap=gap)
