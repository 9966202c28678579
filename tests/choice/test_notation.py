"""Printed formulas: what they look like, that no name in them is markup, and that they read back as they were."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import numpy as np
import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from choicekit.choice.expressions import FUNCTIONS, parse_expression
from choicekit.choice.notation import to_latex, to_mathml
from tests.choice.test_expressions import LEAVES, Written, grow

SPACE = "{http://www.w3.org/1998/Math/MathML}"


def latex(text: str) -> str:
    return to_latex(parse_expression(text))


def mathml(text: str) -> ElementTree.Element:
    return ElementTree.fromstring(to_mathml(parse_expression(text)))  # noqa: S314 - our own output


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # names and numbers
        ("b_cost * x", r"b_{\mathrm{cost}} \cdot x"),
        ("asc_train_peak", r"\mathrm{asc}_{\mathrm{train\_peak}}"),
        ("b_x + _x + x_ + x1", r"b_{x} + \mathrm{\_x} + \mathrm{x\_} + \mathrm{x1}"),
        ("`travel time` + `a_b c`", r"\text{travel time} + a_{\text{b c}}"),
        ("β_é", "β_{é}"),
        ("0.80 + 3.0 + 1_000", "0.8 + 3 + 1000"),
        ("1e-7 * x", r"1 \times 10^{-7} \cdot x"),
        ("x * 2.5e20", r"x \cdot \left(2.5 \times 10^{20}\right)"),
        ("True", r"\mathrm{true}"),
        # arithmetic
        ("a - b - c", "a - b - c"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("(a + b) * c", r"\left(a + b\right) \cdot c"),
        ("a + (b * c)", r"a + b \cdot c"),
        ("((a))", "a"),
        ("a / (b + c)", r"\frac{a}{b + c}"),
        ("(a + b) / c * d", r"\frac{a + b}{c} \cdot d"),
        ("a * (b / c)", r"a \cdot \frac{b}{c}"),
        ("(a / b) ** 2", r"\left(\frac{a}{b}\right)^{2}"),
        ("a ** b ** c", "a^{b^{c}}"),
        ("(a ** b) ** c", r"\left(a^{b}\right)^{c}"),
        ("a ** (b + 1)", "a^{b + 1}"),
        ("a % b", r"a \bmod b"),
        ("a // b", r"\left\lfloor \frac{a}{b}\right\rfloor"),
        # signs
        ("-a ** 2", "-a^{2}"),
        ("(-a) ** 2", r"\left(-a\right)^{2}"),
        ("-0.5 * cost", r"-0.5 \cdot \mathrm{cost}"),
        ("a * -b", r"a \cdot \left(-b\right)"),
        ("a - -b * c", r"a - \left(-b \cdot c\right)"),
        ("-(a % b)", r"-\left(a \bmod b\right)"),
        ("-(-a)", r"-\left(-a\right)"),
        ("a ** -1", "a^{-1}"),
        # functions
        ("log(x) + exp(-x)", r"\ln\left(x\right) + \exp\left(-x\right)"),
        ("log(x) ** 2", r"\left(\ln\left(x\right)\right)^{2}"),
        ("sqrt(a + b)", r"\sqrt{a + b}"),
        ("abs(a + b) * 2", r"\left|a + b\right| \cdot 2"),
        ("floor(x) + ceil(x)", r"\left\lfloor x\right\rfloor + \left\lceil x\right\rceil"),
        ("min(a, b + 1)", r"\min\left(a, b + 1\right)"),
        ("clip(x, 0, 1)", r"\operatorname{clip}\left(x, 0, 1\right)"),
        # conditions
        ("a < b <= c", r"a < b \leq c"),
        ("(a > 3) * b", r"\left(a > 3\right) \cdot b"),
        ("a != b or a >= c and not d", r"a \neq b \lor a \geq c \land \lnot d"),
        ("(a or b) and c", r"\left(a \lor b\right) \land c"),
        ("not a == b", r"\lnot \left(a = b\right)"),
        ("(not a) == b", r"\left(\lnot a\right) = b"),
        ("not not a", r"\lnot \lnot a"),
        ("a in [1, -2]", r"a \in \left\{1, -2\right\}"),
        ("mode not in ('air',)", r"\mathrm{mode} \notin \left\{\text{`air'}\right\}"),
        # cases
        ("a if b > 0 else c", r"\begin{cases} a & \text{if } b > 0 \\ c & \text{otherwise} \end{cases}"),
        (
            "where(x < 1, 1, 2 if x < 2 else 3)",
            r"\begin{cases} 1 & \text{if } x < 1 \\ 2 & \text{if } x < 2 \\ 3 & \text{otherwise} \end{cases}",
        ),
        ("(a < b) < c", r"\left(a < b\right) < c"),
        ("a or (b or c)", r"a \lor \left(b \lor c\right)"),
        (
            "where(c, where(d, 1, 2), 3)",
            r"\begin{cases} \left(\begin{cases} 1 & \text{if } d \\ 2 & \text{otherwise} \end{cases}\right) "
            r"& \text{if } c \\ 3 & \text{otherwise} \end{cases}",
        ),
        (
            "where(where(d, a, b), 1, 3)",
            r"\begin{cases} 1 & \text{if } "
            r"\left(\begin{cases} a & \text{if } d \\ b & \text{otherwise} \end{cases}\right) "
            r"\\ 3 & \text{otherwise} \end{cases}",
        ),
        (
            "where(c, 1, 0) * x",
            r"\left(\begin{cases} 1 & \text{if } c \\ 0 & \text{otherwise} \end{cases}\right) \cdot x",
        ),
    ],
)
def test_latex(text: str, expected: str) -> None:
    assert latex(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b_cost", '<msub><mi>b</mi><mi mathvariant="normal">cost</mi></msub>'),
        ("asc * 2", '<mrow><mi mathvariant="normal">asc</mi><mo>⋅</mo><mn>2</mn></mrow>'),
        ("-a / b", "<mfrac><mrow><mo>−</mo><mi>a</mi></mrow><mi>b</mi></mfrac>"),
        ("a ** 2", "<msup><mi>a</mi><mn>2</mn></msup>"),
        ("sqrt(a)", "<msqrt><mi>a</mi></msqrt>"),
        ("a <= b", "<mrow><mi>a</mi><mo>≤</mo><mi>b</mi></mrow>"),
        ("a < b", "<mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow>"),
        ("a == 'x&y'", "<mrow><mi>a</mi><mo>=</mo><mtext>‘x&amp;y’</mtext></mrow>"),
        ("a + b - c", "<mrow><mi>a</mi><mo>+</mo><mi>b</mi><mo>−</mo><mi>c</mi></mrow>"),
        (
            "log(x)",
            '<mrow><mi mathvariant="normal">ln</mi><mo>\u2061</mo>'
            '<mrow><mo form="prefix">(</mo><mi>x</mi><mo form="postfix">)</mo></mrow></mrow>',
        ),
    ],
)
def test_mathml(text: str, expected: str) -> None:
    assert to_mathml(parse_expression(text)) == f'<math xmlns="{SPACE[1:-1]}">{expected}</math>'


def test_mathml_cases_have_a_line_each() -> None:
    table = mathml("1 if x < 1 else 2 if x < 2 else 3").find(f".//{SPACE}mtable")
    assert table is not None
    lines = ["|".join("".join(cell.itertext()) for cell in line) for line in table]
    assert lines == ["1|if\u00a0x<1", "2|if\u00a0x<2", "3|otherwise"]


def test_a_long_sum_is_one_row() -> None:
    # Browsers give up on elements nested some hundreds deep.
    row = mathml("+".join(["a * b"] * 100))[0]
    assert len(row) == 199


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_has_a_notation(name: str) -> None:
    count = FUNCTIONS[name].arity[0]
    text = f"{name}({', '.join('xyz'[:count])})"
    assert all(letter in latex(text) for letter in "xyz"[:count])
    assert [node.text for node in mathml(text).iter(f"{SPACE}mi") if node.text in "xyz"]


# --- nothing a user wrote is markup ---------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    "</math>",
    '" onload="x',
    "&lt;",
    "$x$",
    r"\input{/etc/passwd}",
    "}{",
    "#%~^_&",
    "\x1b[2J",
]


@pytest.mark.parametrize("hostile", HOSTILE)
def test_hostile_names_and_texts_stay_text(hostile: str) -> None:
    literal = hostile.replace("\\", "\\\\")
    for text in (f"`{hostile}` + 1", f'a == "{literal}"' if '"' not in hostile else f"a == '{literal}'"):
        tags = {tag.name for tag in BeautifulSoup(to_mathml(parse_expression(text)), "html.parser").find_all()}
        assert tags <= {"math", "mrow", "mi", "mo", "mn", "msub", "mtext"}
        assert {tag for node in mathml(text).iter() for tag in node.attrib} <= {"mathvariant", "form"}
        assert_latex_is_balanced(latex(text))


def assert_latex_is_balanced(text: str) -> None:
    """Every special character is escaped, and every command is one of ours."""
    commands = set(re.findall(r"\\([A-Za-z]+)", text))
    assert commands <= {"text", "mathrm", "textbackslash", "textasciitilde", "textasciicircum"}
    bare = re.sub(r"\\[A-Za-z]+|\\.", "", text)
    assert not set(bare) & set("$#%~^&\\")
    depth = 0
    for character in bare:
        depth += (character == "{") - (character == "}")
        assert depth >= 0
    assert depth == 0


@settings(max_examples=200, deadline=None)
@given(st.text(st.characters(exclude_characters="`\r\n", exclude_categories=[]), min_size=1, max_size=20))
def test_any_name_is_well_formed(name: str) -> None:
    expression = parse_expression(f"`{name}`")
    markup = to_mathml(expression)
    markup.encode()
    ElementTree.fromstring(markup)  # noqa: S314 - our own output
    assert_latex_is_balanced(to_latex(expression))


def test_control_characters_are_marked_and_joiners_kept() -> None:
    assert latex("`a\x1bb\u202ec\td`") == "\\text{a\ufffdb\ufffdc d}"
    assert "".join(mathml("`می\u200cخواهم`").itertext()) == "می\u200cخواهم"


# --- the printed formula is the formula -----------------------------------------------------------

READ = {"−": "-", "⋅": "*", "×": "*", "mod": "%", "=": "==", "≠": "!=", "≤": "<=", "≥": ">=", "∧": "and", "∨": "or",
        "¬": "not", "\u2061": "", "ln": "log"}  # fmt: skip


def read(node: ElementTree.Element) -> str:
    """Read a formula as a reader does, by what is printed: groups that print no parentheses do not group."""
    tag, parts = node.tag.removeprefix(SPACE), [read(child) for child in node]
    if tag == "mrow" and node[0].text == "⌊":
        # The floor of a fraction is `//`, which differs from floor(a / b) at infinity.
        return f"(({read(node[1][0])}) // ({read(node[1][1])}))"
    if tag == "mfrac":
        return f"(({parts[0]}) / ({parts[1]}))"
    if tag == "msup":
        return f"{parts[0]}**({parts[1]})"
    if tag == "mtable":
        return "".join(parts)
    if tag == "mtr":
        return f" {parts[0]} {parts[1]} "
    if tag == "mo" and node.text == "|":
        return "abs(" if node.get("form") == "prefix" else ")"
    if tag == "mo" and node.text == "{":
        return ""
    if tag == "mtext":
        return {"if\u00a0": " if ", "otherwise": ""}[node.text or ""]
    if tag in ("mo", "mi", "mn"):
        word = READ.get(node.text or "", node.text or "")
        return f" {word} " if tag == "mo" else word
    return " ".join(parts)


def read_cases(node: ElementTree.Element) -> str:
    """Put the `else` that lines of cases only imply before every line but the first."""
    for table in node.iter(f"{SPACE}mtable"):
        for line in list(table)[1:]:
            word = ElementTree.Element(f"{SPACE}mo")
            word.text = "else"
            line[0].insert(0, word)
    return read(node)


@settings(max_examples=300, deadline=None)
@given(st.recursive(LEAVES, grow, max_leaves=12))
def test_printed_formula_reads_back_with_the_same_value(written: Written) -> None:
    columns = {"a": [-2.0, 0.0, 0.5, 3.0], "b": [1.0, 2.0, -1.5, 0.0], "n": [1.0, 2.0, 3.0, 4.0]}
    expression = parse_expression(written[0])
    back = parse_expression(read_cases(mathml(written[0])))
    np.testing.assert_allclose(
        np.broadcast_to(back.evaluate(columns), 4), np.broadcast_to(expression.evaluate(columns), 4), rtol=1e-13,
        err_msg=f"{written[0]} -> {back}",
    )  # fmt: skip
