using System.Data.Common;

namespace Kintsugi.State;

/// <summary>
/// The units of looks that the nodes share: the node that leads a look offers them and takes their answers, the others take them one at a time.
/// Writers come one after the other, so that nothing here is taken twice.
/// </summary>
public sealed class UnitBook(StateStore store)
{
    /// <summary>An answer that is older is asked for again, as <see cref="LookJournal"/> proves again.</summary>
    public static readonly TimeSpan Kept = TimeSpan.FromHours(12);

    /// <summary>Begins a look or takes it over: its number rises, and whoever led it before can change nothing any more.</summary>
    public BegunLook Begin(LookOffer offer, DateTimeOffset now) => store.Change(connection =>
    {
        var fence = Sql.Rows(connection, """
            insert into looks values (@look, @target, 1, @leader, @fingerprint, @ground, @depth, @deadline, @helpers) on conflict (look) do update set
                target = excluded.target, fence = looks.fence + 1, leader = excluded.leader, fingerprint = excluded.fingerprint,
                ground = excluded.ground, depth = excluded.depth, deadline = excluded.deadline, helpers = excluded.helpers
            returning fence, (select l.fingerprint || l.ground || l.depth from looks l where l.look = @look)
            """, row => (Number: row.GetInt64(0), Before: row.TextOrNull(1)), ("@look", offer.Look), ("@target", offer.Target), ("@leader", offer.Leader),
            ("@fingerprint", offer.Fingerprint), ("@ground", offer.Ground), ("@depth", offer.Depth), ("@deadline", Sql.TimeOrNull(offer.Deadline)),
            ("@helpers", (long)offer.Helpers))[0];
        // Those who still read for the look as it was.
        var left = Sql.Rows(connection, "select piece, database, backend from units where look = @look and node is not null and answer is null",
            Claimed, ("@look", offer.Look));
        Sql.Run(connection, "delete from units where look = @look and (answer is null or at < @since or @same = 0)", ("@look", offer.Look),
            ("@since", Sql.Time(now - Kept)), ("@same", fence.Before == offer.Fingerprint + offer.Ground + offer.Depth ? 1L : 0L));
        var answered = Sql.Rows(connection, "select piece, answer, at from units where look = @look",
            row => (row.GetString(0), row.GetString(1), Sql.Time(row.GetString(2))), ("@look", offer.Look));
        return new BegunLook(fence.Number, left, answered);
    });

    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public void MustLead(string look, long fence) => AsLeader(look, fence, _ => true);

    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public void Offer(string look, long fence, IEnumerable<OfferedUnit> units) => AsLeader(look, fence, connection =>
    {
        foreach (var unit in units)
            Sql.Run(connection, """
                insert into units (look, piece, fence, check_id, database, weight) values (@look, @piece, @fence, @check, @database, @weight)
                on conflict (look, piece) do nothing
                """, ("@look", look), ("@piece", unit.Piece), ("@fence", fence), ("@check", unit.Check), ("@database", unit.Database),
                ("@weight", unit.Weight));
        return true;
    });

    /// <summary>Takes the largest open unit for the node that leads.</summary>
    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public string? Take(string look, long fence, string node) => AsLeader(look, fence, connection => Sql.Rows(connection, """
        update units set node = @node, claim = claim + 1, until = null, backend = null where look = @look and piece = (
            select piece from units where look = @look and fence = @fence and node is null and answer is null order by own desc, weight desc, piece limit 1)
        returning piece
        """, row => row.GetString(0), ("@look", look), ("@node", node), ("@fence", fence)).FirstOrDefault());

    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public void BeginOwn(string look, long fence, string piece, string backend) => AsLeader(look, fence, connection => Sql.Run(
        connection, "update units set backend = @backend where look = @look and piece = @piece", ("@backend", backend), ("@look", look), ("@piece", piece)));

    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public void AnswerOwn(string look, long fence, string piece, string answer, DateTimeOffset at) => AsLeader(look, fence, connection => Sql.Run(
        connection, "update units set answer = @answer, at = @at, taken = @fence where look = @look and piece = @piece and answer is null",
        ("@answer", answer), ("@at", Sql.Time(at)), ("@fence", fence), ("@look", look), ("@piece", piece)));

