using System.Globalization;

namespace Kintsugi.Postgres.Repairs.Rows.Parents;

/// <summary>How transactions ended, as the server's own log of them says.</summary>
internal sealed class Endings(IReadSession session)
{
    private readonly Dictionary<uint, string?> known = [];

    /// <returns>committed, aborted, in progress; null where the log does not reach: too old, or an id that was never given.</returns>
    public async ValueTask<string?> Of(uint xid, CancellationToken cancellationToken)
    {
        if (known.TryGetValue(xid, out var ending))
            return ending;
        var next = ulong.Parse((await session.Rows("SELECT pg_catalog.pg_snapshot_xmax(pg_catalog.pg_current_snapshot())::pg_catalog.text",
            row => row.GetString(0), cancellationToken))[0], CultureInfo.InvariantCulture);
        var distance = unchecked((uint)next - xid);
        // Ids count modulo 2^32: the later half lies in the future, which the server would refuse to speak of.
        known[xid] = xid < 3 || distance > int.MaxValue || distance > next ? null
            : (await session.Rows("SELECT pg_catalog.pg_xact_status($1::pg_catalog.text::pg_catalog.xid8)", row => row.IsDBNull(0) ? null : row.GetString(0),
                cancellationToken, (next - distance).ToString(CultureInfo.InvariantCulture)))[0];
        return known[xid];
    }
}
