"""Statistics of a study, paired by seed: tidy tables of effects with their intervals."""

from phase2.stats.analysis import analyse as analyse
