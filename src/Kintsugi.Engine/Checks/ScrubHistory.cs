namespace Kintsugi;

/// <summary>What earlier scrubs of this server have proven, and when each table had its turn in a scrub with a time limit.</summary>
public sealed class ScrubHistory
{
    /// <summary>Observations: when a table's turn began; and what the files looked like under a proof.</summary>
    public const string Turns = "turn";
    public const string BodyScope = "body";

    /// <summary>A proof is renewed by looking after that time even where nothing has changed.</summary>
    public static readonly TimeSpan LongestCarried = TimeSpan.FromDays(30);

    private readonly Dictionary<(string Check, string Database, string Object), Proof> proofs;
    private readonly Dictionary<string, DateTimeOffset> turns;
    private readonly Dictionary<string, Observation> bodies;

    private ScrubHistory(IEnumerable<Proof> proofs, IEnumerable<Observation> turns, IEnumerable<Observation> bodies)
    {
        this.proofs = proofs.ToDictionary(proof => (proof.Check, proof.Database, proof.Object));
        this.turns = turns.ToDictionary(turn => turn.Key, turn => turn.At);
        this.bodies = bodies.ToDictionary(body => body.Key);
    }

    public static ScrubHistory None { get; } = new([], [], []);

    public static async ValueTask<ScrubHistory> Read(IMemory memory, string server, CancellationToken cancellationToken) => new(
        await memory.Proofs(server, cancellationToken),
        await memory.Observations(server, Turns, cancellationToken),
        await memory.Observations(server, BodyScope, cancellationToken));

    public static string TurnKey(string database, string table) => $"{database}\u001f{table}";

    public static string BodyKey(string check, string database, string place) => $"{check}\u001f{database}\u001f{place}";

    public static string BodyValue(Depth depth, string body) => $"{(int)depth} {body}";

    /// <summary>When that check last proved it at that depth or a greater one; long ago when never.</summary>
    public DateTimeOffset ProvenAt(string check, Target target, Depth depth) =>
        proofs.TryGetValue((check, target.Database ?? "", Proof.Place(target)), out var proof) && proof.Depth >= depth ? proof.At : DateTimeOffset.MinValue;

    public DateTimeOffset TurnOf(string database, string table) => turns.GetValueOrDefault(TurnKey(database, table), DateTimeOffset.MinValue);

    /// <summary>The proof that rests on files which looked like this, if its scrub ended before that moment and not too long ago.</summary>
    public DateTimeOffset? ProofOf(string check, Target target, Depth depth, string body, DateTimeOffset before, DateTimeOffset now) =>
        bodies.TryGetValue(BodyKey(check, target.Database ?? "", Proof.Place(target)), out var known)
            && known.At < before && now - known.At < LongestCarried
            && Enumerable.Range((int)depth, Depth.Deep - depth + 1).Any(deep => known.Value == BodyValue((Depth)deep, body))
            ? known.At : null;
}
