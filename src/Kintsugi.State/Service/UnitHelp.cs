using System.Data.Common;

namespace Kintsugi.State;

/// <summary>The other side of <see cref="UnitBook"/>: a node that takes units of looks which other nodes lead.</summary>
public sealed class UnitHelp(StateStore store, string node)
{
    /// <summary>A unit of a node that fell silent comes with that node's seat; any other needs one that is free.</summary>
    private const string Open = """
        from units u join looks l on l.look = u.look and l.fence = u.fence
        where u.answer is null and u.own = 0 and l.leader <> @node and l.helpers > 0 and (u.until < @now or (u.node is null and l.helpers > (
            select count(*) from units o where o.look = l.look and o.node is not null and o.node <> l.leader and o.answer is null)))
        """;

    private const string Mine = """
        node = @node and look = @look and piece = @piece and claim = @claim and answer is null
            and fence = @fence and fence = (select l.fence from looks l where l.look = @look)
        """;

    private const string Answered = "answer = @value, at = @at, until = null, backend = null";

    /// <summary>The looks of which a unit is to be had.</summary>
    public IReadOnlyList<OpenLook> Looks(DateTimeOffset now) => store.Look(connection => Sql.Rows(connection,
        $"select distinct l.look, l.target, l.fence, l.fingerprint, l.ground, l.depth, l.deadline {Open} order by l.look",
        row => new OpenLook(row.GetString(0), row.GetString(1), row.GetInt64(2), row.GetString(3), row.GetString(4), row.GetString(5), row.TimeOrNull(6)),
        ("@node", node), ("@now", Sql.Time(now))));

    /// <summary>Takes the largest unit of that look, if it is still led by the same node and a helper more is allowed.</summary>
    public UnitClaim? Take(OpenLook look, DateTimeOffset now, DateTimeOffset until) => store.Change(connection => Sql.Rows(connection, $"""
        update units set node = @node, until = @until, claim = claim + 1 where look = @look and piece = (
            select u.piece {Open} and l.look = @look and l.fence = @fence order by coalesce(u.until < @now, false) desc, u.weight desc, u.piece limit 1)
        returning piece, claim, check_id, database, backend
        """, Claimed(look),
        ("@node", node), ("@now", Sql.Time(now)), ("@until", Sql.Time(until)), ("@look", look.Look), ("@fence", look.Fence)).FirstOrDefault());

    /// <summary>
    /// Answers, and takes the largest unit of the same look and database in its stead: the seat is never anybody else's in between.
    /// </summary>
    /// <returns>Null where there is none to take, or the unit is somebody else's by now: nothing has changed then.</returns>
    public UnitClaim? Exchange(UnitClaim claim, string answer, DateTimeOffset at, DateTimeOffset until) => store.Change(connection =>
    {
        if (Sql.Number(connection, $"select count(*) from units where {Mine}", Own(claim)) == 0)
            return null;
        var next = Sql.Rows(connection, """
            update units set node = @node, until = @until, backend = null, claim = claim + 1 where look = @look and piece = (
                select u.piece from units u join looks l on l.look = u.look and l.fence = u.fence
                where l.look = @look and u.database = @database and u.node is null and u.answer is null and u.own = 0 and l.helpers >= (
                    select count(*) from units o where o.look = l.look and o.node is not null and o.node <> l.leader and o.answer is null)
                order by u.weight desc, u.piece limit 1)
            returning piece, claim, check_id, database, backend
            """, Claimed(claim.Look), ("@node", node), ("@until", Sql.Time(until)), ("@look", claim.Look.Look), ("@database", claim.Database)).FirstOrDefault();
        if (next is not null)
            Sql.Run(connection, $"update units set {Answered} where {Mine}", [("@value", answer), ("@at", Sql.Time(at)), .. Own(claim)]);
        return next;
    });

    /// <summary>Says that the unit is still worked on.</summary>
    /// <returns>False when it is somebody else's by now, or the look has ended.</returns>
    public bool Renew(UnitClaim claim, DateTimeOffset until) => Change(claim, "until = @value", Sql.Time(until));

    /// <returns>False when it is somebody else's by now, or the look has ended.</returns>
    public bool Begin(UnitClaim claim, string backend) => Change(claim, "backend = @value", backend);

    /// <returns>False when it was dropped: the unit is somebody else's by now, or the look has ended or is led by another node.</returns>
    public bool Answer(UnitClaim claim, string answer, DateTimeOffset at) => Change(claim, Answered, answer, at);

    /// <summary>Hands a unit back.</summary>
    /// <param name="toLeader">Only the node that leads the look is to take it.</param>
    public void GiveBack(UnitClaim claim, bool toLeader) =>
        Change(claim, $"node = null, until = null, backend = null, own = {(toLeader ? 1 : 0)}, claim = claim + 1", null);

    private bool Change(UnitClaim claim, string set, string? value, DateTimeOffset? at = null) => store.Change(connection => Sql.Run(
        connection, $"update units set {set} where {Mine}", [("@value", value), ("@at", Sql.TimeOrNull(at)), .. Own(claim)])) == 1;

    private (string Name, object? Value)[] Own(UnitClaim claim) =>
        [("@node", node), ("@look", claim.Look.Look), ("@piece", claim.Piece), ("@claim", claim.Number), ("@fence", claim.Look.Fence)];

    private static Func<DbDataReader, UnitClaim> Claimed(OpenLook look) => row =>
        new UnitClaim(look, row.GetString(0), row.GetInt64(1), row.GetString(2), row.GetString(3), row.TextOrNull(4));
}

/// <summary>A look of another node of which units are to be had.</summary>
public sealed record OpenLook(string Look, string Target, long Fence, string Fingerprint, string Ground, string Depth, DateTimeOffset? Deadline);

/// <summary>A unit in this node's hand.</summary>
/// <param name="Number">Rises each time that the unit changes hands.</param>
/// <param name="Left">The backend of the node that had it before and fell silent; it must be gone before this node reads.</param>
public sealed record UnitClaim(OpenLook Look, string Piece, long Number, string Check, string Database, string? Left);
