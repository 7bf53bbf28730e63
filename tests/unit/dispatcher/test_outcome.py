"""What a status comes to, and what a customer is told."""

import re

import pytest

from services.dispatcher.deliver.outcome import ADVICE, Answer, Outcome, of_status


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (100, Outcome.UNEXPECTED_STATUS),
        (101, Outcome.UNEXPECTED_STATUS),
        (199, Outcome.UNEXPECTED_STATUS),
        (200, Outcome.DELIVERED),
        (201, Outcome.DELIVERED),
        (202, Outcome.DELIVERED),
        (204, Outcome.DELIVERED),
        (299, Outcome.DELIVERED),
        (300, Outcome.REDIRECTED),
        (301, Outcome.REDIRECTED),
        (302, Outcome.REDIRECTED),
        (304, Outcome.REDIRECTED),
        (307, Outcome.REDIRECTED),
        (308, Outcome.REDIRECTED),
        (400, Outcome.REFUSED_BY_RECEIVER),
        (401, Outcome.REFUSED_BY_RECEIVER),
        (403, Outcome.REFUSED_BY_RECEIVER),
        (404, Outcome.REFUSED_BY_RECEIVER),
        (408, Outcome.BUSY),
        (409, Outcome.REFUSED_BY_RECEIVER),
        (410, Outcome.GONE),
        (413, Outcome.REFUSED_BY_RECEIVER),
        (422, Outcome.REFUSED_BY_RECEIVER),
        (425, Outcome.BUSY),
        (429, Outcome.BUSY),
        (499, Outcome.REFUSED_BY_RECEIVER),
        (500, Outcome.RECEIVER_FAILED),
        (502, Outcome.RECEIVER_FAILED),
        (503, Outcome.BUSY),
        (504, Outcome.RECEIVER_FAILED),
        (599, Outcome.RECEIVER_FAILED),
        (600, Outcome.UNEXPECTED_STATUS),
        (999, Outcome.UNEXPECTED_STATUS),
        (0, Outcome.UNEXPECTED_STATUS),
    ],
)
def test_status_comes_to_its_outcome(status: int, expected: Outcome) -> None:
    assert of_status(status) is expected


def test_only_success_is_delivered() -> None:
    assert [status for status in range(100, 1000) if of_status(status) is Outcome.DELIVERED] == list(range(200, 300))


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.DELIVERED])
def test_customer_is_told_in_sentences_when_it_failed(outcome: Outcome) -> None:
    told = Answer(outcome, status=418, detail="A detail.").error()
    assert told is not None
    assert told.startswith("Status 418. ")
    assert told.endswith(" A detail.")
    assert ADVICE[outcome] in told
    assert re.fullmatch(r"([A-Z][^.]*\. ?)+", ADVICE[outcome]), "whole sentences"
    assert Answer(outcome).error() == ADVICE[outcome]


def test_customer_is_told_nothing_when_it_succeeded() -> None:
    assert Answer(Outcome.DELIVERED, status=200).error() is None
