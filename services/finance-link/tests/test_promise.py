"""Promise I6 can be checked from the tables by anybody, and the check can fail."""

import re
from pathlib import Path

from finance_rig import Desk


async def test_anybody_can_check_the_promise_by_the_queries_of_the_readme(desk: Desk) -> None:
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    block = re.search(r"```sql\n(.*?)```", readme, re.DOTALL)
    assert block is not None
    checks = [query for query in block[1].split(";") if query.strip()]
    await desk.sent()
    assert [await desk.db.fetch(query) for query in checks] == [[], []]
    async with desk.db.transaction() as tx:
        await tx.execute("UPDATE consents SET fields = '{enterprise.id}'")
    assert [len(await desk.db.fetch(query)) for query in checks] == [1, 1]
