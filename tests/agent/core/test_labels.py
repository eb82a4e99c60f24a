"""Labels that are looked for."""

import pytest

from agent.core.errors import InvalidArgument
from agent.core.labels import class_numbers
from agent.models.coco import COCO


def test_labels_become_numbers() -> None:
    assert class_numbers(("pig", "cow", "dog"), ("dog", "pig")).tolist() == [0, 2]
    assert class_numbers(("pig", "cow"), ()).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        ("persn", "the model knows no 'persn', but 'person'; its labels: person, bicycle, "),
        ("Person", "no 'Person', but 'person'"),
        ("hors", "no 'hors', but 'horse'"),
        ("unicorn", "no 'unicorn'; its labels: person"),
        ("x" * 5000, "and 60 more"),
    ],
)
def test_an_unknown_label_is_told_with_those_near_it(wanted: str, told: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        class_numbers(COCO, ("sheep", wanted))
    assert caught.value.reason == "UNKNOWN_LABEL"
    assert told in caught.value.message
    assert len(caught.value.message) < 500
