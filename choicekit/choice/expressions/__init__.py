"""The formulas of scenarios: a small, safe language over columns and coefficients.

A formula is read in four steps, each of which refuses what the next must not see. Nothing is ever executed:
evaluation walks the tree over arrays.

::

    text        "b_cost * log(cost)"
     │
     │ 1  tokens.py    cut into names, numbers, texts and operators; any other character is an error
     ▼
    tokens      b_cost  *  log  (  cost  )
     │
     │ 2  grammar.py   walk over them once: every grammatical fault is found here, in our own words
     ▼
    tokens in order
     │
     │ 3  tree.py      let `ast.parse` build the tree from a copy of the text in which every value is masked
     ▼
    tree        BinOp(Name, Mult, Call(Name))
     │
     │ 4  tree.py      let through the few kinds of node listed there and nothing else
     ▼
    Expression  expression.py   ── evaluate(columns) ──▶ evaluation.py

A formula that has been read has a slope in each of its names (`derivatives`), takes other formulas in their place
(`substitution`) and shows the terms of its sum (`terms`).

The words of the language are in `functions` and `operators`, its bounds in `limits`, the ways through a tree in
`walking`, and what all errors have in common in `wording`.
"""

from choicekit.choice.expressions.derivatives import derivative
from choicekit.choice.expressions.expression import Expression, parse_expression
from choicekit.choice.expressions.functions import FUNCTIONS, Function
from choicekit.choice.expressions.limits import MAX_CHARACTERS, MAX_DEPTH, MAX_NODES
from choicekit.choice.expressions.substitution import substituted
from choicekit.choice.expressions.terms import own_terms
from choicekit.choice.expressions.walking import fold, operands

__all__ = [
    "FUNCTIONS",
    "MAX_CHARACTERS",
    "MAX_DEPTH",
    "MAX_NODES",
    "Expression",
    "Function",
    "derivative",
    "fold",
    "operands",
    "own_terms",
    "parse_expression",
    "substituted",
]
