"""Plain and residual networks, shallow and deep. He et al. 2016a."""

from phase2.card import ClaimsCard
from phase2.claims import Evidence, Results, claim

CARD = ClaimsCard(of="depth")


@claim(images=10_000, steps=1000, exploratory=True)
def plain_networks_degrade_with_depth(depth: Results) -> Evidence:
    """A plain network of 20 layers has a higher training loss than one of 8, measured after training."""
    change = depth.difference("depth", 20, 8, "train_loss", "nats", model="plain")
    return Evidence(change.above(), change=change)


@claim(images=10_000, steps=1000, exploratory=True)
def residual_networks_do_not_degrade(depth: Results) -> Evidence:
    """A residual network of 20 layers has no higher training loss than one of 8, to within 0.02 nats."""
    change = depth.difference("depth", 20, 8, "train_loss", "nats", model="cifar_resnet")
    return Evidence(change.below(0.02), change=change)


@claim(images=10_000, steps=1000, exploratory=True)
def shortcuts_help_deep_networks(depth: Results) -> Evidence:
    """Of networks of 20 layers the residual ones are more accurate on the test images than the plain ones."""
    gap = depth.difference("model", "cifar_resnet", "plain", depth=20)
    return Evidence(gap.above(), gap=gap)
