# %% [markdown]
# # A scorecard that hears
#
# Any audio can be judged against the MIDI that it should play and the recording that it should
# sound like. Here three damaged copies of recordings stand in for three generators: one plays 25 ms
# late, one is dull, one plays the wrong kit. Which figures notice what?
#
# This file runs from top to bottom, as a script or as the notebook beside it, without a network.

# %%
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import scipy.signal

import midigroove
from midigroove_core.audio import load_audio, save_audio
from midigroove_core.kits.library import builtin_grooves

folder = Path("scorecard-example")

# %% [markdown]
# ## Recordings
# The first 6 seconds of three human grooves that ship with midigroove, played on its jazz kit: a
# folder with an audio file beside each MIDI file, and a csv that says what they are, is a dataset.
# Recordings of your own are as good.

# %%
data = folder / "data"
data.mkdir(parents=True, exist_ok=True)
lines = ["file,kit,split"]
for groove in builtin_grooves()[:30:10]:
    performance = midigroove.load_performance(groove.path).slice(0, 6)
    midigroove.save_midi(performance, data / f"{groove.name}.mid")
    played = midigroove.render(performance, kit="jazz", engine="sampler")
    played.save(data / f"{groove.name}.wav")
    lines.append(f"{groove.name}.wav,jazz,test")
(data / "takes.csv").write_text("\n".join(lines) + "\n")
dataset = midigroove.open_dataset(data)
takes = dataset.takes
print(len(takes), "takes")

# %% [markdown]
# ## Three generators
# A folder each, a file per take by its name.

# %%
SHELF = scipy.signal.butter(4, 2000, fs=44100, output="sos")


def late(take):
    audio, rate = load_audio(dataset.audio_path(take))
    return np.pad(audio, ((0, 0), (rate * 25 // 1000, 0))), rate


def dull(take):
    audio, rate = load_audio(dataset.audio_path(take))
    return scipy.signal.sosfilt(SHELF, audio).astype(np.float32), rate


def other_kit(take):
    played = midigroove.render(dataset.midi_path(take), kit="tr808", engine="sampler")
    return played.audio, played.sample_rate


for make in (late, dull, other_kit):
    for take in takes:
        audio, rate = make(take)
        save_audio(folder / make.__name__ / Path(take.key).with_suffix(".wav"), audio, rate)

# %% [markdown]
# ## The scorecard
# Beside them: silence, the sampler that made these recordings, and the recording itself, without
# which no figure means anything.

# %%
scorecard = midigroove.evaluate(
    [],
    out=folder / "eval",
    audio=[f"{make.__name__}:{folder / make.__name__}" for make in (late, dull, other_kit)],
    dataset=data,
    overwrite=True,
)
print(scorecard)

# %% [markdown]
# ## What each figure hears
# Every row on the way from silence (0) to the recording (1). Read it by columns: a figure in which
# all three stand near 1 hears none of the damage.

# %%
FIGURES = {
    "onset_f1_50ms": "onsets, 50 ms",
    "onset_f1_10ms": "onsets, 10 ms",
    "drum_f1": "drums",
    "mel_l1": "mel spectrum",
    "band_balance_difference_db": "bands",
    "envelope_correlation": "envelope",
}
rows = {row.row: row for row in scorecard.table()}
names = ["late", "dull", "other_kit", "sampler"]


def share(row, figure):
    """0 as silence, 1 as the recording."""
    low, high = rows["silence"].mean(figure), rows["recording"].mean(figure)
    return (rows[row].mean(figure) - low) / (high - low)


shares = np.array([[share(row, figure) for figure in FIGURES] for row in names])
plot, axes = plt.subplots(figsize=(8, 2.8), layout="constrained")
axes.imshow(shares, cmap="RdYlGn", vmin=0, vmax=1, aspect="auto")
axes.set_xticks(range(len(FIGURES)), FIGURES.values())
axes.set_yticks(range(len(names)), names)
for (y, x), value in np.ndenumerate(shares):
    axes.text(x, y, f"{value:.2f}", ha="center", va="center")
axes.set_title("From silence (0) to the recording (1)")

# %% [markdown]
# ## Clip by clip
# `columns` has every figure of every clip, as `pandas.DataFrame` takes it. A mean can hide that a
# few clips are bad.

# %%
clips = scorecard.columns("clips.csv")
plot, axes = plt.subplots(figsize=(8, 3.2), layout="constrained")
for row in names:
    own = clips["row"] == row
    axes.scatter(clips["mel_l1"][own], clips["onset_f1_10ms"][own], label=row)
axes.set_xlabel("mel L1, dB (less is better)")
axes.set_ylabel("onset F1 at 10 ms (more is better)")
axes.legend()
axes.set_title("Each dot is a clip")

# %% [markdown]
# ## To look at
# The same take as it was recorded, and as the three play it.

# %%
plot, axes = plt.subplots(1, 4, figsize=(8, 2.6), sharey=True, layout="constrained")
signals = {"recording": load_audio(dataset.audio_path(takes[0]))}
quiet = 1e-5 * np.random.default_rng(0).normal(size=3 * 44100)  # no logarithm of nothing
signals |= {make.__name__: make(takes[0]) for make in (late, dull, other_kit)}
for axis, (name, (audio, rate)) in zip(axes, signals.items(), strict=True):
    axis.specgram(
        audio[0, : 2 * rate] + quiet[: 2 * rate],
        NFFT=1024,
        Fs=rate,
        noverlap=512,
        vmin=-140,
        vmax=-40,
    )
    axis.set_title(name)
    axis.set_xlabel("s")
axes[0].set_ylabel("Hz")

# %% [markdown]
# All of it, to listen to as well: `midigroove report scorecard-example/eval -o report.html`.
