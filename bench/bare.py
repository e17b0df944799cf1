"""B5's peer, a process of its own: Starlette and asyncpg, and one insert of the body that came. Nothing else.

The same uvicorn options, event loop and number of database connections as a service has.
"""

import asyncio
import os
from uuid import uuid4

import asyncpg
import uvicorn
import uvloop
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

POOL = 8
TABLE = "CREATE TABLE IF NOT EXISTS applications (application_id uuid PRIMARY KEY, body jsonb NOT NULL)"


def application(pool: asyncpg.Pool) -> Starlette:
    async def take(request: Request) -> JSONResponse:
        await request.json()
        application_id = uuid4()
        await pool.execute(
            "INSERT INTO applications (application_id, body) VALUES ($1, $2)",
            application_id, (await request.body()).decode(),
        )  # fmt: skip
        return JSONResponse({"application_id": str(application_id)}, status_code=201)

    return Starlette(routes=[Route("/applications", take, methods=["POST"])])


async def serve() -> None:
    pool = await asyncpg.create_pool(os.environ["BARE_DATABASE_URL"], min_size=POOL, max_size=POOL)
    await pool.execute(TABLE)
    config = uvicorn.Config(
        application(pool), host="127.0.0.1", port=int(os.environ["BARE_PORT"]), log_config=None, access_log=False,
        timeout_keep_alive=30, h11_max_incomplete_event_size=65_536, server_header=False, lifespan="off",
    )  # fmt: skip
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve())
