"""What is damaged is listed once, and whoever listens hears of every change."""

from __future__ import annotations

from balance.store.damage import Damage, Damages

LINE = Damage("ledger.jsonl", 17, "Line 17 does not match its checksum.")
INDEX = Damage("history.db", None, "It was damaged, and is made anew.")


def test_damage_is_listed_once_and_can_be_cleared() -> None:
    damages, heard = Damages(), []
    damages.subscribe(heard.append)
    for each in (LINE, INDEX, LINE):
        damages.report(each)
    assert damages.listed == (LINE, INDEX)
    damages.clear("ledger.jsonl")
    damages.clear("ledger.jsonl")
    assert damages.listed == (INDEX,)
    assert [each.damage for each in heard] == [(LINE,), (LINE, INDEX), (INDEX,)]
    assert [each.version for each in heard] == [1, 2, 3]
    assert damages.known == heard[-1]


def test_newer_words_take_the_place_of_older_ones() -> None:
    damages = Damages()
    damages.report(LINE)
    newer = Damage("ledger.jsonl", 17, "It is being repaired.")
    damages.report(newer)
    assert damages.listed == (newer,)
