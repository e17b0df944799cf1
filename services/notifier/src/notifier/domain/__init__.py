"""The rules of telling: the table, the wording, the life of one notification. No I/O, and nothing of the wire."""