    /// <summary>The answers of others, each once.</summary>
    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public IReadOnlyList<(string Piece, string Answer)> Collect(string look, long fence) => AsLeader(look, fence, connection => Sql.Rows(connection,
        "update units set taken = @fence where look = @look and fence = @fence and answer is not null and taken < @fence returning piece, answer",
        row => (row.GetString(0), row.GetString(1)), ("@look", look), ("@fence", fence)));

    /// <summary>Units in the hands of nodes that were silent for too long.</summary>
    public IReadOnlyList<ClaimedUnit> Silent(string look, long fence, DateTimeOffset now) => store.Look(connection => Sql.Rows(connection,
        "select piece, database, backend from units where look = @look and fence = @fence and answer is null and until < @now", Claimed,
        ("@look", look), ("@fence", fence), ("@now", Sql.Time(now))));

    /// <summary>Opens a unit again whose node was silent for too long; what that node says of it now counts no more.</summary>
    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public void Free(string look, long fence, string piece, DateTimeOffset now) => AsLeader(look, fence, connection => Sql.Run(connection, """
        update units set node = null, until = null, backend = null, claim = claim + 1 where look = @look and piece = @piece and answer is null and until < @now
        """, ("@look", look), ("@piece", piece), ("@now", Sql.Time(now))));

    /// <returns>Those that nobody had taken, and that nobody can take now.</returns>
    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public IReadOnlyList<string> Withdraw(string look, long fence, IEnumerable<string> pieces) => AsLeader(look, fence, connection => pieces.SelectMany(piece =>
        Sql.Rows(connection, "delete from units where look = @look and piece = @piece and node is null and answer is null returning piece",
            row => row.GetString(0), ("@look", look), ("@piece", piece))).ToList());

    /// <summary>The look ends here, before its end: what was answered stays for whoever begins it again.</summary>
    public void Close(string look, long fence) => store.Change(connection =>
    {
        if (Sql.Run(connection, "update looks set helpers = 0 where look = @look and fence = @fence", ("@look", look), ("@fence", fence)) == 1)
            Sql.Run(connection, "delete from units where look = @look and answer is null", ("@look", look));
    });

    /// <summary>The look has come to its end.</summary>
    /// <returns>How many units each node has done.</returns>
    /// <exception cref="OvertakenException">Another node leads the look.</exception>
    public IReadOnlyDictionary<string, long> Complete(string look, long fence) => AsLeader(look, fence, connection =>
    {
        var done = Sql.Rows(connection, "select node, count(*) from units where look = @look and answer is not null group by node",
            row => (Node: row.GetString(0), Units: row.GetInt64(1)), ("@look", look)).ToDictionary(row => row.Node, row => row.Units);
        Sql.Run(connection, "delete from units where look = @look", ("@look", look));
        Sql.Run(connection, "update looks set helpers = 0 where look = @look", ("@look", look));
        return done;
    });

    private T AsLeader<T>(string look, long fence, Func<DbConnection, T> work) => store.Change(connection =>
        Sql.Number(connection, "select fence from looks where look = @look", ("@look", look)) == fence
            ? work(connection)
            : throw new OvertakenException($"another node has taken over the look {look.Trim()}: this one was silent for longer than its lease"));

    private static ClaimedUnit Claimed(DbDataReader row) => new(row.GetString(0), row.GetString(1), row.TextOrNull(2));
}

/// <summary>A look as its leader offers it.</summary>
/// <param name="Fingerprint">Over program, configuration and checks: only nodes that have the same take part.</param>
/// <param name="Ground">How the leader sees the target's server.</param>
/// <param name="Helpers">How many units other nodes may have in hand at once.</param>
public sealed record LookOffer(string Look, string Target, string Leader, string Fingerprint, string Ground, string Depth, DateTimeOffset? Deadline, int Helpers);

/// <param name="Left">In the hands of those who worked for the look as it was before.</param>
/// <param name="Answered">What was answered in an earlier life of the look, and counts.</param>
public sealed record BegunLook(long Fence, IReadOnlyList<ClaimedUnit> Left, IReadOnlyList<(string Piece, string Answer, DateTimeOffset At)> Answered);

public sealed record OfferedUnit(string Piece, string Check, string Database, long Weight);

/// <param name="Backend">The patient's backend that reads for it; null where none was begun.</param>
public sealed record ClaimedUnit(string Piece, string Database, string? Backend);

/// <summary>What this node leads is led by another one by now.</summary>
public sealed class OvertakenException(string message) : Exception(message);
