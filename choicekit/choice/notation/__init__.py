"""An expression as it would be printed in a paper: LaTeX, and MathML that browsers show by themselves.

One walk over the tree (`writing.Writer`) decides what is written: where parentheses are needed, what is a fraction, a
power, a case. A `writing.Style` decides how: `latex` and `mathml` each have one.
"""

from choicekit.choice.notation.latex import to_latex
from choicekit.choice.notation.mathml import to_mathml

__all__ = ["to_latex", "to_mathml"]
