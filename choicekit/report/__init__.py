"""From a result to a run directory: one self-contained page, figures, tables, a summary, and where it all came from."""

from choicekit.report.kinds import headline
from choicekit.report.writing import check_directory, write_report

__all__ = ["check_directory", "headline", "write_report"]
