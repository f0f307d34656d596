namespace Kintsugi;

/// <summary>Examines single units of one database for a scrub that another node leads, by the same checks and limits.</summary>
public sealed class Assistance(IReadOnlyList<ICheck> checks, IPatientSource source, string database, Depth depth, TimeProvider clock) : IAsyncDisposable
{
    private readonly PatientBench bench = new(source, database, new Bodies());
    private readonly Dictionary<string, IReadOnlyDictionary<string, Portion>> divided = [];

    /// <param name="deadline">The end of the whole scrub.</param>
    /// <param name="begin">Is told of the session before anything is read.</param>
    /// <returns>Null where this node has nothing to say that the other could not say better: it does not see such a piece, or could not examine it.</returns>
    /// <exception cref="PatientException">The patient cannot be entered.</exception>
    public async ValueTask<UnitAnswer?> Examine(
        string check, string key, DateTimeOffset deadline, Func<Patient, ValueTask> begin, CancellationToken cancellationToken)
    {
        var patient = await bench.Take(cancellationToken);
        Portion? piece;
        try
        {
            await begin(patient);
            piece = await Find(check, key, patient, cancellationToken);
        }
        catch
        {
            await PatientBench.Discard(patient);
            throw;
        }
        bench.Give(patient);
        if (piece is null)
            return null;
        // A room of its own: what one unit shows says nothing to the next, for the ground is the other node's to judge.
        var room = new ScrubRoom(source, database, new ScrubSettings { Depth = depth }, new ScrubRecord(clock, null, null), clock)
        {
            Due = [], Deadline = deadline, Journal = null, History = ScrubHistory.None,
        };
        var answer = await room.Conclude(checks.First(known => known.Id == check), piece, bench, cancellationToken);
        return answer.Verdict is Verdict.Unchecked && !answer.Crashed ? null : answer;
    }

    public ValueTask DisposeAsync() => bench.DisposeAsync();

    private async ValueTask<Portion?> Find(string id, string key, Patient patient, CancellationToken cancellationToken)
    {
        if (!divided.TryGetValue(id, out var pieces))
        {
            pieces = checks.FirstOrDefault(known => known.Id == id) is { } check && check.Needs.LackIn(patient) is null
                ? (await check.Divide(patient, depth, cancellationToken)).Where(piece => piece is { Settled: null, Relation: not null })
                    .GroupBy(piece => PieceKey.Of(id, piece)).Where(same => same.Count() == 1)
                    .ToDictionary(same => same.Key, same => same.First() with { Depth = depth })
                : new Dictionary<string, Portion>();
            divided.Add(id, pieces);
        }
        return pieces.GetValueOrDefault(key);
    }
}
