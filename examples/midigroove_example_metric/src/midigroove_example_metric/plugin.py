from midigroove_core import hookimpl

midigroove_edition = 2


@hookimpl
def register_metrics(register):
    register(
        "spectral_flatness", "midigroove_example_metric.flatness:SpectralFlatness", default=True
    )
