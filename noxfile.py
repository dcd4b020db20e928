"""What can be run on a checkout: `nox -s tests` first, `nox -l` lists the rest.

Works with pip alone; when uv is installed, environments are made with it, many times faster.
Packages are installed as wheels, never editable: that is what catches a missing data file or entry
point.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["tests"]
nox.options.error_on_missing_interpreters = True
# pip trusts the system's certificates; uv does so only when told.
os.environ.setdefault("UV_SYSTEM_CERTS", "1")

ROOT = Path(__file__).parent
PLUGINS = ("encodec", "dac", "xcodec")
# A release of torch that everything here was tested with. Set MIDIGROOVE_TORCH to test another one,
# such as "torch==2.13.0+cpu" together with an index that has it.
TORCH = os.environ.get("MIDIGROOVE_TORCH", "torch==2.13.0")
TEST_NEEDS = (
    "pytest>=8.4", "pytest-xdist>=3.6", "auraloss>=0.4.0", "hypothesis>=6.135", "starlette>=0.46",
    "httpx>=0.28", "huggingface_hub>=1.31",
)  # fmt: skip
BROWSER_NEEDS = ("uvicorn>=0.34", "playwright>=1.50", "axe-playwright-python>=0.1.4")
DOCS_NEEDS = ("mkdocs-material>=9.6,<10", "mkdocstrings-python>=1.16", "ruff>=0.12")
PARALLEL = ("-n", "auto", "--dist", "worksteal")


@nox.session
def tests(session: nox.Session) -> None:
    """The core suite, on the installed wheel of core alone."""
    install(session, ".", *TEST_NEEDS)
    session.run("pytest", *PARALLEL, *session.posargs, env=one_thread())


@nox.session
@nox.parametrize("plugin", PLUGINS)
def plugin_tests(session: nox.Session, plugin: str) -> None:
    """Core and one codec plugin in a fresh environment, and the suite of that plugin."""
    folder = f"plugins/midigroove_{plugin}"
    install(session, ".", folder, *TEST_NEEDS)
    session.run("pytest", f"{folder}/tests", *session.posargs, env=one_thread())
    session.run("midigroove", "codecs")


@nox.session
def together(session: nox.Session) -> None:
    """All plugins side by side, and the core suite again, with torchaudio installed.

    Beside a torch without CUDA its compiled part does not load, beside the one of PyPI it does.
    """
    plugins = (f"plugins/midigroove_{plugin}" for plugin in PLUGINS)
    install(session, ".", *plugins, "torchaudio>=2.9", *TEST_NEEDS)
    session.run("pytest", *PARALLEL, *session.posargs, env=one_thread())


@nox.session
def torch_builds(session: nox.Session) -> None:
    """`pip install .` beside the torch that this machine has, and beside PyPI's CUDA build.

    That one takes gigabytes, so it is only resolved: from metadata, some 15 MB. Where this machine
    takes torch from PyPI, `nox -s tests` and `together` run on it.
    """
    install(session, ".", "torchaudio>=2.9")
    out = Path(session.create_tmp()).resolve()
    build = "import torch; print('torch', torch.__version__, 'CUDA', torch.version.cuda)"
    session.run("python", "-c", build)
    session.run("midigroove", "render", "examples/groove.mid", "-o", f"{out}/a.wav", "--overwrite")
    session.run("python", "-c", _TORCHAUDIO)
    (wheel,) = (out / "wheels").glob("*/*.whl")
    wanted = out / "wanted.txt"
    wanted.write_text(f"{wheel}\n{TORCH.partition('+')[0]}\ntorchaudio>=2.9\n")
    session.install("uv")  # pip would fetch whole wheels where a mirror has no metadata apart
    found = session.run(
        "uv", "pip", "compile", "--no-config", "--default-index=https://pypi.org/simple",
        "--only-binary=:all:", "--python-platform=x86_64-manylinux_2_28", "--no-header",
        "--no-annotate", str(wanted),
        silent=True, stderr=None, env=dict.fromkeys(("UV_FIND_LINKS", "UV_TORCH_BACKEND")),
    )  # fmt: skip
    session.log(" ".join(str(found).split()))
    if "nvidia-" not in str(found):
        session.error("PyPI's torch is no CUDA build any more: say so in the README")


_TORCHAUDIO = (
    "import torch; from midigroove_core.torchaudio_lazy import torchaudio; "
    "print(torchaudio().functional.resample(torch.zeros(1, 441), 441, 320).shape)"
)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Damaged files of every kind that is read: some 30,000, in about two hours on one core.

    `nox -s fuzz -- 100` takes so many inputs for each kind instead of 1,000.
    """
    install(session, ".", *TEST_NEEDS)
    counts = Path(session.create_tmp()).resolve() / "fuzz.jsonl"
    inputs = session.posargs[0] if session.posargs else "1000"
    more = {"MIDIGROOVE_FUZZ_INPUTS": inputs, "MIDIGROOVE_FUZZ_COUNTS": str(counts)}
    counts.unlink(missing_ok=True)
    session.run("pytest", "tests/fuzz", "-n", "auto", env={**one_thread(), **more})
    session.log(counts.read_text())


