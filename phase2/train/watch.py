"""Who follows a training as it goes, such as logs or a display. Nothing that they do changes a number."""

from collections.abc import Iterable
from typing import Any


class Watch:
    """Follows a pack in training; this one does nothing.

    `training` is the `phase2.train.loop.Training` that is under way: `training.state` is where it stands, and
    `training.losses` and `training.norms` are those of its last step, (lanes,), on the device.
    """

    def begin(self, training: Any) -> None:
        """Before the first step of this attempt; earlier attempts may have done some."""

    def step(self, training: Any) -> None:
        """After an optimizer step."""

    def save(self, training: Any) -> None:
        """Before a checkpoint is written: an attempt that goes on from it logs what comes after this step."""

    def epoch(self, training: Any) -> None:
        """After an epoch and its validation."""


UNWATCHED = Watch()


class Watches(Watch):
    """Several at once."""

    def __init__(self, watches: Iterable[Watch]):
        self.watches = list(watches)

    def begin(self, training: Any) -> None:
        for each in self.watches:
            each.begin(training)

    def step(self, training: Any) -> None:
        for each in self.watches:
            each.step(training)

    def save(self, training: Any) -> None:
        for each in self.watches:
            each.save(training)

    def epoch(self, training: Any) -> None:
        for each in self.watches:
            each.epoch(training)
