"""Schedules: what the shapes share, what a warm-up is for, and how decay takes the noise out."""

from typing import Any

import numpy as np
import sympy
import torch
from sympy import Rational, cos, exp, oo, pi, sin

from phase2 import registry
from phase2.derive.derivation import Derivation, Numeric, Remark, Step, Symbolic
from phase2.derive.reader import Names
from phase2.derive.walk import descend
from phase2.optim.adam import Adam

COPIES = 20_000  # independent runs on the same noisy quadratic
LONG = 4000  # steps for which a decaying rate is compared with its limit

eta, end, lam, sigma, c, n, x = sympy.symbols("eta eta_end lambda sigma c n x", positive=True)
s, u = sympy.symbols("s u", positive=True)
HALF_COSINE = end + (eta - end) * (1 + cos(pi * s)) / 2


def rates(name: str, total: int, peak: float, **options: Any) -> np.ndarray:
    """The learning rates (total,) of one of the library's schedules."""
    schedule = registry.load("schedule", name)
    return np.array([schedule(step, total, peak, **options) for step in range(total)])


def _area(rng: np.random.Generator) -> Names:
    total, peak = int(rng.integers(5, 40)), rng.uniform(0.1, 1.0)
    low = rng.uniform(0, peak)
    sums = [rates("cosine", total, peak, eta_min=low).sum(), rates("linear", total, peak, end_factor=low / peak).sum()]
    return {r"\sum_{t=0}^{T-1} \eta_t": np.array(sums), "T": total, r"\eta": peak, r"\eta_{\mathrm{end}}": low}


def _restarts(rng: np.random.Generator) -> tuple[Any, Any]:
    """Where the rate rises, and the sum of the rates over four periods."""
    T_0, factor, peak = int(rng.integers(3, 9)), int(rng.integers(2, 4)), rng.uniform(0.1, 1.0)
    begins = T_0 * (factor ** np.arange(1, 5) - 1) / (factor - 1)
    total = round(begins[-1])
    period = rates("warm_restarts", total + 1, peak, T_0=T_0, T_mult=factor)
    return [*np.flatnonzero(np.diff(period) > 0) + 1, period[:total].sum()], [*begins, (total + 4) * peak / 2]


def _corners(rng: np.random.Generator) -> Names:
    """One-cycle's rate in its first step, at the peak and in its last, and its slopes by t/T next to the peak."""
    cycle, total, peak = registry.load("schedule", "one_cycle"), 10**7, rng.uniform(0.1, 1.0)
    first, before, top, after, last = (cycle(t, total, peak) for t in (0, 2_999_998, 2_999_999, 3_000_000, total - 1))
    slopes = np.array([total * (top - before), total * (after - top)])
    names = (r"\eta_0", r"\eta", r"\eta_{pT-1}", r"\eta_{T-1}", r"\frac{d\eta_t}{ds}\Bigr|_{s = p}")
    return dict(zip(names, (first, peak, top, last, slopes), strict=True))


def _cycle_area(rng: np.random.Generator) -> Names:
    total, peak, rise = 100, rng.uniform(0.1, 1.0), rng.choice([0.2, 0.3, 0.5])
    measured = rates("one_cycle", total, peak, pct_start=rise).sum()
    ends = {r"\eta_0": peak / 25, r"\eta_{T-1}": peak / 25e4}
    return {r"\sum_{t=0}^{T-1} \eta_t": measured, "T": total, r"\eta": peak, "p": rise, **ends}


def adam_on_noise(rng: np.random.Generator, steps: int) -> tuple[float, float]:
    """The root mean square of Adam's first and last step over its rate, on gradients that are noise alone."""
    theta, scale, sizes = torch.zeros(2000, dtype=torch.float64), rng.uniform(0.1, 10.0), []
    optimizer = Adam([theta], lr=1.0, eps=0.0)
    for _ in range(steps):
        before = theta.clone()
        theta.grad = torch.from_numpy(scale * rng.normal(size=len(theta)))
        optimizer.step()
        sizes.append(float((theta - before).square().mean().sqrt()))
    return sizes[0], sizes[-1]


