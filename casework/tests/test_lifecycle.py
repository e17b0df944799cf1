from datetime import date
from itertools import product
from typing import get_args

import pytest

from casework.edition import Edition, Role, State
from casework.lifecycle import WrongActor, WrongState, check_judging, may, next_step, once_a_year
from casework.use_cases import Casework


@pytest.fixture
def edition(work: Casework) -> Edition:
    return work.rulebooks.edition("hnte", date(2016, 1, 1))


def test_every_step_of_the_edition_and_no_other_can_be_taken(edition: Edition) -> None:
    allowed = {
        (state, step.verb, role): step.to
        for step in edition.process
        for state in step.from_
        for role in step.by
    }
    verbs = {step.verb for step in edition.process}
    for state, verb, role in product(get_args(State), verbs, get_args(Role)):
        if (state, verb, role) in allowed:
            assert next_step(edition, "first", state, verb, role).to == allowed[state, verb, role]
        else:
            with pytest.raises((WrongState, WrongActor)):
                next_step(edition, "first", state, verb, role)


def test_a_verb_at_the_wrong_time_is_told_what_is_possible_and_where_that_is_written(
    edition: Edition,
) -> None:
    with pytest.raises(WrongState) as refused:
        next_step(edition, "first", "submitted", "propose", "officer")
    assert refused.value.fields["allowed"] == "accept, return, withdraw"
    assert (refused.value.rule, refused.value.source) == ("process.propose", "国科发火〔2016〕195号 二(五)")


def test_a_verb_by_the_wrong_actor_is_told_whose_it_is_and_where_that_is_written(edition: Edition) -> None:
    with pytest.raises(WrongActor) as refused:
        next_step(edition, "first", "draft", "submit", "officer")
    assert refused.value.fields["roles"] == "enterprise"
    assert (refused.value.rule, refused.value.source) == (
        "process.submit",
        "国科发火〔2016〕32号 第十二条(一)",
    )


def test_nothing_leads_out_of_the_end(edition: Edition) -> None:
    for state in ("granted", "refused", "withdrawn"):
        assert edition.steps_from(state, "first") == ()
        with pytest.raises(WrongState) as refused:
            next_step(edition, "first", state, "withdraw", "enterprise")
        assert refused.value.fields["allowed"] == "-"


def test_only_a_case_in_review_is_judged(edition: Edition) -> None:
    for state in get_args(State):
        if state == "in_review":
            check_judging(edition, "first", state)
        else:
            with pytest.raises(WrongState):
                check_judging(edition, "first", state)


def test_who_may_is_what_the_edition_says(edition: Edition) -> None:
    assert may(edition, "first", "recorded", "grant", "officer")
    assert not may(edition, "first", "recorded", "grant", "system")
    assert not may(edition, "first", "on_notice", "grant", "officer")


def test_once_a_year_holds_where_the_edition_lists_it(edition: Edition) -> None:
    assert once_a_year(edition) is not None
    assert once_a_year(edition.model_copy(update={"deadlines": ()})) is None
