from __future__ import annotations

import numpy as np
import pytest

from agent.core.errors import InvalidArgument
from agent.core.mot import parse, rows
from agent.core.types import Tracks


def test_rows_of_the_challenge() -> None:
    found = parse(
        "3,-1,10,20,30,40,0.5,-1,-1,-1\n\n1,-1,1.5,2.5,10,20,0.9,-1,-1,-1\r\n3, -1, 0,0,5,5,1e-1,7,7,7\n", "x"
    )
    assert found.frames.tolist() == [3, 1, 3] and found.last_frame == 3
    assert found.detections.boxes.tolist() == [[10, 20, 40, 60], [1.5, 2.5, 11.5, 22.5], [0, 0, 5, 5]]
    assert found.detections.scores == pytest.approx([0.5, 0.9, 0.1])
    assert found.detections.classes.tolist() == [0, 0, 0], "columns of 10 hold the world's coordinates, no class"
    assert [numbers.tolist() for numbers in found.by_frame()] == [[1], [], [0, 2]]


def test_our_own_rows_come_back() -> None:
    tracks = Tracks(
        ids=np.array([4, 9], np.int32),
        boxes=np.array([[10.5, 50, 40.5, 90.25], [1, 2, 3, 4]], np.float32),
        scores=np.array([0.88, 0.5], np.float32),
        classes=np.array([0, 3], np.int32),
        ages=np.zeros(2, np.float32),
    )
    text = rows(7, tracks)
    assert text == "7,4,10.50,50.00,30.00,40.25,0.88,0,1\n7,9,1.00,2.00,2.00,2.00,0.50,3,1\n"
    back = parse(text, "x")
    assert back.frames.tolist() == [7, 7] and back.detections.classes.tolist() == [0, 3]
    assert np.array_equal(back.detections.boxes, tracks.boxes)


def test_no_rows() -> None:
    for text in ("", "\n \n"):
        found = parse(text, "x")
        assert len(found.detections) == 0 and found.last_frame == 0 and list(found.by_frame()) == []
    assert rows(1, Tracks()) == ""


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("1,-1,0,0,5", "has 5 columns; a row is frame,-1,left,top,width,height,score"),
        ("1,-1,0,0,5,5,0.9,-1,-1", "has 9 columns where the rows above have 7"),
        ("1,-1,0,0,five,5,0.9", "is not a row of numbers"),
        ("# frame,id", "has 2 columns"),
        ("1;-1;0;0;5;5;0.9", "has 1 columns"),
        ("1,-1,0,0,5,5,nan", "not a finite number"),
        ("1,-1,inf,0,5,5,1", "not a finite number"),
        ("0,-1,0,0,5,5,0.9", "frames count from 1"),
        ("1.5,-1,0,0,5,5,0.9", "whole number"),
        ("1700000000,-1,0,0,5,5,0.9", "frames are numbers, not times"),
        ("1,-1,0,0,0,5,0.9", "width and height must be above 0"),
        ("1,-1,0,0,5,-5,0.9", "width and height must be above 0"),
    ],
)
def test_a_bad_row_is_named(row: str, says: str) -> None:
    with pytest.raises(InvalidArgument) as caught:
        parse(f"1,-1,0,0,5,5,0.9\n\n{row}\n1,-1,0,0,5,5,0.9\n", "pen/det.txt")
    assert caught.value.reason == "BAD_ROW"
    assert caught.value.message.startswith("pen/det.txt, line 3: ") and says in caught.value.message


def test_rows_that_are_all_too_short() -> None:
    with pytest.raises(InvalidArgument, match="line 2: has 3 columns"):
        parse("\n1,2,3\n", "x")