def _first_steps(rng: np.random.Generator) -> tuple[Any, Any]:
    return adam_on_noise(rng, steps=250), [1, np.sqrt(0.1 / 1.9)]


def _warmup_cost(rng: np.random.Generator) -> Names:
    total, peak, steps, first = 50, rng.uniform(0.1, 1.0), int(rng.integers(1, 40)), rng.uniform(0.1, 0.9)
    warmed = rates("linear_warmup", total, peak, warmup_steps=steps, start_factor=first)
    return {r"\sum_{t=0}^{T-1} \eta_t": warmed.sum(), "T": total, r"\eta": peak, "f": first, "w": steps}


def _hover(rng: np.random.Generator) -> Names:
    """The variance of SGD's iterates after the start is forgotten."""
    rate, curvature, noise = rng.uniform(0.2, 1.0), rng.uniform(0.3, 1.0), rng.uniform(0.5, 2.0)

    def gradient(x: np.ndarray) -> np.ndarray:
        return curvature * x + noise * rng.normal(size=COPIES)

    x, _ = descend(gradient, np.zeros(COPIES), [rate] * 60)
    return {r"\operatorname{Var} x_t": x[-1].var(), r"\eta": rate, r"\lambda": curvature, r"\sigma": noise}


def variance_left(steps: np.ndarray, curvature: float) -> float:
    """E x² after steps at these rates on a quadratic with noise of variance 1, from x = 0."""
    variance = 0.0
    for rate in steps:
        variance = (1 - rate * curvature) ** 2 * variance + rate**2
    return variance


def _left_by_decay(rng: np.random.Generator) -> Names:
    peak, curvature = rng.uniform(0.3, 1.0), rng.uniform(0.5, 1.0)
    left = [variance_left(rates(name, LONG, peak), curvature) for name in ("cosine", "linear")]
    measured = dict(zip((r"V_T^{\cos}", r"V_T^{\mathrm{line}}"), left, strict=True))
    return {**measured, "T": LONG, r"\eta": peak, r"\lambda": curvature, r"\sigma": 1.0}


