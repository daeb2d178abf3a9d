"""What the transparency report and the annual summary count, over a half-open period."""

from datetime import datetime, timedelta

from candor_escalation.domain.disposal import Measure
from candor_escalation.domain.transparency import Complaints, Group, Notices, Record
from candor_escalation.store import Connection, Row


async def record(connection: Connection, start: datetime, end: datetime) -> Record:
    """Everything the reports are computed from."""
    period = {"start": start, "end": end}
    counts = await _row(connection, _COUNTS, period)
    return Record(
        start=start,
        end=end,
        groups=await _groups(connection, period),
        applied_median=_median((await _row(connection, _APPLIED, period))["median"]),
        complaints=_complaints(await _row(connection, _COMPLAINTS, period)),
        out_of_court=counts["out_of_court"],
        abuse_suspensions=counts["abuse_suspensions"],
        public_receipts=counts["public_receipts"],
        refutation_incidents=counts["refutation_incidents"],
        reports_submitted=counts["reports_submitted"],
        reports_received=counts["reports_received"],
        notices=await _notices(connection, period),
        notice_action_median=_median((await _row(connection, _NOTICE_ACTIONS, period))["median"]),
    )


_GROUPS = """
    SELECT measure, of_person, category, decision_ground, automated_detection, automated_decision,
           notice_source <> '' AS notice, count(*) AS count
    FROM disposal WHERE decided_at >= %(start)s AND decided_at < %(end)s
    GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
"""
_APPLIED = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM a.answered_at - d.decided_at)) AS median
    FROM disposal d JOIN disposal_ask a USING (disposal_id)
    WHERE d.of_person AND a.act = 'apply' AND a.state = 'carried_out'
      AND d.decided_at >= %(start)s AND d.decided_at < %(end)s
"""
_NOTICES = """
    SELECT category, 'illegal_content' = ANY(forms) AS illegal_content, trusted_flagger, outcome, basis,
           automated_means, count(*) AS count
    FROM content_notice WHERE received_at >= %(start)s AND received_at < %(end)s
    GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""
# How long it took until something was done about the content, by the first disposal of a notice that was carried out.
_NOTICE_ACTIONS = """
    SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM done_at - received_at)) AS median FROM (
      SELECT n.received_at, min(a.answered_at) AS done_at
      FROM content_notice n JOIN disposal d USING (notice_id) JOIN disposal_ask a USING (disposal_id)
      WHERE a.act = 'apply' AND a.state = 'carried_out' AND 'illegal_content' = ANY(n.forms)
        AND n.received_at >= %(start)s AND n.received_at < %(end)s
      GROUP BY n.notice_id) AS acted
"""
_COMPLAINTS = """
    SELECT count(*) AS filed, count(*) FILTER (WHERE outcome = 'upheld') AS upheld,
           count(*) FILTER (WHERE outcome = 'reversed') AS reversed, count(*) FILTER (WHERE outcome = '') AS waiting,
           percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM decided_at - filed_at))
             FILTER (WHERE outcome <> '') AS median
    FROM complaint WHERE filed_at >= %(start)s AND filed_at < %(end)s
"""
_COUNTS = """
    SELECT
      (SELECT count(*) FROM (SELECT DISTINCT disposal_id, body, reference FROM out_of_court
         WHERE recorded_at >= %(start)s AND recorded_at < %(end)s) AS disputes) AS out_of_court,
      (SELECT count(*) FROM disposal WHERE measure = 'limit_functions' AND functions && ARRAY['complaints', 'notices']
         AND decided_at >= %(start)s AND decided_at < %(end)s) AS abuse_suspensions,
      (SELECT count(*) FROM public_statement
         WHERE received_at >= %(start)s AND received_at < %(end)s) AS public_receipts,
      (SELECT count(*) FROM incident WHERE kind = 'rumour_spread' AND NOT drill
         AND opened_at >= %(start)s AND opened_at < %(end)s) AS refutation_incidents,
      (SELECT count(*) FROM submission JOIN draft USING (clock_id, revision, locale)
         WHERE NOT drill AND submitted_at >= %(start)s AND submitted_at < %(end)s) AS reports_submitted,
      (SELECT count(*) FROM receipt JOIN submission USING (submission_id) JOIN draft USING (clock_id, revision, locale)
         WHERE NOT drill AND received_at >= %(start)s AND received_at < %(end)s) AS reports_received
"""


async def _groups(connection: Connection, period: dict[str, datetime]) -> tuple[Group, ...]:
    cursor = await connection.execute(_GROUPS, period)
    return tuple(
        Group(
            Measure(row["measure"]),
            row["of_person"],
            row["category"],
            row["decision_ground"],
            row["automated_detection"],
            row["automated_decision"],
            row["notice"],
            row["count"],
        )
        for row in await cursor.fetchall()
    )


async def _notices(connection: Connection, period: dict[str, datetime]) -> tuple[Notices, ...]:
    cursor = await connection.execute(_NOTICES, period)
    return tuple(Notices(**row) for row in await cursor.fetchall())


async def _row(connection: Connection, query: str, period: dict[str, datetime]) -> Row:
    cursor = await connection.execute(query, period)  # the constants above
    row = await cursor.fetchone()
    if row is None:
        raise AssertionError("an aggregate without GROUP BY gives one row")
    return row


def _complaints(row: Row) -> Complaints:
    return Complaints(row["filed"], row["upheld"], row["reversed"], row["waiting"], _median(row["median"]))


def _median(seconds: float | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=float(seconds))
