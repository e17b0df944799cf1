"""The verdict as a table that an enterprise understands, in Chinese or English."""

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from unicodedata import east_asian_width

from casework.verdict import Collected, ConditionResult, ItemResult, PartResult, Ratio, Verdict, exact_text
from casework.wording import say

_GAP = "  "
_PLACES = 4


def render_text(verdict: Verdict, language: str = "zh") -> str:
    """Conditions, score and missing facts as plain text. Shares are shown cut off, never rounded up."""
    blocks = [_head(verdict, language), _conditions(verdict, language)]
    if verdict.score is not None:
        blocks.append(_score(verdict, language))
    if verdict.collected:
        blocks.append(_collections(verdict.collected, language))
    blocks += _foot(verdict, language)
    return "\n\n".join(blocks) + "\n"


def _head(verdict: Verdict, language: str) -> str:
    answer = say(f"verdict_{verdict.verdict}", language)
    applied = verdict.applied_on or say("not_given", language)
    return say(
        "head", language, programme=verdict.programme, edition=verdict.edition, on=applied, answer=answer
    )


def _conditions(verdict: Verdict, language: str) -> str:
    head = [
        say(f"column_{name}", language)
        for name in ("id", "condition", "result", "value", "bound", "gap", "source")
    ]
    rows = [head]
    for result in verdict.conditions:
        rows.append(_condition_row(result, result.shown, language))
        others = [part for part in result.parts if part is not result.shown]
        rows += [_part_row(part, language) for part in others]
    return _table(rows)


def _condition_row(result: ConditionResult, part: PartResult, language: str) -> list[str]:
    source = f"{result.source.instrument} {result.source.article}{'' if result.verified else ' *'}"
    title = result.title.in_language(language)
    if part.title != result.title:
        title += ("：" if language.startswith("zh") else ": ") + part.title.in_language(language)
    answer = say(f"outcome_{result.outcome}", language)
    return [
        result.id,
        title,
        answer,
        _value(part, language),
        _bound(part, language),
        _gap(part, language),
        source,
    ]


def _part_row(part: PartResult, language: str) -> list[str]:
    title = (
        "└ " + (say("or_else", language) if part.spec.alternative else "") + part.title.in_language(language)
    )
    unsaid = part.outcome == "pass" and part.ratio is None
    answer = say("outcome_unsaid" if unsaid else f"outcome_{part.outcome}", language)
    return ["", title, answer, _value(part, language), _bound(part, language), _gap(part, language), ""]


def _value(part: PartResult, language: str) -> str:
    if part.ratio is None or part.ratio[1] == 0:
        return "—"
    return _readable(part.ratio, part.spec.unit, language)


def _readable(ratio: Ratio, unit: str, language: str) -> str:
    number = Fraction(ratio[0]) / Fraction(ratio[1])
    if unit == "share":
        return _cut(number * 100) + " %"
    if unit == "answer":
        return say("yes" if number else "no", language)
    return say(f"unit_{unit}", language, number=_cut(number))


def _bound(part: PartResult, language: str) -> str:
    if part.asked is None:
        return "—"
    operator, _, _ = part.asked.text.partition(" ")
    if part.spec.unit == "answer":
        return say("no" if operator == "<=" else "yes", language)
    return f"{operator} {_readable((part.asked.numerator, part.asked.denominator), part.spec.unit, language)}"


def _gap(part: PartResult, language: str) -> str:
    gap = part.gap
    if gap is None or part.spec.unit == "answer":
        return "—"
    number = Fraction(gap)
    if part.spec.money:
        return _yuan(number)
    if part.spec.unit == "share":
        return say("percentage_points", language, number=_cut(number * 100, up=True))
    return say(f"unit_{part.spec.unit}", language, number=_cut(number, up=True))


def _cut(number: Fraction, *, up: bool = False) -> str:
    """At most four places, cut off (a gap is rounded up), with an ellipsis where something was cut."""
    scaled = number * 10**_PLACES
    whole = -(-scaled.numerator // scaled.denominator) if up else scaled.numerator // scaled.denominator
    return exact_text(Fraction(whole, 10**_PLACES)) + ("" if whole == scaled else "…")


def _yuan(amount: Fraction) -> str:
    fen = -(-amount.numerator * 100 // amount.denominator)
    return f"¥{Decimal(fen) / 100:,.2f}"


def _score(verdict: Verdict, language: str) -> str:
    score = verdict.score
    assert score is not None
    total = (
        exact_text(score.lo) if score.lo == score.hi else f"{exact_text(score.lo)} – {exact_text(score.hi)}"
    )
    head = [
        say(f"column_{name}", language) for name in ("item", "value", "grade", "points", "given", "source")
    ]
    rows = [head, *(_item_row(item, language) for item in score.items)]
    if score.pass_above is not None:
        words = say("total", language, total=total, bound=exact_text(score.pass_above))
    else:
        assert score.pass_at_least is not None
        words = say("total_at_least", language, total=total, bound=exact_text(score.pass_at_least))
    return words + "\n" + _table(rows)


def _item_row(item: ItemResult, language: str) -> list[str]:
    number = "—" if item.ratio is None else _cut(Fraction(item.ratio[0]) / Fraction(item.ratio[1]))
    given = "—" if item.given is None else exact_text(item.given)
    source = f"{item.source.instrument} {item.source.article}{'' if item.verified else ' *'}"
    points = f"{exact_text(item.lo)} – {exact_text(item.hi)}"
    return [item.title.in_language(language), number, item.band or "—", points, given, source]


def _collections(years: Sequence[Collected], language: str) -> str:
    names = (
        "own",
        "entrusted_incurred",
        "entrusted_counted",
        "other_incurred",
        "other_cap",
        "other_counted",
        "total",
    )
    head = [say("column_year", language), *(say(f"collected_{name}", language) for name in names)]
    rows = [head]
    for year in years:
        partly = "" if year.complete else "+"
        amounts = [_money(getattr(year, name)) for name in names[:-1]]
        rows.append([str(year.year), *amounts, _money(year.total) + partly])
    return say("collection", language) + "\n" + _table(rows)


def _money(amount: Fraction) -> str:
    fen = amount.numerator * 100 // amount.denominator
    return f"{Decimal(fen) / 100:,.2f}"


def _foot(verdict: Verdict, language: str) -> list[str]:
    lines = []
    needs = verdict.needs
    if needs:
        lines.append(say("missing", language) + "\n" + "\n".join(f"  {need}" for need in needs))
    flags = sorted({flag for item in (verdict.score.items if verdict.score else ()) for flag in item.flags})
    if flags:
        lines.append(say("flagged", language, flags=", ".join(flags)))
    items = verdict.score.items if verdict.score else ()
    if not all(result.verified for result in verdict.conditions) or not all(item.verified for item in items):
        lines.append(say("unverified", language))
    return lines


def _table(rows: list[list[str]]) -> str:
    widths = [max(_width(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        _GAP.join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join(line.rstrip() for line in lines)


def _width(text: str) -> int:
    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)
