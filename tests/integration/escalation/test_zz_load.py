import asyncio
from datetime import UTC, datetime, timedelta
from .desk import Desk

async def test_load(desk: Desk, channels) -> None:
    n = 400
    aware = datetime.now(UTC) - timedelta(hours=24) + timedelta(seconds=100)
    t = asyncio.get_running_loop().time()
    sem = asyncio.Semaphore(16)
    async def one(i):
        async with sem:
            return await desk.report("illegal_content", {"product": "p"}, aware=aware)
    answers = await asyncio.gather(*(one(i) for i in range(n)))
    print("reported", n, asyncio.get_running_loop().time() - t)
    ids = [a.clock_ids[0] for a in answers]
    while (datetime.now(UTC) - aware) < timedelta(hours=24, seconds=3): await asyncio.sleep(1)
    for _ in range(60):
        rows = await desk.deployment.rows("escalation", "SELECT count(*) n, count(reached_at) r, avg(extract(epoch from reached_at-due_at)) a, percentile_cont(ARRAY[0.5,0.99]) within group (order by extract(epoch from reached_at-due_at)) p, max(extract(epoch from reached_at-due_at)) m FROM milestone WHERE kind='due' AND clock_id = ANY(%s::uuid[])", ids)
        if rows[0]["r"] == n: break
        await asyncio.sleep(1)
    print(rows)
    rows = await desk.deployment.rows("escalation", "SELECT kind, count(reached_at) r, percentile_cont(ARRAY[0.5,0.99]) within group (order by extract(epoch from reached_at-due_at)) p, max(extract(epoch from reached_at-due_at)) m FROM milestone WHERE clock_id = ANY(%s::uuid[]) GROUP BY kind", ids)
    print(rows)
    rows = await desk.deployment.rows("escalation", "SELECT state, cause, level, count(*) n FROM page WHERE clock_id = ANY(%s::uuid[]) GROUP BY 1,2,3 ORDER BY 2,3,1", ids)
    print(rows)
    rows = await desk.deployment.rows("escalation", "SELECT kind, date_trunc('second', reached_at) s, count(*) n FROM milestone WHERE clock_id = ANY(%s::uuid[]) AND reached_at IS NOT NULL GROUP BY 1,2 ORDER BY 2", ids)
    print(rows[-40:])
