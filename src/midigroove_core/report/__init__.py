"""One HTML file in which to see and hear why one system is better.

`write_report(["eval/first"], "report.html")` makes it from evaluation directories;
`write_listening_test` makes a blind test from the same clips. Both are self-contained: no network,
no files beside them.
"""

from midigroove_core.report.export import export_papers
from midigroove_core.report.listening import write_listening_test
from midigroove_core.report.page import write_report

__all__ = ["export_papers", "write_listening_test", "write_report"]
