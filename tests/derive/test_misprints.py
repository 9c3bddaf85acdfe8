"""A slip in what is printed is caught: the formula itself is read, and compared with what was computed."""

import numpy as np
import pytest
from mistakes import assert_caught, misprint

from phase2.derive.reader import FLOAT, Reader, Unreadable
from phase2.derive.reading import pairs, plain

MISPRINTS = [
    ("mean_field", "So the variance", r" + \sigma_b^2", ""),
    ("mean_field", "The slopes do not depend", r"\sigma_w^2", r"\sigma_w"),
    ("mean_field", "For tanh expand", r"- 2q^2", r"+ 2q^2"),
    ("quadratic_momentum", "the roots coincide", r"(1 + \rho)", r"(2 + \rho)"),
    ("quadratic_momentum", "Counted for", "93", "94"),
    ("nesterov", "The double root", r"(1 - \rho)", r"(1 + \rho)"),
    ("nesterov", "is felt for", "0.99", "0.9"),
    ("nesterov", "the slower of the two", r"\frac{2}{\sqrt\kappa}", r"\frac{1}{\sqrt\kappa}"),
    ("residual_variance", "multiplies the mean square by", r"\tfrac12", r"\tfrac13"),
    ("batch_noise", "are uncorrelated", r"4\sigma^4", r"2\sigma^4"),
    ("cybenko", "stand for the steps", r"4 n \log n", r"2 n \log n"),
    ("saturation", "to drop the other", "4", "2"),
    ("smoothness", "the descent lemma", r"\tfrac{L}{2}", r"\tfrac{L}{3}"),
    ("softmax_cross_entropy", "the quotient rule", "1 - p_i", "2 - p_i"),
    ("swish", "Lambert's", "-1 - W", "1 - W"),
    ("gelu", "Either constant", "7.46", "7.45"),
    ("relu", "holds half of the second moment", r"z^2/2q", r"z^2/q"),
    ("dropout", "What dropout adds", r"\frac{x^2}{(1-p)^2}", r"\frac{x^2}{1-p}"),
    ("adam", "What Adam forgets", "0.681", "0.691"),
    ("schedules", "One-cycle rises", "10^4", "10^5"),
    ("schedules", "odd about its middle", r"\frac12", r"\frac13"),
    ("schedules", "The flat end pays", r"4T^2", r"2T^2"),
    ("momentum", "While the gradient stays the same", r"1 - \mu^t", r"1 + \mu^t"),
    ("rmsprop", "from below", r"\alpha^{2t}", r"\alpha^t"),
    ("adam", "Where gradients disagree", r"1 + \beta_1^t", r"1 + \beta_1"),
    ("batch_noise", "fluctuates with", "m-3", "m-2"),
]


@pytest.mark.parametrize(("name", "words", "old", "new"), MISPRINTS)
def test_a_misprint_is_caught(name: str, words: str, old: str, new: str):
    assert_caught(name, words, **misprint(name, words, old, new))


@pytest.mark.parametrize(
    ("latex", "value"),
    [
        (r"\tfrac12 a + 3 b^2", 0.5 * 2 + 3 * 25),
        (r"a/2b", 2 / 10),
        (r"\log 2a", np.log(4)),
        (r"\sqrt b\, \tanh^2 a", np.tanh(2) ** 2 * 5**0.5),
        (r"\sum_{k=0}^{a} b\,k", 15),
        (r"e^{-a} \max(a, b)", np.exp(-2) * 5),
        (r"\Bigl|\frac{a - b}{a}\Bigr|", 1.5),
        (r"4.7 \cdot 10^{-4}", 4.7e-4),
    ],
)
def test_formulas_are_read_as_on_paper(latex: str, value: float):
    assert Reader(plain(latex), {"a": 2.0, "b": 5.0}, FLOAT).whole() == pytest.approx(value, rel=1e-14)


def test_arrays_of_two_dimensions_multiply_as_matrices():
    rng = np.random.default_rng(0)
    W, x = rng.normal(size=(3, 2)), rng.normal(size=(2, 1))
    read = Reader(plain(r"x^\top W^\top W x"), {"W": W, "x": x}, FLOAT).whole()
    assert np.allclose(read, x.T @ W.T @ W @ x)


def test_what_is_no_algebra_is_not_read():
    for latex in (r"\mathbb{E} a", "a'", "a_1", r"\lim_{a \to 0} a", "c"):
        with pytest.raises(Unreadable):
            Reader(plain(latex), {"a": 2.0}, FLOAT).whole()
    assert pairs(r"c = \mathbb{E}\,a, \qquad a > c", {"a": 2.0}) == []
