import numpy as np

from midigroove_core import Metric

FRAME = 2048
FLOOR = 1e-7
"""Of the power of full scale: what is quieter counts as this, so that silence has a figure."""


class SpectralFlatness(Metric):
    """Whether a row is as noisy as the recording, hiss against tone.

    The flatness of a frame is the geometric mean of its power spectrum over the arithmetic one
    (https://en.wikipedia.org/wiki/Spectral_flatness): 0 dB for white noise, far below for a tone.
    """

    metric_id = "spectral_flatness"
    label = "Spectral flatness"
    unit = "dB"
    better = "zero"
    note = "Above 0: noisier than the recording; below 0: more tonal."

    def measure(self, audio, reference, sample_rate, performance):
        return _flatness_db(audio) - _flatness_db(reference)


def _flatness_db(audio):
    """Mean over frames of `[S]`, the loudest counting most."""
    frames = np.pad(audio, (0, -len(audio) % FRAME)).reshape(-1, FRAME) * np.hanning(FRAME)
    power = np.abs(np.fft.rfft(frames, norm="ortho")) ** 2 + FLOOR
    flatness = 10 * np.log10(np.exp(np.log(power).mean(axis=1)) / power.mean(axis=1))
    return float(np.average(flatness, weights=power.sum(axis=1)))
