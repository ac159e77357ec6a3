"""How often a run that brought nothing is tried again."""

from __future__ import annotations

from adapter.engine.patience import Patience


def test_what_breaks_by_itself_is_given_up_soon() -> None:
    """It says the same each time; what brought something of a host begins the count anew."""
    patience = Patience()
    for fruitful in (False, False, True, False, False):
        patience.note(is_fruitful=fruitful, was_killed=False)
        assert (patience.is_lost, patience.is_tried, patience.pause) == (False, not fruitful, 0)
    patience.note(is_fruitful=False, was_killed=False)
    assert patience.is_lost


def test_what_is_killed_is_tried_for_longer_with_growing_pauses() -> None:
    """A second kill may be chance; a tenth is not."""
    patience, pauses = Patience(), []
    while not patience.is_lost:
        patience.note(is_fruitful=False, was_killed=True)
        pauses.append(patience.pause)
    assert pauses == [0, 1, 2, 4, 8, 15, 15, 15, 15, 15]
