"""Code statistics against distributions whose entropies are known."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from scipy import stats

from midigroove_core import metrics
from midigroove_core.metrics.codes import validate_takes


def markov_take(length: int, seed: int, stay: float = 0.8, size: int = 16) -> np.ndarray:
    """One row that stays with probability `stay`, one row that is uniform noise."""
    generator = np.random.default_rng(seed)
    jumps = generator.random(length) > stay
    moves = np.where(jumps, generator.integers(1, size, length), 0)
    return np.stack([np.cumsum(moves) % size, generator.integers(0, size, length)])


TRAIN = [markov_take(4000, seed) for seed in range(4)]
TEST = [markov_take(4000, seed) for seed in range(10, 12)]


def test_entropy_agrees_with_scipy() -> None:
    counts = np.array([[5, 0, 3, 2], [1, 1, 1, 1]])
    assert metrics.entropy_nats(counts) == pytest.approx(stats.entropy(counts, axis=1))
    assert metrics.perplexity(counts)[1] == pytest.approx(4.0)
    assert metrics.usage(counts).tolist() == [0.75, 1.0]
    assert metrics.entropy_nats(np.zeros((1, 4))).tolist() == [0.0]


def test_baselines_reach_the_true_entropies_on_held_out_codes() -> None:
    model = metrics.fit_code_model(TRAIN, [16, 16])
    assert model.unigram_nll(TEST) == pytest.approx([np.log(16)] * 2, abs=0.01)
    true_rate = stats.entropy([0.8] + [0.2 / 15] * 15)
    assert model.bigram_nll(TEST) == pytest.approx([true_rate, np.log(16)], abs=0.05)


def test_bigram_is_no_worse_than_unigram_when_data_is_scarce() -> None:
    generator = np.random.default_rng(0)
    train = [generator.integers(0, 1024, (1, 500))]
    test = [generator.integers(0, 1024, (1, 500))]
    model = metrics.fit_code_model(train, [1024])
    assert model.bigram_nll(test)[0] < model.unigram_nll(test)[0] + 0.15


def test_pairs_do_not_cross_takes() -> None:
    takes = [np.array([[0, 1]]), np.array([[2, 3]])]
    assert metrics.fit_code_model(takes, [4]).pair_keys[0].tolist() == [0 * 4 + 1, 2 * 4 + 3]


def test_bigram_probabilities_sum_to_one() -> None:
    model = metrics.fit_code_model(TRAIN, [16, 16])
    total = 0.0
    for following in range(16):
        take = np.array([[3, following], [5, following]])
        both = np.exp(-2.0 * model.bigram_nll([take]))  # mean over two frames, undone
        total += both / np.array([model.unigram[0][3], model.unigram[1][5]])
    assert total == pytest.approx([1.0, 1.0])


def test_change_rate_and_runs() -> None:
    take = np.array([[1, 1, 1, 2, 2, 3], [0, 1, 2, 3, 4, 5]], np.uint16)
    assert metrics.change_rate([take]).tolist() == [0.4, 1.0]
    assert metrics.run_lengths(take[0]).tolist() == [3, 2, 1]
    assert metrics.mean_run_length([take]).tolist() == [2.0, 1.0]
    assert metrics.run_lengths([]).size == 0


def test_bits_per_second_of_uniform_codes_is_the_bit_rate() -> None:
    nll = np.full(9, np.log(1024))
    assert metrics.bits_per_second(nll, Fraction(44100, 512)) == pytest.approx(9 * 10 * 44100 / 512)


def test_accuracy() -> None:
    codes = np.arange(24).reshape(2, 3, 4)
    assert metrics.accuracy(codes, codes).tolist() == [1.0, 1.0, 1.0]
    wrong = codes.copy()
    wrong[:, 1, :2] += 1
    assert metrics.accuracy(codes, wrong).tolist() == [1.0, 0.5, 1.0]
    with pytest.raises(ValueError, match="equal shape"):
        metrics.accuracy(codes, codes[:, :2])


@pytest.mark.parametrize(
    ("takes", "message"),
    [
        ([], "no codes"),
        ([np.zeros((2, 3), int), np.zeros((3, 3), int)], "take 1: .* with K = 2"),
        ([np.zeros((2, 3))], "integers"),
        ([np.full((2, 3), 16)], r"\[0, 16\)"),
    ],
)
def test_bad_codes_are_refused(takes: list[np.ndarray], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        validate_takes(takes, [16, 16])
