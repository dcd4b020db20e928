"""The reader contract: a file of some format to a performance."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from midigroove_core.performance import DrumPerformance


class PerformanceReader(ABC):
    """Reads files of performances of one format; made without arguments.

    Attributes:
        reader_id: registry id, such as `midi`.
        suffixes: endings of file names that are of this format, lower case, with their dot:
            `(".mid", ".midi")`.
    """

    reader_id: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    @abstractmethod
    def read(self, path: Path) -> DrumPerformance:
        """Reads one file: hits in seconds, pitches as the file has them.

        The same file always gives the same performance.

        Raises:
            InputError: a file that is missing, damaged, empty or without hits; one line that names
                the file.
        """
