"""What a customer is told."""

import re

import pytest

from services.dispatcher.deliver.outcome import ADVICE, Answer, Outcome

# With these a sentence begins that says what to do.
VERBS = ("Answer", "Check", "Set")


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.DELIVERED])
def test_customer_is_told_in_sentences_when_it_failed(outcome: Outcome) -> None:
    told = Answer(outcome, status=418, detail="A detail.").error()
    assert told is not None
    assert told.startswith("Status 418. ")
    assert told.endswith(" A detail.")
    assert ADVICE[outcome] in told
    assert re.fullmatch(r"([A-Z][^.]*\. ?)+", ADVICE[outcome]), "whole sentences"
    assert Answer(outcome).error() == ADVICE[outcome]


@pytest.mark.parametrize(("outcome", "advice"), ADVICE.items())
def test_last_sentence_says_what_to_do_when_it_failed(outcome: Outcome, advice: str) -> None:
    what_happened, _, what_to_do = advice.rstrip(".").rpartition(". ")
    assert what_happened, outcome
    assert what_to_do.startswith(VERBS), outcome


def test_customer_is_told_nothing_when_it_succeeded() -> None:
    assert Answer(Outcome.DELIVERED, status=200).error() is None