def _shapes() -> list[Step]:
    return [
        Remark(
            r"Let $\eta_t$ be the rate of step $t = 0, \dots, T - 1$, let $\eta$ be the peak and $s = t/T$. Cosine "
            r"annealing is half a period of the cosine, $\eta_t = \eta_{\mathrm{end}} + \tfrac12 (\eta - "
            r"\eta_{\mathrm{end}})(1 + \cos \pi s)$."
        ),
        Symbolic(
            r"It starts at $\eta$ and ends at $\eta_{\mathrm{end}}$, with slope 0 at both ends; in the middle it falls "
            r"$\pi/2$ times as fast as a straight line.",
            sympy.diff(HALF_COSINE, s),
            -pi / 2 * (eta - end) * sin(pi * s),
            names={r"\eta_{\mathrm{end}}": end},
            latex=r"\frac{d\eta_t}{ds} = -\frac{\pi}{2}\, (\eta - \eta_{\mathrm{end}}) \sin \pi s",
        ),
        Symbolic(
            r"So it lingers at both ends: a third of the training has more than three quarters of the height, and a "
            r"third less than one quarter, where a line spends a quarter each.",
            HALF_COSINE.subs(s, Rational(1, 3)),
            end + Rational(3, 4) * (eta - end),
            names={r"\eta_{\mathrm{end}}": end},
            latex=r"\eta_{T/3} = \eta_{\mathrm{end}} + \tfrac34\, (\eta - \eta_{\mathrm{end}})",
        ),
        Numeric(
            r"The cosine is odd about its middle, so that the mean rate is halfway between the ends. A straight decay "
            r"has the same sum, to the last step: the two differ in when they travel, not in how far.",
            r"\sum_{t=0}^{T-1} \eta_t = \frac{T}{2}\, (\eta + \eta_{\mathrm{end}}) + \frac12\, (\eta - "
            r"\eta_{\mathrm{end}})",
            _area,
            how="against the library's cosine and line",
        ),
        Numeric(
            r"With warm restarts to $\eta_{\mathrm{end}} = 0$ the periods have the lengths $T_0, mT_0, m^2T_0, \dots$ "
            r"and end here (for $m = 1$ the fraction stands for its limit $n$). Each ends near 0 and has a mean of one "
            r"half: restarts leave the mean rate as it is.",
            r"T_0 + mT_0 + \dots + m^{n-1} T_0 = T_0\, \frac{m^n - 1}{m - 1}, \qquad \sum_{t} \eta_t = "
            r"\frac{\eta}{2} \Bigl(T_0\, \frac{m^n - 1}{m - 1} + n\Bigr)",
            _restarts,
            how="against the library's warm restarts",
        ),
        Numeric(
            r"One-cycle rises by half a cosine from $\eta/25$ to the peak at $s = p$, here 0.3, and falls by another "
            r"far below its start. The halves meet with slope 0, so there is no kink at the peak.",
            r"\eta_0 = \frac{\eta}{25}, \qquad \eta_{pT-1} = \eta, \qquad \frac{d\eta_t}{ds}\Bigr|_{s = p} = 0, "
            r"\qquad \frac{\eta_0}{\eta_{T-1}} = 10^4",
            _corners,
            absolute=1e-5,
            how="against the library's one-cycle",
        ),
        Numeric(
            r"Each half has the mean of its ends. As the far end is nearly 0, the time of the peak hardly matters: "
            r"the mean is a little over $\eta/2$, as with the cosine.",
            r"\sum_{t=0}^{T-1} \eta_t = \frac{T}{2}\, \bigl(\eta + p\,\eta_0 + (1 - p)\,\eta_{T-1}\bigr) "
            r"- \frac12\, (\eta - \eta_{T-1})",
            _cycle_area,
            how="against the library's one-cycle",
        ),
    ]


def _warmup() -> list[Step]:
    return [
        Numeric(
            r"Why warm up: Adam's first step is $-\eta\, g/|g|$, a whole $\eta$ in every coordinate, be the gradient "
            r"large or small, signal or noise. Later the average $\hat m$ lets noise cancel; of noise alone this is "
            r"the size of the steps for $\beta_1 = 0.9$.",
            r"\frac{|\Delta\theta_1|}{\eta} = 1, \qquad \sqrt{\mathbb{E} \Bigl(\frac{\Delta\theta_t}{\eta}\Bigr)^2} "
            r"\to \sqrt{\frac{1 - \beta_1}{1 + \beta_1}} \approx 0.23",
            _first_steps,
            tolerance=0.02,
            how="by running the library's Adam on noise",
        ),
        Numeric(
            r"A linear warm-up from $f\eta$ over $w$ steps makes the first steps small instead, and costs about "
            r"$(1 - f)/2$ of those $w$ steps.",
            r"\sum_{t=0}^{T-1} \eta_t = \eta\, \Bigl(T - (1 - f)\, \frac{w + 1}{2}\Bigr)",
            _warmup_cost,
            how="against the library's warm-up",
        ),
    ]


