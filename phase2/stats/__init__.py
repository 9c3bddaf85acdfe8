from phase2.stats.analysis import analyse as analyse
