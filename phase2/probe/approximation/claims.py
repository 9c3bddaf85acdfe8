"""How near networks come to a function."""

from phase2.claims import Evidence, Results, all_of, claim, exact


@claim(seeds=3, exploratory=True)
def a_step_is_approximated_in_the_mean_but_not_everywhere(approximation: Results) -> Evidence:
    """Fits of a step are off by more than 0.5 somewhere at every width, while their mean error falls below 0.3."""
    rows = approximation.rows("errors", target="step")
    widest = rows[rows["width"] == rows["width"].max()]
    worst, mean = exact(rows["sup_error"].min()), exact(widest["rms_error"].mean())
    return Evidence(all_of(worst.above(0.5), mean.below(0.3)), worst=worst, mean=mean)