def _noise() -> list[Step]:
    moved = [((1 - eta * lam) * x + sign * eta * sigma) ** 2 for sign in (-1, 1)]
    variance = sympy.Symbol("V", positive=True)
    mean = sympy.expand((moved[0] + moved[1]) / 2).subs(x**2, variance)
    return [
        Symbolic(
            r"Why decay: on $\tfrac12 \lambda x^2$, with gradients $\lambda x + \sigma \xi$ whose noise $\xi$ has mean "
            r"0 and variance 1, the mean square $V_t = \mathbb{E}\, x_t^2$ shrinks by $(1 - \eta\lambda)^2$ and grows "
            r"by $\eta^2\sigma^2$ a step. At a constant rate it comes to a stop above 0.",
            sympy.solve(mean - variance, variance)[0],
            eta * sigma**2 / (lam * (2 - eta * lam)),
            latex=r"V_{t+1} = (1 - \eta\lambda)^2\, V_t + \eta^2\sigma^2 \quad\Longrightarrow\quad V_\infty = "
            r"\frac{\eta\, \sigma^2}{\lambda\, (2 - \eta\lambda)}",
            span=(0.1, 1.2),
        ),
        Numeric(
            rf"There SGD hovers for ever: measured over {COPIES:,} runs, within a twentieth. Half the rate leaves "
            r"somewhat less than half the variance.",
            r"\operatorname{Var} x_t \approx \frac{\eta\, \sigma^2}{\lambda\, (2 - \eta\lambda)}",
            _hover,
            tolerance=0.05,
            how="by running the library's SGD",
        ),
        Symbolic(
            r"With $\eta_t = 1/(\lambda\,(t + 1))$ the iterate is the plain average of all samples, whose variance has "
            r"no floor: if $V_n = \sigma^2/(\lambda^2 n)$ then the next is the same with $n + 1$.",
            mean.subs(variance, sigma**2 / (lam**2 * n)).subs(eta, 1 / (lam * (n + 1))),
            sigma**2 / (lam**2 * (n + 1)),
            latex=r"\Bigl(1 - \frac{1}{n + 1}\Bigr)^2 \frac{\sigma^2}{\lambda^2 n} + "
            r"\frac{\sigma^2}{\lambda^2 (n + 1)^2} = \frac{\sigma^2}{\lambda^2 (n + 1)}",
        ),
        Symbolic(
            r"That needs $\lambda$. The cosine does not: with $u$ steps left its rate is $c u^2$, "
            r"$c = \eta\pi^2/(4T^2)$, and noise that comes in there is damped by the rates that follow.",
            sympy.Integral(c**2 * u**4 * exp(-2 * lam * c * u**3 / 3), (u, 0, oo)).doit(),
            sympy.gamma(Rational(5, 3)) / 3 * (3 / (2 * lam)) ** Rational(5, 3) * c ** Rational(1, 3),
            names={"c": c, r"\lambda": lam},
            latex=r"\frac{V_T}{\sigma^2} \approx \int_0^\infty (c u^2)^2\, e^{-2\lambda c u^3/3}\, du = "
            r"\frac{\Gamma(\frac53)}{3} \Bigl(\frac{3}{2\lambda}\Bigr)^{5/3} c^{1/3}",
        ),
        Numeric(
            r"The flat end pays: the noise left over falls as $T^{-2/3}$, that of a straight decay, in the same way "
            rf"with $c u$, only as $T^{{-1/2}}$. For {LONG:,} steps both formulas hold to a hundredth.",
            r"V_T^{\cos} \approx \frac{\Gamma(\frac53)}{3} \Bigl(\frac{3}{2\lambda}\Bigr)^{5/3} "
            r"\Bigl(\frac{\eta\,\pi^2}{4T^2}\Bigr)^{1/3} \sigma^2, \qquad V_T^{\mathrm{line}} \approx "
            r"\frac{1}{4} \sqrt{\frac{\pi \eta}{\lambda^3 T}}\; \sigma^2",
            _left_by_decay,
            tolerance=0.01,
            how="by the recursion for $V$ at the library's rates",
        ),
    ]


def schedules() -> Derivation:
    """Cosine, restarts, one-cycle, warm-up and decay; Loshchilov & Hutter 2017, Smith & Topin 2018."""
    return Derivation(
        name="schedules",
        title="Learning-rate schedules",
        claim=(
            r"Cosine annealing starts and ends with slope 0 and has the mean rate of a straight decay; restarts and "
            r"one-cycle nearly keep it. At a constant rate SGD hovers round a minimum with variance "
            r"$\eta\sigma^2/(\lambda\,(2 - \eta\lambda))$; decay takes it away, and the cosine's flat end takes more "
            r"than a line's."
        ),
        steps=[*_shapes(), *_warmup(), *_noise()],
        cites=("loshchilov2017", "smith2018", "goyal2017", "kingma2015"),
    )
