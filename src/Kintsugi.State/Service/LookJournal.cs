namespace Kintsugi.State;

/// <summary>
/// What a look of the service has proven so far, in the books: the node that begins it again after a kill goes on behind that, whichever node it is.
/// </summary>
public sealed class LookJournal : IScrubJournal, IDisposable
{
    /// <summary>What was proven longer ago is proven again.</summary>
    private static readonly TimeSpan Kept = TimeSpan.FromHours(12);

    /// <summary>A kill loses at most so many pieces, or what was proven in so long.</summary>
    private const int Together = 200;
    private static readonly TimeSpan Often = TimeSpan.FromSeconds(2);

    private readonly StateStore store;
    private readonly string look;
    private readonly Dictionary<string, DateTimeOffset> proven;
    private readonly List<(string Piece, DateTimeOffset At)> pending = [];
    private readonly Lock gate = new();
    private readonly ITimer timer;

    /// <exception cref="StateException">The books cannot be used.</exception>
    public LookJournal(StateStore store, string look, TimeProvider clock)
    {
        (this.store, this.look) = (store, look);
        proven = store.Look(connection => Sql.Rows(connection, "select piece, at from proven where look = @look and at >= @since",
            row => (Piece: row.GetString(0), At: Sql.Time(row.GetString(1))), ("@look", look), ("@since", Sql.Time(clock.GetUtcNow() - Kept))))
            .ToDictionary(row => row.Piece, row => row.At);
        timer = clock.CreateTimer(_ => KeepInPassing(), null, Often, Often);
    }

    public DateTimeOffset? ProvenAt(string check, Portion piece) => proven.TryGetValue(PieceKey.Of(check, piece), out var at) ? at : null;

    public void Enter(string check, Portion piece, DateTimeOffset at)
    {
        if (piece.Relation is null)
            return;
        lock (gate)
        {
            pending.Add((PieceKey.Of(check, piece), at));
            if (pending.Count >= Together)
                Keep();
        }
    }

    /// <summary>The look has come to its end: there is nothing to go on with.</summary>
    public void Complete()
    {
        lock (gate)
        {
            pending.Clear();
            store.Change(connection => Sql.Run(connection, "delete from proven where look = @look", ("@look", look)));
        }
    }

    public void Dispose() => timer.Dispose();

    /// <summary>What cannot be kept now stays in hand: the next piece that fills it says so to the look.</summary>
    private void KeepInPassing()
    {
        lock (gate)
            try
            {
                if (pending.Count > 0)
                    Keep();
            }
            catch (StateException)
            {
                timer.Change(Often, Often);
            }
    }

    private void Keep()
    {
        store.Change(connection =>
        {
            using var statement = new Statement(connection,
                "insert into proven values (@look, @piece, @at) on conflict (look, piece) do update set at = excluded.at", "@look", "@piece", "@at");
            foreach (var (piece, at) in pending)
                statement.Run(look, piece, Sql.Time(at));
            statement.Flush();
        });
        pending.Clear();
    }
}