@nox.session
def examples(session: nox.Session) -> None:
    """Each example plugin built, installed beside core, and its own tests."""
    for folder in sorted((ROOT / "examples").glob("*/pyproject.toml")):
        install(session, ".", f"examples/{folder.parent.name}", *TEST_NEEDS)
        with session.chdir(folder.parent):  # where its own settings of pytest are
            session.run("pytest", *session.posargs, env=one_thread())
    session.run("midigroove", "plugins", "--check")


@nox.session
def browser(session: nox.Session) -> None:
    """The tests that need chromium: the report, and the studio by mouse and by keyboard.

    MIDIGROOVE_SCREENSHOTS names a folder for pictures of the studio.
    """
    if not any(shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome")):
        session.error("needs chromium: apt-get install chromium, or its like")
    install(session, ".", *TEST_NEEDS, *BROWSER_NEEDS)
    session.run("pytest", "tests/report", *session.posargs, env=one_thread())
    asked = {**one_thread(), "MIDIGROOVE_BROWSER": "1"}
    session.run("pytest", "tests/browser", *session.posargs, env=asked)


@nox.session
def lint(session: nox.Session) -> None:
    """ruff, the floors of the house (import-linter), types (mypy), the docs without warnings."""
    # With what tests need: suites that ship are classes for pytest, whose types mypy reads.
    install(session, ".", *TEST_NEEDS, "ruff>=0.12", "import-linter>=2.17", "mypy>=1.15")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")
    session.run("mypy")
    _build_docs(session)


@nox.session
def docs(session: nox.Session) -> None:
    """The documentation as a site, in site/: `nox -s docs -- serve` shows it while one writes."""
    _build_docs(session, *session.posargs)


def _build_docs(session: nox.Session, *arguments: str) -> None:
    # The reference is read from the sources: neither midigroove nor torch is needed.
    session.install(*_find_links(), *DOCS_NEEDS)
    quiet = {"NO_MKDOCS_2_WARNING": "1"}
    session.run("mkdocs", *(arguments or ("build", "--strict", "--quiet")), env=quiet)


@nox.session
def demo(session: nox.Session) -> None:
    """The whole pipeline on real performances, as a story; three to five minutes once installed."""
    install(session, ".")
    session.run("midigroove", "demo", "--out", "demo", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Every benchmark in benchmarks/, or those named: `nox -s bench -- grids sampler`."""
    install(session, ".", *(f"plugins/midigroove_{plugin}" for plugin in PLUGINS))
    names = session.posargs or sorted(path.stem for path in (ROOT / "benchmarks").glob("*.py"))
    for name in names:
        session.run("python", f"benchmarks/{name}.py")


def install(session: nox.Session, *requirements: str) -> None:
    """Installs wheels of the folders among the requirements, and the rest from the registry."""
    find_links = _find_links()
    session.install(*find_links, TORCH, "build", "hatchling>=1.27")
    wheels = [_wheel(session, name) for name in requirements if (ROOT / name).is_dir()]
    others = [name for name in requirements if not (ROOT / name).is_dir()]
    session.install(*find_links, TORCH, *wheels, *others)


def one_thread() -> dict[str, str]:
    """Tests are small: one thread each is faster and gives the same sums everywhere."""
    return {"OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg", "HF_HUB_OFFLINE": "1"}


def _wheel(session: nox.Session, folder: str) -> str:
    out = Path(session.create_tmp()).resolve() / "wheels" / Path(folder).resolve().name
    shutil.rmtree(out, ignore_errors=True)
    command = ["python", "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), folder]
    session.run(*command, silent=True)
    return str(next(out.glob("*.whl")))


def _find_links() -> list[str]:
    # uv does not read pip's settings, where a machine may say where more wheels lie.
    command = [sys.executable, "-m", "pip", "config", "get", "global.find-links"]
    found = subprocess.run(command, capture_output=True, text=True, check=False).stdout.split()
    found += os.environ.get("PIP_FIND_LINKS", "").split()
    return [f"--find-links={place}" for place in dict.fromkeys(found)]
