"""Tables submission and receipt, as far as clocks depend on them; store/reports.py owns them."""

from candor_escalation.domain.anchor import Sent
from candor_escalation.store import Connection


async def of_incident(connection: Connection, incident_id: str) -> list[Sent]:
    """Every first report of the incident that was submitted, with its receipt if there is one."""
    cursor = await connection.execute(
        "SELECT c.pack_id, c.obligation_id, s.submitted_at, r.received_at, coalesce(r.reference, '') AS reference"
        " FROM submission s JOIN clock c USING (clock_id)"
        " JOIN draft d ON (d.clock_id, d.revision, d.locale) = (s.clock_id, s.revision, s.locale)"
        " LEFT JOIN receipt r USING (submission_id)"
        " WHERE c.incident_id = %s AND d.kind = 'first' ORDER BY s.submission_id",
        (incident_id,),
    )
    return [
        Sent(row["pack_id"], row["obligation_id"], row["submitted_at"], row["received_at"], row["reference"])
        for row in await cursor.fetchall()
    ]
