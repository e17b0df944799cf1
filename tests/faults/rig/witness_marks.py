"""Marks: every move of every mark is written down by a trigger while it happens, and has to follow the one before."""

from collections import defaultdict
from typing import Final

import asyncpg

from rig.ground import Ground
from rig.witness_rows import LISTENERS, Row, Rows, Seen

_WATCH: Final = """
CREATE TABLE IF NOT EXISTS rig_marks (
    id bigint GENERATED ALWAYS AS IDENTITY, consumer text NOT NULL, topic text NOT NULL, key text NOT NULL,
    old bigint NOT NULL, new bigint NOT NULL, txid bigint NOT NULL DEFAULT txid_current()
);
CREATE OR REPLACE FUNCTION rig_note_mark() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO rig_marks (consumer, topic, key, old, new) VALUES (OLD.consumer, OLD.topic, OLD.key, OLD.sequence, 0);
        RETURN OLD;
    END IF;
    INSERT INTO rig_marks (consumer, topic, key, old, new)
    VALUES (NEW.consumer, NEW.topic, NEW.key, CASE TG_OP WHEN 'UPDATE' THEN OLD.sequence ELSE 0 END, NEW.sequence);
    RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER rig_mark_born AFTER INSERT OR DELETE ON inbox FOR EACH ROW EXECUTE FUNCTION rig_note_mark();
CREATE OR REPLACE TRIGGER rig_mark_moved AFTER UPDATE ON inbox FOR EACH ROW
    WHEN (OLD.sequence IS DISTINCT FROM NEW.sequence) EXECUTE FUNCTION rig_note_mark();
"""


async def watch(ground: Ground) -> None:
    """Installs the triggers, before the load begins; again changes nothing."""
    for service in LISTENERS:
        connection = await asyncpg.connect(ground.database(service))
        try:
            await connection.execute(_WATCH)
        finally:
            await connection.close()


def check_marks(seen: Seen, rows: Rows) -> None:
    given: dict[tuple[str, str], int] = defaultdict(int)
    for told in rows.told:
        given[told.topic, told.key] = max(given[told.topic, told.key], told.sequence)
    for listener in LISTENERS:
        moves: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
        for move in sorted(rows.of(listener, "rig_marks"), key=lambda move: int(move["id"])):
            moves[move["consumer"], move["topic"], move["key"]].append(move)
        stands = {
            (mark["consumer"], mark["topic"], mark["key"]): int(mark["sequence"])
            for mark in rows.of(listener, "inbox")
        }
        for name in moves.keys() | stands.keys():
            where = {"listener": listener, "topic": name[1], "key": name[2]}
            stand = stands.get(name, 0)
            _check_key(seen, where, moves[name], stands=stand, given=given[name[1], name[2]])


def _check_key(seen: Seen, where: dict[str, str], moves: list[Row], *, stands: int, given: int) -> None:
    at = 0
    for move in moves:
        seen.counts("I4", 1)
        old, new = int(move["old"]), int(move["new"])
        if old != at:
            seen.breaks("I4", f"a mark moved from {old}, and stood on {at}", **where)
        if new < old:
            seen.breaks("I4", f"a mark went back from {old} to {new}", **where)
        if new > given:
            seen.breaks("I4", f"a mark went to {new}, and the last event is {given}", **where)
        at = new
    if at != stands:
        seen.breaks("I4", f"a mark stands on {stands}, and moved last to {at}", **where)
